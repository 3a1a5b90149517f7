"""The text of a source made searchable: by letters, by spelling, by meaning."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache

from batchata.citations.fuzzy import WordIndex
from batchata.notation import DateToken, NumberToken, dates, numbers
from batchata.types import Source

__all__ = ["UNSPACED", "Folded", "SourceIndex", "around", "fold", "fold_tight", "to_words", "whole_token"]

_PAGE_BREAK = "\f"
_MAX_HITS = 5000


@dataclass(frozen=True, slots=True)
class Folded:
    """Text without its typography, and for each character the place of the one it was made from."""

    text: str
    origin: array[int]

    def range_of(self, start: int, end: int) -> tuple[int, int]:
        """Characters ``[start, end)`` of the original as a range of the folded text."""
        return bisect_right(self.origin, start - 1), bisect_right(self.origin, end - 1)

    def whole(self, start: int, end: int) -> bool:
        """Whether no character of the original is cut: "e" is not in "é", nor "s" in "ß"."""
        if start > 0 and self.origin[start - 1] == self.origin[start]:
            return False
        if end == len(self.text):
            return True
        return self.origin[end] != self.origin[end - 1] and not unicodedata.combining(self.text[end])

    def original(self, start: int, end: int) -> tuple[int, int]:
        """A range of the folded text as characters of the original."""
        return self.origin[start], self.origin[end - 1] + 1


_PLAIN = {ord(char): "'" for char in "’‘‚‛`´′"}
_PLAIN |= {ord(char): '"' for char in "“”„‟«»″"}
_PLAIN |= {ord(char): "-" for char in "‐‑‒–—―−"}
_PLAIN |= {
    ord(char): ""
    for char in "\u00ad\u0002\u0640\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e"
}
UNSPACED = "\u0e00-\u0eff\u2e80-\ua4cf"
"""Scripts that part no words: Thai, Lao, Chinese, Japanese."""
_BROKEN_LINE = re.compile(rf"(?<=[{UNSPACED}])[ \t]*\r?\n\s*(?=[{UNSPACED}])")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-‐‑\u00ad\u0002](?:[ \t]*\r?\n\s*)?(?=[^\W\d_])")
_HARD_BREAK = re.compile(r"[\u00ad\u0002][ \t]*\r?\n\s*")
_SPACES = re.compile(r"\s+")


def fold(text: str) -> Folded:
    """White space as one space; words joined over line ends and hyphens; no typography, case or Unicode forms."""
    kept: list[str] = []
    origin: array[int] = array("q")
    dropped = sorted({*_spans(_BROKEN_WORD, text), *_spans(_HARD_BREAK, text), *_spans(_BROKEN_LINE, text)})
    position = 0
    for start, end in [*dropped, (len(text), len(text))]:
        _fold_piece(text, position, start, kept, origin)
        position = max(position, end)
    return Folded("".join(kept), origin)


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in pattern.finditer(text))


def _fold_piece(text: str, start: int, end: int, kept: list[str], origin: array[int]) -> None:
    for index in range(start, end):
        char = text[index]
        if char.isspace():
            if kept and kept[-1] != " ":
                kept.append(" ")
                origin.append(index)
            continue
        plain = _PLAIN.get(ord(char))
        if plain is None:
            plain = _plain(char)
        for each in plain:
            kept.append(each)
            origin.append(index)


def _plain(char: str) -> str:
    if char.isascii():
        return char.lower()
    if unicodedata.category(char) == "No":
        return char  # "10²" is not "102"
    return unicodedata.normalize("NFKD", char).casefold()


def fold_tight(folded: Folded) -> Folded:
    """The folded text without spaces, but for those between digits: "10 20" never reads as 1020."""
    text = folded.text
    keep = [
        index
        for index, char in enumerate(text)
        if char != " " or (text[index - 1 : index].isdigit() and text[index + 1 : index + 2].isdigit())
    ]
    return Folded("".join(text[index] for index in keep), array("q", (folded.origin[index] for index in keep)))


def whole_token(text: str, start: int, end: int) -> bool:
    """Whether ``[start, end)`` neither begins nor ends inside a word or number, nor leaves out its sign."""
    if end < len(text) and unicodedata.combining(text[end]):
        return False
    if (
        start > 0
        and _joined(text[start - 1], text[start])
        and not _PROCLITIC.search(text, max(0, start - 8), start)
    ):
        return False
    if end < len(text) and _joined(text[end - 1], text[end]):
        return False
    before, after = text[max(0, start - 3) : start], text[end : end + 2]
    if _NUMBER_GOES_ON.search(before) and _NUMBER.match(text, start):
        return False
    return not (text[end - 1].isdigit() and re.fullmatch(r"[.,'’]\d", after))


def to_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The range, widened until it cuts no word."""
    while start > 0 and _joined(text[start - 1], text[start]):
        start -= 1
    while end < len(text) and _joined(text[end - 1], text[end]):
        end += 1
    return start, end


_NUMBER = re.compile(r"[$€£¥]?\d")
_NUMBER_GOES_ON = re.compile(r"(?:\d[.,'’]|(?:^|[^\w)\]/])[-−–][$€£¥]?)\Z")
"""Before digits: more of the same number, or its sign, where that cannot be a hyphen."""
_PROCLITIC = re.compile(r"(?<!\w)(?:[وف]?[بكل]?ال|[وف]?لل|[وفبكلس]ـ+)$")
"""What Arabic writes in one with the word behind it, where it cannot be a letter of the word: "the", or stretched."""


def _joined(left: str, right: str) -> bool:
    return _in_word(left) and _in_word(right)


def _in_word(char: str) -> bool:
    """Letters and digits, but for scripts that part no words."""
    return (char.isalnum() or char == "_") and not ("\u0e00" <= char <= "\u0eff" or "\u2e80" <= char <= "\ua4cf")


class SourceIndex:
    """One source, indexed when first asked. Places are characters of ``text``: all pages in one."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = _PAGE_BREAK.join(source.pages)
        self._starts = [0]
        for page in source.pages[:-1]:
            self._starts.append(self._starts[-1] + len(page) + 1)

    @cached_property
    def folded(self) -> Folded:
        """The text without its typography."""
        return fold(self.text)

    @cached_property
    def tight(self) -> Folded:
        """The text without typography and spaces."""
        return fold_tight(self.folded)

    @cached_property
    def words(self) -> WordIndex:
        """The words of the folded text."""
        return WordIndex(self.folded.text)

    @cached_property
    def numbers(self) -> dict[Decimal, list[NumberToken]]:
        """Tokens by every number they may mean."""
        found: dict[Decimal, list[NumberToken]] = defaultdict(list)
        for token in numbers(self.text):
            for value in token.values:
                found[value].append(token)
        return found

    @cached_property
    def dates(self) -> dict[date, list[DateToken]]:
        """Tokens by every date they may mean in this text."""
        found: dict[date, list[DateToken]] = defaultdict(list)
        for token, values in _settled(dates(self.text)):
            for value in values:
                found[value].append(token)
        return found

    def position(self, place: int) -> tuple[int, int]:
        """The 1-based page of a place, and the character within that page."""
        page = bisect_right(self._starts, place)
        return page, place - self._starts[page - 1]

    def place(self, page: int, char: int) -> int:
        """The inverse of ``position``."""
        return self._starts[page - 1] + char

    def pages_range(self, first: int, last: int) -> tuple[int, int] | None:
        """The characters of pages ``first`` to ``last``; ``None`` if the source has no such pages."""
        if not 1 <= first <= last or first > len(self._starts):
            return None
        last = min(last, len(self._starts))
        return self._starts[first - 1], self._starts[last - 1] + len(self.source.pages[last - 1])

    def exact(self, wanted: str, within: tuple[int, int]) -> list[tuple[int, int]]:
        """Where the characters stand just so."""
        return _find_all(self.text, wanted, *within)

    def similar(self, wanted: str, within: tuple[int, int]) -> list[tuple[int, int]]:
        """Where they stand but for white space, hyphenation, typography and case."""
        return _find_folded(self.folded, _folded(wanted), within)

    def similar_tight(self, wanted: str, within: tuple[int, int]) -> list[tuple[int, int]]:
        """As ``similar``, with spaces inside words allowed and between words missing."""
        return _find_folded(self.tight, fold_tight(fold(wanted)).text, within)


_DAY_AND_MONTH = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/]")
_MONTHS = 12


def _settled(tokens: Sequence[DateToken]) -> Iterator[tuple[DateToken, Sequence[date]]]:
    """Dates with what they may mean beside the others: "13/12/2017" shows how "05/11/2017" is meant."""
    orders = {_order(token) for token in tokens} - {None}
    for token in tokens:
        if len(token.values) == 1 or len(orders) != 1:
            yield token, token.values
        else:
            yield token, token.values[:1] if 0 in orders else token.values[1:]


def _order(token: DateToken) -> int | None:
    """0 if the day must stand first, 1 if the month must, ``None`` if there is no telling."""
    match = _DAY_AND_MONTH.match(token.text)
    if match is None:
        return None
    return 0 if int(match[1]) > _MONTHS else 1 if int(match[2]) > _MONTHS else None


@lru_cache(maxsize=4096)  # one value is looked for in many texts
def _folded(wanted: str) -> str:
    return fold(wanted).text.strip()


def _find_folded(folded: Folded, wanted: str, within: tuple[int, int]) -> list[tuple[int, int]]:
    hits = _find_all(folded.text, wanted, *folded.range_of(*within))
    return [folded.original(start, end) for start, end in hits if folded.whole(start, end)]


def _find_all(text: str, wanted: str, start: int, end: int) -> list[tuple[int, int]]:
    hits: list[tuple[int, int]] = []
    while wanted and len(hits) < _MAX_HITS and (start := text.find(wanted, start, end)) >= 0:
        hits.append((start, start + len(wanted)))
        start += 1
    return hits


def around(places: Sequence[int], to: int) -> Sequence[int]:
    """Of sorted places the last one up to ``to`` and the first one behind it."""
    index = bisect_right(places, to)
    return places[max(0, index - 1) : index + 1]
