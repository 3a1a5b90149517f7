"""Passages that stand in a source roughly: found by their rarer words, then held against what must not differ."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from batchata.citations.negation import negations
from batchata.notation.words import MONTHS, NUMBER_WORDS, SCALES

Span = tuple[int, int]

_TOKEN = re.compile(r"[\u0e00-\u0eff\u2e80-\ua4cf\uac00-\ud7af]|[^\W_\u0e00-\u0eff\u2e80-\ua4cf\uac00-\ud7af]+")
"""A word; of scripts that part no words, a character."""
_FIGURE = re.compile(r"\d|(?<=\d)[.,](?=\d)|(?<![\w)])[-−–](?=[$€£¥]?\d)|\((?=\s?[$€£¥]?\s?\d)|%")
_PLAIN_MINUS = str.maketrans("−–", "--")
_LEAST = 0.85
_MIN_LETTERS = 12
_MIN_CHARACTERS = 8
_PROBES = 12
_MAX_PLACES = 60
_MAX_WINDOWS = 12
_MARGIN = 6
_LONG = 3000


class WordIndex:
    """The words of a text by place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans = [match.span() for match in _TOKEN.finditer(text)]
        self.starts = [start for start, _ in self.spans]
        self.ends = [end for _, end in self.spans]
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        for number, (start, end) in enumerate(self.spans):
            self.places[text[start:end]].append(number)


def words_of(text: str) -> list[str]:
    """The words of a text, as ``WordIndex`` parts them."""
    return _TOKEN.findall(text)


def is_long_enough(wanted: str) -> bool:
    """Whether there is so much of it that a likeness means something."""
    words = _TOKEN.findall(wanted)
    if sum(len(word) == 1 for word in words) > len(words) / 2:
        return len(words) >= _MIN_CHARACTERS
    return len(words) > 1 and sum(map(len, words)) >= _MIN_LETTERS


def likeliest(index: WordIndex, wanted: str, within: Span) -> list[tuple[Span, float]]:
    """Where a passage stands all but some letters, best first, with its likeness from 0 to 1.

    Both texts are folded. Near-linear: only where several of its rarer words stand in their order is it measured.
    """
    if not is_long_enough(wanted):
        return []
    from rapidfuzz import fuzz  # noqa: PLC0415  # imported where first used

    words = _TOKEN.findall(wanted)
    found: dict[Span, float] = {}
    for first, last in _windows(index, words, within):
        rough = _aligned(wanted, index.text, (index.starts[first], index.ends[last - 1]))
        if rough is None:
            continue
        for words_only in (_to_words(index.text, *rough), _to_shared(index, words, rough, within)):
            place = _with_marks(index.text, words_only, within)
            likeness = fuzz.ratio(wanted, index.text[slice(*place)]) / 100
            if likeness >= _LEAST and within[0] <= place[0] and place[1] <= within[1]:
                found[place] = likeness
        if len(wanted) > _LONG and found:
            break  # so much likeness is no accident
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))


def _aligned(wanted: str, text: str, window: Span) -> Span | None:
    """The part of a window that is most like the passage; of long ones the window: words will tell."""
    from rapidfuzz import fuzz  # noqa: PLC0415  # imported where first used

    if len(wanted) > _LONG:
        return window
    aligned = fuzz.partial_ratio_alignment(wanted, text[slice(*window)], score_cutoff=100 * _LEAST)
    return None if aligned is None else (window[0] + aligned.dest_start, window[0] + aligned.dest_end)


def _to_words(text: str, start: int, end: int) -> Span:
    """A range, widened until it cuts no word."""
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end


def _to_shared(index: WordIndex, words: Sequence[str], rough: Span, within: Span) -> Span:
    """From the first word that the passage shares with a rough place or its surroundings to the last one."""
    from rapidfuzz.distance import Indel  # noqa: PLC0415  # imported where first used

    first = max(bisect_left(index.ends, rough[0]) - _MARGIN, bisect_left(index.starts, within[0]))
    last = min(bisect_right(index.starts, rough[1]) + _MARGIN, bisect_right(index.ends, within[1]))
    near = [index.text[slice(*span)] for span in index.spans[first:last]]
    shared = [block for block in Indel.opcodes(words, near) if block.tag == "equal"]
    if not shared:
        return rough
    return index.starts[first + shared[0].dest_start], index.ends[first + shared[-1].dest_end - 1]


def _with_marks(text: str, place: Span, within: Span) -> Span:
    """A range with the brackets, quotes and stops around it."""
    start, end = place
    while start > within[0] and _is_mark(text[start - 1]):
        start -= 1
    while end < within[1] and _is_mark(text[end]):
        end += 1
    return start, end


def _is_mark(char: str) -> bool:
    return not (char.isalnum() or char.isspace())


def say_the_same(wanted: str, found: str) -> bool:
    """Whether two passages hold the same figures in the same order, the same words for numbers, and deny as often."""
    return all(told(wanted) == told(found) for told in (negations, _figures, _counting))


def _counting(text: str) -> Counter[str | int]:
    """The words that say how many, or when."""
    words = [word.casefold() for word in _TOKEN.findall(text)]
    months = [MONTHS[word] for word in words if word in MONTHS]
    return Counter([*months, *(word for word in words if word in NUMBER_WORDS or word in SCALES)])


def _figures(text: str) -> str:
    """The digits with their separators and signs. Where one number ends and the next begins, a layout may lose."""
    return "".join(_FIGURE.findall(text)).translate(_PLAIN_MINUS)


def _windows(index: WordIndex, words: Sequence[str], within: Span) -> Iterator[Span]:
    """Ranges of words in which most of the rarer words stand where they should, best first."""
    slack = max(2, len(words) // 8)
    votes: Counter[int] = Counter()
    for word, position in _rarest(index.places, words):
        for number in index.places[word]:
            if within[0] <= index.spans[number][0] < within[1]:
                votes[(number - position) // slack] += 1
    for bucket, _ in votes.most_common(_MAX_WINDOWS):
        first = max(0, bucket * slack - slack)
        yield first, min(len(index.spans), bucket * slack + len(words) + 2 * slack)


def _rarest(places: Mapping[str, Sequence[int]], words: Sequence[str]) -> list[tuple[str, int]]:
    """The words of a passage that stand in the source, and not everywhere, each with its position in the passage."""
    known = [
        (word, position) for position, word in enumerate(words) if 0 < len(places.get(word, ())) <= _MAX_PLACES
    ]
    return sorted(known, key=lambda each: len(places[each[0]]))[:_PROBES]
