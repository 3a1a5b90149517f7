"""The text around the JSON as a reader sees it: lines, paragraphs, headings, and what leads up to what."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from batchata.citations.texts import Span
from batchata.jsonspans import without_cite_tags

T = TypeVar("T")

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*")
_HEADING = re.compile(r"\s*#.*|.*:[\s*_]*|\s*(\*\*|__).+\1\s*")
_SENTENCE_END = re.compile(r"[.!?;](?=\s)|\n")
_SOME_LABEL = re.compile(r"[^\W\d][\s*_`]{0,4}:(?![\d/])")
_NEAR = 40
_PARTED = re.compile(r"[.;:!?\n]|\b(?:and|or|but|und|oder|et|ou|y)\b")
_INTRODUCES = re.compile(r"[\s*_`]{0,4}[:=]|\s+(?:is|are|was|were|ist|sind|est|sont|es|son|è|sono)\b")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Piece:
    """A cited piece of prose.

    Attributes:
        span: its characters.
        lead: from here to its start nothing is cited, and no other line begins.
        previous: where the cited piece before it starts.
        line: the lines it stands in.
    """

    span: Span
    lead: int
    previous: int
    line: Span


class Layout:
    """Places are characters of ``text``, the answer without ``<cite …>`` markup."""

    def __init__(self, text: str, root: Span | None) -> None:
        self.text, self._origin = without_cite_tags(text)
        self._headings: dict[int, bool] = {}
        size = len(self.text)
        self.root = (size, size) if root is None else (self._at(root[0]), self._at(root[1]))
        ends = [match.span() for match in _BLANK_LINE.finditer(self.text)]
        breaks = [end for start, end in ends if not self.is_heading(start)]
        self._paragraphs = sorted({0, self.root[1], *breaks})
        self._sentences = [match.start() for match in _SENTENCE_END.finditer(self.text)]
        self._last = (0, 0)

    def _at(self, position: int) -> int:
        return position if self._origin is None else bisect_left(self._origin, position)

    def outside(self, find: Callable[[str], list[tuple[Span, T]]]) -> list[tuple[Span, T]]:
        """What is found in the text before the JSON and behind it."""
        start, end = self.root
        behind = [((first + end, last + end), each) for (first, last), each in find(self.text[end:])]
        return find(self.text[:start]) + behind

    def next_piece(self, block: Span) -> Piece | None:
        """What of a block is prose; ``None`` if that holds no word. To be called in the order of the answer."""
        start, end = self._at(block[0]), self._at(block[1])
        if end <= self.root[1]:
            end = min(end, self.root[0])
        else:
            start = max(start, self.root[1])
        if not _WORD.search(self.text[start:end]):
            return None
        after = start >= self.root[1]
        floor, ceiling = (self.root[1], len(self.text)) if after else (0, self.root[0])
        first = max(self.text.rfind("\n", 0, start) + 1, floor)
        last = self.text.find("\n", end)
        line = (first, ceiling if last < 0 else min(last, ceiling))
        previous, self._last = self._last, (start, end)
        return Piece((start, end), max(first, previous[1]), previous[0], line)

    def is_heading(self, position: int) -> bool:
        """Whether the line speaks of what stands below it."""
        start = self.text.rfind("\n", 0, position) + 1
        if start not in self._headings:
            end = self.text.find("\n", start)
            line = self.text[start : len(self.text) if end < 0 else end]
            self._headings[start] = bool(_HEADING.fullmatch(line))
        return self._headings[start]

    def sentence(self, position: int) -> int:
        """Which sentence it is in, by number; a line is one at least."""
        return bisect_left(self._sentences, position)

    def paragraph(self, position: int) -> int:
        """Where its paragraph starts: behind a blank line, unless a heading stands before that."""
        return self._paragraphs[bisect_right(self._paragraphs, position) - 1]

    def leads_to(self, label: Span, piece: Piece, *, closely: bool) -> bool:
        """Whether a label before the piece may be its own. ``closely``: with nothing cited or said in between."""
        if label[0] < self.paragraph(piece.span[0]):
            return False
        if self.is_heading(label[1]):
            return not closely or label[0] >= piece.previous
        if label[1] <= piece.lead and _SOME_LABEL.search(self.text, piece.lead, piece.span[0]):
            return False  # it has another label, which no leaf bears
        if not closely:
            return True
        return label[0] >= piece.previous and self.sentence(label[1]) == self.sentence(piece.span[0])

    def follows(self, label: Span, piece: Piece) -> bool:
        """Whether a label behind the piece is its own ("[Acme] is the vendor"), and not that of what comes next."""
        if label[0] - piece.span[1] > _NEAR or label[1] > piece.line[1]:
            return False
        between = self.text[piece.span[1] : label[0]]
        return not (_PARTED.search(between) or _INTRODUCES.match(self.text, label[1]))
