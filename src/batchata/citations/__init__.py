"""Cited answers: which field each citation belongs to, and whether it stands where it says.

Three steps, each on its own: ``leaves`` (where each value stands in the answer), ``mapping`` (which leaf a cited
block belongs to), ``grounding`` and ``aligning`` (where it stands in the document).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batchata.citations.aligning import Aligner
from batchata.citations.grounding import Grounder
from batchata.citations.leaves import leaves
from batchata.citations.mapping import assign
from batchata.jsonspans import Node
from batchata.types import Citation, Source, TextBlock

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Resolved", "resolve"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """An answer's citations, looked up.

    Attributes:
        by_field: for every leaf of the value its citations, an empty list where nothing was found; ``None`` without
            a value.
        flat: the provider's citations in the order of the answer, then the ones that we found.
        unmapped: the provider's citations that belong to no leaf.
    """

    by_field: dict[str, list[Citation]] | None
    flat: list[Citation]
    unmapped: list[Citation]


def resolve(
    blocks: Sequence[TextBlock],
    value: BaseModel | None,
    node: Node | None,
    sources: Sequence[Source | None],
) -> Resolved:
    """Map the citations of an answer to the leaves of its value and look each up in its document.

    ``node`` is the JSON that ``value`` was read from, in the text of all blocks joined; ``sources[i]`` the document
    with ``document_index`` i, ``None`` if it is not at hand. Leaves that got no citation are searched themselves
    (origin ``aligned``), but for defaults that the answer does not hold.
    """
    grounder = Grounder(sources)
    flat = [grounder.check(citation) for block in blocks for citation in block.citations]
    if value is None:
        return Resolved(None, flat, [])
    found = leaves(value, node)
    assigned = assign(blocks, found, None if node is None else (node.start, node.end))
    by_field = {leaf.path: [flat[number] for number in assigned.by_leaf.get(leaf.path, ())] for leaf in found}
    unmapped = [flat[number] for number in assigned.unmapped]
    missing = [leaf for leaf in found if leaf.given and not by_field[leaf.path]]
    aligned = Aligner(grounder).align(missing, by_field)
    for leaf in missing:
        if leaf.path in aligned:
            by_field[leaf.path] = [aligned[leaf.path]]
            flat.append(aligned[leaf.path])
    return Resolved(by_field, flat, unmapped)
