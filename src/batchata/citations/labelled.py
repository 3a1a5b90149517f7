"""Where the documents name the leaves of a result."""

from __future__ import annotations

import re
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Sequence

from batchata.citations.fuzzy import WordIndex, words_of
from batchata.citations.index import SourceIndex, fold
from batchata.citations.leaves import Leaf

_MIN_LABEL = 3
"""Shorter ones are found everywhere; but "金額" says enough."""
_MIN_PLURAL = 4
_JOINT = re.compile(r"[ _./]{0,2}")


class LabelPlaces:
    """The places of all labels, looked up a document at a time: "net total" is no place of "total"."""

    def __init__(self, indexes: Sequence[SourceIndex | None], leaves: Iterable[Leaf]) -> None:
        self._indexes = indexes
        labels = {
            label for leaf in leaves for label in leaf.labels if len(label) >= _MIN_LABEL or not label.isascii()
        }
        self._labels = sorted(labels, key=lambda label: (-len(label), label))
        self._found: dict[int, dict[str, list[int]]] = {}

    def find(self, document: int, label: str) -> Sequence[int]:
        """Where a label starts in a document, in order."""
        if document not in self._found:
            self._found[document] = self._search(document)
        return self._found[document].get(label, ())

    def _search(self, document: int) -> dict[str, list[int]]:
        index = self._indexes[document]
        found: defaultdict[str, list[int]] = defaultdict(list)
        if index is None:
            return found
        taken: set[int] = set()
        # The longest first: the first that fits is taken.
        for label in self._labels:
            words = words_of(fold(label).text)
            for wanted in (words, ["".join(words)]) if len(words) > 1 else (words,):
                for number in _standing(index.words, wanted):
                    numbers = range(number, number + len(wanted))
                    if taken.isdisjoint(numbers):
                        taken.update(numbers)
                        insort(found[label], index.folded.origin[index.words.starts[number]])
        return found


def _standing(words: WordIndex, wanted: Sequence[str]) -> list[int]:
    """Numbers of the words at which a label begins."""
    starts = (
        [number for first in _either_number(wanted[0]) for number in words.places.get(first, ())] if wanted else []
    )
    return [number for number in starts if _stand_at(words, number, wanted)]


def _stand_at(words: WordIndex, first: int, wanted: Sequence[str]) -> bool:
    """Whether the words of a label, one or many of each, stand together from a word on."""
    if first + len(wanted) > len(words.spans):
        return False
    for offset, word in enumerate(wanted):
        start, end = words.spans[first + offset]
        if words.text[start:end] not in _either_number(word):
            return False
        if offset and not _JOINT.fullmatch(words.text, words.ends[first + offset - 1], start):
            return False
    return True


def _either_number(word: str) -> tuple[str, ...]:
    single = word.removesuffix("s")
    return (single, f"{single}s") if len(word) >= _MIN_PLURAL else (word,)
