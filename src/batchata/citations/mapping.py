"""Which of the provider's citations belong to which leaf."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from batchata.citations.index import SourceIndex
from batchata.citations.leaves import Leaf
from batchata.citations.places import places_of
from batchata.types import Source, TextBlock

Span = tuple[int, int]

_WORD = re.compile(r"[^\W_]+")


@dataclass(slots=True)
class Assigned:
    """Citations by their number in the answer; each is in ``by_leaf`` (once or more often) or in ``unmapped``."""

    by_leaf: dict[str, list[int]] = field(default_factory=dict)
    unmapped: list[int] = field(default_factory=list)

    def give(self, number: int, leaves: Sequence[Leaf]) -> None:
        """Put one citation where it belongs."""
        if not leaves:
            self.unmapped.append(number)
        for leaf in leaves:
            self.by_leaf.setdefault(leaf.path, []).append(number)


@dataclass(frozen=True, slots=True)
class _Cited:
    """A block with citations, numbered from ``first``."""

    block: TextBlock
    span: Span
    context: str
    first: int


def assign(blocks: Sequence[TextBlock], leaves: Sequence[Leaf], root: Span | None) -> Assigned:
    """Give each block's citations to the leaves it overlaps.

    ``root`` is the span of the JSON. A block that covers all of it says nothing about the leaves: there, the cited
    text decides, by the values it holds. A block that overlaps no leaf counts for a leaf only if it names label and
    value of it.
    """
    spanned = sorted((leaf for leaf in leaves if leaf.span), key=lambda leaf: leaf.span or (0, 0))
    ends = [leaf.span[1] for leaf in spanned if leaf.span]
    texts = _Texts()
    assigned = Assigned()
    for cited in _cited_blocks(blocks, root):
        start, end = cited.span
        whole = root is not None and len(spanned) > 1 and start <= root[0] and end >= root[1]
        hit = [] if whole else _overlapped(spanned, ends, cited.span)
        for number, citation in enumerate(cited.block.citations, start=cited.first):
            if whole:
                assigned.give(number, [leaf for leaf in spanned if texts.hold(citation.cited_text, leaf)])
            else:
                assigned.give(number, hit or _labelled(cited, citation.cited_text, leaves, texts))
    return assigned


def _cited_blocks(blocks: Sequence[TextBlock], root: Span | None) -> list[_Cited]:
    """The cited blocks, each with the words that lead up to it in its line, the JSON left out."""
    text = "".join(block.text for block in blocks)
    cited: list[_Cited] = []
    start = number = previous = 0
    for block in blocks:
        end = start + len(block.text)
        if block.citations:
            borders = [previous, text.rfind("\n", 0, start) + 1]
            if root is not None and root[1] <= start:
                borders.append(root[1])
            inside = root is not None and root[0] < end and start < root[1]
            context = "" if inside else text[max(borders) : end]
            cited.append(_Cited(block, (start, end), context, number))
            number += len(block.citations)
            previous = end
        start = end
    return cited


def _overlapped(leaves: Sequence[Leaf], ends: Sequence[int], block: Span) -> list[Leaf]:
    """The leaves that share a character with the block; both sorted by place."""
    found: list[Leaf] = []
    for leaf in leaves[bisect_right(ends, block[0]) :]:
        if leaf.span is None or leaf.span[0] >= block[1]:
            break
        if leaf.span[1] > block[0] and block[0] < block[1]:
            found.append(leaf)
    return found


def _labelled(cited: _Cited, cited_text: str, leaves: Sequence[Leaf], texts: _Texts) -> list[Leaf]:
    """The leaves whose label and value the prose, or the text it cites, names."""
    if not cited.context:
        return []
    words = {word.casefold() for word in _WORD.findall(cited.context + " " + cited_text)}
    one_line = "\n" not in cited.context.strip()
    return [
        leaf
        for leaf in leaves
        if any(words.issuperset(label.split()) for label in leaf.labels)
        and (texts.hold(cited_text, leaf) or (one_line and texts.hold(cited.context, leaf)))
    ]


class _Texts:
    """Whether a text holds a leaf's value; each text is indexed once."""

    def __init__(self) -> None:
        self._indexes: dict[str, SourceIndex] = {}

    def hold(self, text: str, leaf: Leaf) -> bool:
        if text not in self._indexes:
            self._indexes[text] = SourceIndex(Source("", (text,), paged=False))
        return bool(places_of(leaf, self._indexes[text]))
