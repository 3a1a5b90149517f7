"""Which of the provider's citations belong to which leaf."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from batchata.citations.labels import Labels
from batchata.citations.layout import Layout
from batchata.citations.leaves import Leaf
from batchata.citations.prose import Prose
from batchata.citations.texts import Span, Texts
from batchata.citations.whole import Whole
from batchata.types import TextBlock

_Claims = list[tuple[Leaf, ...]]
"""What a citation is evidence for: each of these; of several leaves in one entry, one or all."""


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


def assign(blocks: Sequence[TextBlock], leaves: Sequence[Leaf], root: Span | None) -> Assigned:
    """Give each block's citations to the leaves it overlaps.

    ``root`` is the span of the JSON. A block that covers all of it says nothing about the leaves: there, the cited
    text decides, by the values it holds (``whole``). A block that overlaps no leaf counts for those whose label and
    value the text around the JSON names (``prose``).
    """
    if not any(block.citations for block in blocks):
        return Assigned()
    texts, labels, spans = Texts(), Labels(leaves), _Spans(leaves)
    whole = Whole(spans.leaves, labels, texts)
    prose = Prose(Layout("".join(block.text for block in blocks), root), leaves, labels, texts)
    claimed: list[tuple[int, _Claims]] = []
    end = 0
    for number, block in enumerate(blocks):
        start, end = end, end + len(block.text)
        cited = [citation.cited_text for citation in block.citations]
        if not cited:
            continue
        if root is not None and len(spans.leaves) > 1 and start <= root[0] and end >= root[1]:
            claimed += [(number, _each(whole.held_by(text))) for text in cited]
        elif hit := spans.overlapped(start, end):
            claimed += [(number, _each(hit)) for _ in cited]
        else:
            claimed += [(number, [claim.leaves for claim in each]) for each in prose.claims((start, end), cited)]
    return _settled(claimed)


class _Spans:
    """The leaves that stand in the JSON, by place."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        placed = sorted(((leaf.span, leaf) for leaf in leaves if leaf.span), key=lambda each: each[0])
        self.leaves = [leaf for _, leaf in placed]
        self._spans = [span for span, _ in placed]
        self._starts = [start for start, _ in self._spans]
        self._ends = list(accumulate((end for _, end in self._spans), max))

    def overlapped(self, start: int, end: int) -> list[Leaf]:
        """The leaves that share a character with the text from ``start`` to ``end``."""
        if start == end:
            return []
        near = range(bisect_right(self._ends, start), bisect_left(self._starts, end))
        return [self.leaves[number] for number in near if self._spans[number][1] > start]


def _each(leaves: Sequence[Leaf]) -> _Claims:
    return [(leaf,) for leaf in leaves]


def _settled(claimed: Sequence[tuple[int, _Claims]]) -> Assigned:
    """Of n equal leaves the k-th gets the k-th of n blocks that claim them; with other numbers of blocks all do."""
    turns: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for block, claims in claimed:
        for leaves in claims:
            turn = turns[_paths(leaves)]
            if block not in turn[-1:]:
                turn.append(block)
    assigned = Assigned()
    for number, (block, claims) in enumerate(claimed):
        found: dict[str, Leaf] = {}
        for leaves in claims:
            turn = turns[_paths(leaves)]
            chosen = [leaves[turn.index(block)]] if len(turn) == len(leaves) else leaves
            found |= {leaf.path: leaf for leaf in chosen}
        assigned.give(number, list(found.values()))
    return assigned


def _paths(leaves: Sequence[Leaf]) -> tuple[str, ...]:
    return tuple(leaf.path for leaf in leaves)
