"""What the values of a field look like, learned from worked examples: a small model does not see it itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from batchata.providers.local.cues import words_before
from batchata.providers.local.reading import Place

_DIGIT = re.compile(r"\d")
_DECIMAL = re.compile(r"\d[.,]\d")
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")
_SPARE_WORDS = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """What all examples of a field have in common; ``None`` where they differ.

    Attributes:
        digits: whether there are digits in it.
        decimals: whether there is a decimal or thousands separator; only ever ``True`` or ``None``, because a round
            amount in an example does not make all amounts round.
        most_words: how many words it may have: one if all have one, else a few more than the longest example.
        cues: the words that stand in front of it.
    """

    digits: bool | None
    decimals: bool | None
    most_words: int
    cues: frozenset[str]

    def fits(self, text: str) -> bool:
        """Whether a text looks like the examples."""
        return _agrees(self.digits, _DIGIT, text) and _agrees(self.decimals, _DECIMAL, text)


def shape_of(examples: Sequence[tuple[str, str]]) -> Shape:
    """What examples (at least one), each a document's text and a value as written in it, have in common."""
    values = [value for _, value in examples]
    starts = [(text, text.find(value)) for text, value in examples]
    longest = max(len(value.split()) for value in values)
    return Shape(
        digits=_common(_DIGIT, values),
        decimals=_common(_DECIMAL, values) or None,
        most_words=longest if longest <= 1 else longest + _SPARE_WORDS,
        cues=frozenset(word for text, start in starts if start >= 0 for word in words_before(text, start)),
    )


def runs(text: str, shape: Shape) -> dict[str, list[Place]]:
    """Every run of whole words within a line that has the shape, with and without punctuation behind it."""
    found: dict[str, list[Place]] = {}
    for line in _LINE.finditer(text):
        words = [(line.start() + word.start(), line.start() + word.end()) for word in _WORD.finditer(line[0])]
        for first, (start, _) in enumerate(words):
            for _, end in words[first : first + shape.most_words]:
                for run in dict.fromkeys([text[start:end], text[start:end].rstrip(".,;:")]):
                    if run and shape.fits(run):
                        found.setdefault(run, []).append(Place(start, start + len(run)))
    return found


def _common(pattern: re.Pattern[str], values: Sequence[str]) -> bool | None:
    answers = {pattern.search(value) is not None for value in values}
    return answers.pop() if len(answers) == 1 else None


def _agrees(wanted: bool | None, pattern: re.Pattern[str], text: str) -> bool:
    return wanted is None or wanted == (pattern.search(text) is not None)
