"""A text with ranges marked in it, as pieces; of a long one what stands around the ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

_WHOLE_UP_TO = 40_000
_AROUND = 1_500
_BEGINNING = 8_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of the text: shown, with the numbers of the ranges they are in, or left out."""

    text: str
    marks: tuple[int, ...] = ()
    left_out: int = 0


def pieces(text: str, ranges: Mapping[int, tuple[int, int]]) -> list[Piece]:
    """The text from start to end, cut wherever a range begins or ends. Ranges have numbers."""
    inside = {
        number: (max(0, start), min(end, len(text)))
        for number, (start, end) in ranges.items()
        if max(0, start) < min(end, len(text))
    }
    found: list[Piece] = []
    position = 0
    for start, end in _windows(text, inside):
        if position < start:
            found.append(Piece("", left_out=start - position))
        found += _marked(text, inside, start, end)
        position = end
    if position < len(text):
        found.append(Piece("", left_out=len(text) - position))
    return found


def _windows(text: str, ranges: Mapping[int, tuple[int, int]]) -> list[tuple[int, int]]:
    if len(text) <= _WHOLE_UP_TO:
        return [(0, len(text))]
    if not ranges:
        return [(0, _BEGINNING)]
    windows: list[tuple[int, int]] = []
    for start, end in sorted(ranges.values()):
        first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
        if windows and first <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(last, windows[-1][1]))
        else:
            windows.append((first, last))
    return windows


def _marked(text: str, ranges: Mapping[int, tuple[int, int]], first: int, last: int) -> Iterator[Piece]:
    within = {number: spot for number, spot in ranges.items() if first <= spot[0] < last}
    cuts = sorted({first, last, *(place for spot in within.values() for place in spot)})
    begins: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for number, (start, end) in within.items():
        begins.setdefault(start, []).append(number)
        ends.setdefault(end, []).append(number)
    current: set[int] = set()
    for start, end in pairwise(cuts):
        current = (current - set(ends.get(start, ()))) | set(begins.get(start, ()))
        yield Piece(text[start:end], tuple(sorted(current)))
