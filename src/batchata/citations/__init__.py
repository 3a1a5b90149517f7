"""Cited answers: which field each citation belongs to, and whether it stands where it says.

Three steps, each on its own: ``leaves`` (where each value stands in the answer), ``mapping`` (which leaf a cited
block belongs to), ``grounding`` and ``aligning`` (where it stands in the document).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from batchata.citations.aligning import Aligner
from batchata.citations.grounding import Grounder
from batchata.citations.leaves import Leaf, leaves
from batchata.citations.mapping import assign
from batchata.citations.quotes import assign_quotes, claims, quotes_of
from batchata.citations.texts import Texts
from batchata.jsonspans import Node
from batchata.types import Citation, Match, Origin, Quote, Source, TextBlock

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Resolved", "quotes_of", "resolve"]


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
    quotes: Sequence[Quote] = (),
) -> Resolved:
    """Map the citations of an answer to the leaves of its value and look each up in its document.

    ``node`` is the JSON that ``value`` was read from, in the text of all blocks joined; ``sources[i]`` the document
    with ``document_index`` i, ``None`` if it is not at hand. Leaves that got no citation are searched themselves
    (origin ``aligned``), but for defaults that the answer does not hold. What does not stand where it was said to
    stand is kept as ``not_found``, and looked for elsewhere.
    """
    grounder = Grounder(sources)
    cited = [citation for block in blocks for citation in block.citations]
    flat = [grounder.check(citation) for citation in (*cited, *claims(quotes, sources))]
    if value is None:
        return Resolved(None, [*flat, *_elsewhere(flat, grounder)], [])
    found = leaves(value, node)
    given = (
        assign(blocks, found, None if node is None else (node.start, node.end)),
        assign_quotes(quotes, found, node, first=len(cited)),
    )
    by_field: dict[str, list[Citation]] = {}
    texts = Texts()
    for leaf in found:
        own = [flat[number] for assigned in given for number in assigned.by_leaf.get(leaf.path, ())]
        by_field[leaf.path] = [_weighed(each, leaf, texts) for each in (*own, *_elsewhere(own, grounder))]
    missing = [leaf for leaf in found if leaf.given and not by_field[leaf.path]]
    aligned = Aligner(grounder).align(missing, by_field)
    for leaf in missing:
        if leaf.path in aligned:
            by_field[leaf.path] = [replace(aligned[leaf.path], holds_value=aligned[leaf.path].verified)]
    flat += [each for own in by_field.values() for each in own if each.origin is Origin.ALIGNED]
    return Resolved(by_field, flat, [flat[number] for assigned in given for number in assigned.unmapped])


def _weighed(citation: Citation, leaf: Leaf, texts: Texts) -> Citation:
    """The citation with the answer to whether it says what the field says."""
    if leaf.value is None or isinstance(leaf.value, bool) or leaf.value == "":
        return citation
    return replace(citation, holds_value=texts.hold(citation.cited_text, leaf))


def _elsewhere(cited: Sequence[Citation], grounder: Grounder) -> list[Citation]:
    """Where the texts stand that are not where they were said to be, if none of the citations is right."""
    if any(each.verified for each in cited):
        return []
    wrong = dict.fromkeys(each.cited_text for each in cited if each.match is Match.NOT_FOUND)
    found = [grounder.find(text) for text in wrong]
    return [each for each in found if each is not None]
