"""Cited answers: which field each citation belongs to, and whether it stands where it says.

Three steps, each on its own: ``leaves`` (where each value stands in the answer), ``mapping`` and ``quotes`` (which leaf
a cited block or a quoted path belongs to; ``prose`` and ``whole`` for what overlaps no single leaf), ``grounding`` and
``aligning`` (where it stands in the document; ``negation`` and ``fuzzy`` say what does not count).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from batchata.citations.aligning import Aligner
from batchata.citations.grounding import Grounder, Lookup
from batchata.citations.leaves import Leaf, leaves
from batchata.citations.mapping import assign
from batchata.citations.quotes import assign_quotes, claims, quotes_of
from batchata.citations.texts import Texts
from batchata.jsonspans import Node
from batchata.types import Citation, Origin, Quote, Source, TextBlock

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
    lookups = [grounder.look_up(citation) for citation in (*cited, *claims(quotes, sources))]
    flat = [grounder.cite(lookup) for lookup in lookups]
    if value is None:
        return Resolved(None, [*flat, *(grounder.cite(lookup) for lookup in _elsewhere(lookups, grounder))], [])
    found = leaves(value, node)
    texts = Texts()
    given = (
        assign(blocks, found, None if node is None else (node.start, node.end)),
        assign_quotes(quotes, found, node, texts, first=len(cited)),
    )
    own: list[tuple[Leaf, Lookup]] = []
    for leaf in found:
        mine = [lookups[number] for assigned in given for number in assigned.by_leaf.get(leaf.path, ())]
        own += [(leaf, lookup) for lookup in (*mine, *_elsewhere(mine, grounder))]
    by_field = _by_field(found, own, Aligner(grounder, found), texts)
    flat += [each for cited in by_field.values() for each in cited if each.origin is Origin.ALIGNED]
    return Resolved(by_field, flat, [flat[number] for assigned in given for number in assigned.unmapped])


def _by_field(
    found: Sequence[Leaf], own: Sequence[tuple[Leaf, Lookup]], aligner: Aligner, texts: Texts
) -> dict[str, list[Citation]]:
    """The citations of each leaf, at their places; of leaves without any, what is found of their values."""
    by_field: dict[str, list[Citation]] = {leaf.path: [] for leaf in found}
    for (leaf, _), citation in zip(own, aligner.settle(own), strict=True):
        by_field[leaf.path].append(_weighed(citation, leaf, texts))
    missing = [leaf for leaf in found if leaf.given and not by_field[leaf.path]]
    for path, citation in aligner.align(missing).items():
        by_field[path].append(replace(citation, holds_value=citation.verified))
    return by_field


def _weighed(citation: Citation, leaf: Leaf, texts: Texts) -> Citation:
    """The citation with the answer to whether it says what the field says."""
    if leaf.value is None or isinstance(leaf.value, bool) or leaf.value == "":
        return citation
    return replace(citation, holds_value=texts.hold(citation.cited_text, leaf))


def _elsewhere(lookups: Sequence[Lookup], grounder: Grounder) -> list[Lookup]:
    """Where the texts stand that are not where they were said to be, if none of the citations is right."""
    if any(lookup.places is None or lookup.places for lookup in lookups):
        return []
    texts = dict.fromkeys(lookup.citation.cited_text for lookup in lookups)
    found = [grounder.find(text) for text in texts]
    return [lookup for lookup in found if lookup.places]
