"""The text of a source made searchable: by letters, by spelling, by meaning."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache

from batchata.citations.fuzzy import WordIndex
from batchata.notation import DateToken, NumberToken, dates, numbers
from batchata.types import Source

__all__ = ["UNSPACED", "Folded", "SourceIndex", "around", "fold", "fold_tight", "to_words", "whole_token"]

_PAGE_BREAK = "\f"


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
_LINE_END = re.compile(r"[\r\n\f]")
_RUN = re.compile(r"(?P<plain>[!-~]+)|(?P<space>\s+)|.", re.DOTALL)
_PARTS_DIGITS = re.compile(r"\d[.,]? \d")


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
    for run in _RUN.finditer(text, start, end):
        if run["plain"]:
            kept.append(run.group().lower().replace("`", "'"))
            origin.extend(range(run.start(), run.end()))
        elif run["space"]:
            if kept and kept[-1] != " ":
                kept.append(" ")
                origin.append(run.start())
        else:
            plain = _PLAIN.get(ord(run.group()))
            plain = _plain(run.group()) if plain is None else plain
            if plain:
                kept.append(plain)
                origin.extend([run.start()] * len(plain))


def _plain(char: str) -> str:
    if unicodedata.category(char) == "No":
        return char  # "10²" is not "102"
    return unicodedata.normalize("NFKD", char).casefold()


def fold_tight(folded: Folded) -> Folded:
    """The folded text without spaces, but for those between digits: "10 20" never reads as 1020, "3, 5" as 3,5."""
    text = folded.text
    keep = [
        index
        for index, char in enumerate(text)
        if char != " " or _PARTS_DIGITS.search(text, max(0, index - 2), index + 2)
    ]
    return Folded("".join(text[index] for index in keep), array("q", (folded.origin[index] for index in keep)))


def whole_token(text: str, start: int, end: int) -> bool:
    """Whether ``[start, end)`` neither begins nor ends inside a word or number, nor leaves out its sign."""
    if end < len(text) and unicodedata.combining(text[end]):
        return False
    left, right = _before(text, start), _behind(text, end)
    if left and _joined(left, text[start]) and not _PROCLITIC.search(text, max(0, start - 8), start):
        return False
    if right and _joined(text[end - 1], right) and not _ENCLITIC.match(text, end):
        return False
    before, after = text[max(0, start - 8) : start], text[end : end + 4]
    if _NUMBER_GOES_ON.search(before) and _NUMBER.match(text, start):
        return False
    if _HARD_GAP.search(before) and _THREE_DIGITS.match(text, start):
        return False
    return not (text[end - 1].isdigit() and _MORE_DIGITS.match(after))


def _before(text: str, start: int) -> str:
    """The character that a reader sees before a place: a word may go on over a line's end."""
    hidden = _HIDDEN_BEFORE.search(text, max(0, start - 12), start)
    position = hidden.start() if hidden and text[start].islower() else start
    return text[position - 1 : position]


def _behind(text: str, end: int) -> str:
    hidden = _HIDDEN_BEHIND.match(text, end)
    return text[hidden.end() : hidden.end() + 1] if hidden else text[end : end + 1]


def to_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The range, widened until it cuts no word; of endless ones as much as a word has at most."""
    first, last = max(0, start - _LONGEST_WORD), min(len(text), end + _LONGEST_WORD)
    while start > first and _joined(text[start - 1], text[start]):
        start -= 1
    while end < last and _joined(text[end - 1], text[end]):
        end += 1
    return start, end


_NUMBER = re.compile(r"[$€£¥]?\d")
_NUMBER_GOES_ON = re.compile(r"(?:\d[.,'’]|:\s{0,3}[-−–] |(?:^|[^\w)\]/])[-−–△▲](?:[$€£¥]\s?|[A-Z]{3}\s?)?)\Z")
"""Before digits: more of the same number, or its sign, where that cannot be a hyphen."""
_HARD_GAP = re.compile(r"\d[\u00a0\u202f\u2009]\Z")
_THREE_DIGITS = re.compile(r"\d{3}(?!\d)")
_MORE_DIGITS = re.compile(r"[.,'’]\d|[\u00a0\u202f\u2009]\d{3}(?!\d)")
_INVISIBLE = "\u00ad\u0002\u200b\u200c\u200d\u2060\ufeff"
_HIDDEN_BEFORE = re.compile(rf"(?<=[^\W\d_])(?:[{_INVISIBLE}]|[-‐‑\u00ad\u0002][ \t]*\r?\n[ \t]*)+$")
_HIDDEN_BEHIND = re.compile(rf"(?<=[^\W\d_])(?:[{_INVISIBLE}]|[-‐‑\u00ad\u0002][ \t]*\r?\n[ \t]*)+(?=[^\W\d_A-Z])")
_LONGEST_WORD = 60
_ENCLITIC = re.compile(r"(?:은|는|이|가|을|를|의|에|에서|로|으로|와|과|도|만)(?![\uac00-\ud7af])")
"""What Korean writes in one with the word before it."""
_PROCLITIC = re.compile(r"(?<!\w)(?:[وف]?[بكل]?ال|[وف]?لل|[وفبكلس]ـ+)$")
"""What Arabic writes in one with the word behind it, where it cannot be a letter of the word: "the", or stretched."""


def _joined(left: str, right: str) -> bool:
    return _in_word(left) and _in_word(right)


def _in_word(char: str) -> bool:
    """Letters and digits, but for scripts that part no words."""
    return (char.isalnum() or char == "_") and not ("\u0e00" <= char <= "\u0eff" or "\u2e80" <= char <= "\ua4cf")


@dataclass(frozen=True, slots=True)
class NumberPlaces:
    """Tokens by what they mean, and by what they would mean in a notation that nothing else in the text shows."""

    meant: defaultdict[Decimal, list[NumberToken]]
    unlikely: defaultdict[Decimal, list[NumberToken]]


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
    def numbers(self) -> NumberPlaces:
        """Tokens by every number they mean, or might mean."""
        text = self.text
        found = NumberPlaces(defaultdict(list), defaultdict(list))
        for token in numbers(_without_separators(text) if self.source.is_delimited else text):
            for value in token.values:
                found.meant[value].append(token)
            for value in token.unlikely:
                found.unlikely[value].append(token)
        return found

    @cached_property
    def dates(self) -> dict[date, list[DateToken]]:
        """Tokens by every date they may mean in this text."""
        found: dict[date, list[DateToken]] = defaultdict(list)
        for token, values in _settled(dates(self.text)):
            for value in values:
                found[value].append(replace(token, values=tuple(values)))
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
        if not 1 <= first <= last or first > len(self.source.pages):
            return None
        last = min(last, len(self._starts))
        return self._starts[first - 1], self._starts[last - 1] + len(self.source.pages[last - 1])

    def exact(self, wanted: str, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Where the characters stand just so."""
        return _find_all(self.text, wanted, *within)

    def similar(self, wanted: str, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Where they stand but for white space, hyphenation, typography and case."""
        return _find_folded(self.folded, _folded(wanted), within)

    def similar_tight(self, wanted: str, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """As ``similar``, where only one of the two texts has a space, if a line or page ends there."""
        hard, soft = _spaces(wanted)
        for start, end in _find_folded(self.tight, fold_tight(fold(wanted)).text, within):
            their_hard, their_soft = _spaces(self.text[start:end])
            if hard <= their_hard | their_soft and their_hard <= hard | soft:
                yield start, end


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


_QUOTED_CELL = re.compile(r'"(?:[^"\\]|""|\\.)*"')


def _without_separators(text: str) -> str:
    """The text of a table or JSON, the same length, with the commas between its values made semicolons."""
    pieces: list[str] = []
    position = 0
    for cell in _QUOTED_CELL.finditer(text):
        pieces += [text[position : cell.start()].replace(",", ";"), cell.group()]
        position = cell.end()
    return "".join([*pieces, text[position:].replace(",", ";")])


@lru_cache(maxsize=4096)  # one value is looked for in many texts
def _folded(wanted: str) -> str:
    return fold(wanted).text.strip()


def _find_folded(folded: Folded, wanted: str, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for start, end in _find_all(folded.text, wanted, *folded.range_of(*within)):
        if folded.whole(start, end):
            yield folded.original(start, end)


def _spaces(text: str) -> tuple[set[int], set[int]]:
    """Before which letters spaces stand, letters counted without spaces: within a line, and at the ends of lines."""
    hard: set[int] = set()
    soft: set[int] = set()
    folded = fold(text.strip())
    original = text.strip()
    letters = 0
    for position, char in enumerate(folded.text):
        if char != " ":
            letters += 1
            continue
        start = folded.origin[position]
        end = folded.origin[position + 1] if position + 1 < len(folded.text) else len(original)
        (soft if _LINE_END.search(original, start, end) else hard).add(letters)
    return hard, soft


def _find_all(text: str, wanted: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while wanted and (start := text.find(wanted, start, end)) >= 0:
        yield start, start + len(wanted)
        start += 1


def around(places: Sequence[int], to: int) -> Sequence[int]:
    """Of sorted places the last one up to ``to`` and the first one behind it."""
    index = bisect_right(places, to)
    return places[max(0, index - 1) : index + 1]
