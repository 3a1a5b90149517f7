"""Which of many candidates stands behind the words that announce its field. Pure.

A small model tells a total from a subtotal badly; the words in front of a value often tell it outright. Those words
come from the field's name, and from what stands in front of its value in the worked examples.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from batchata.providers.local.reading import Place

_WORD = re.compile(r"[^\W\d_]{2,}")
_NEAR_BEST = 0.5


def words_of_name(path: str) -> frozenset[str]:
    """The words of a field's path."""
    return frozenset(_words(path.replace("_", " ")))


def words_before(text: str, start: int) -> frozenset[str]:
    """The words in front of a value on its line; if there are none, those of the line above."""
    head, _, line = text[:start].rpartition("\n")
    found = _words(line)
    return frozenset(found or _words(head.rpartition("\n")[2]))


class Cues:
    """How strongly each place in a text is announced; a word counts the less, the more lines it stands in."""

    def __init__(self, text: str, words: Iterable[str]) -> None:
        lines = Counter(word for line in text.splitlines() for word in set(_words(line)))
        self._text = text
        self._weights = {word: 1 / lines[word] for word in words if lines[word]}

    def strength(self, place: Place) -> float:
        """Sum of the weights of the announcing words."""
        return sum(self._weights.get(word, 0.0) for word in words_before(self._text, place.start))

    def best_place(self, places: Sequence[Place]) -> Place:
        """The most strongly announced place, the first of equals."""
        return max(places, key=self.strength)

    def narrowed(self, candidates: Mapping[str, Sequence[Place]]) -> list[str]:
        """The candidates that are announced, best and nearly best; all if none is."""
        strengths = {text: self.strength(self.best_place(places)) for text, places in candidates.items()}
        best = max(strengths.values(), default=0.0)
        return [text for text, strength in strengths.items() if strength >= best * _NEAR_BEST]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
