"""Short texts (what is cited, what is written around the JSON), searched for the values of leaves."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from batchata.citations.index import SourceIndex
from batchata.citations.leaves import Leaf
from batchata.citations.places import places_of
from batchata.types import Source

Span = tuple[int, int]
Places = dict[str, list[Span]]
"""By path of a leaf, where its value stands."""

_DISTINCT_DIGITS = 3
_DISTINCT_LETTERS = 4


class Texts:
    """Whether a text holds a leaf's value; each text is indexed once."""

    def __init__(self) -> None:
        self._indexes: dict[str, SourceIndex] = {}

    def hold(self, text: str, leaf: Leaf) -> bool:
        """Whether the value stands there as a whole, by its letters or its meaning."""
        return bool(self.places(text, leaf))

    def places(self, text: str, leaf: Leaf) -> list[Span]:
        """Where it stands there."""
        if text not in self._indexes:
            self._indexes[text] = SourceIndex(Source("", (text,), paged=False))
        return [hit for hit, *_ in places_of(leaf, self._indexes[text])]


def without_contained(places: Places) -> Places:
    """Places by path, but for those inside a longer one of another path: "Acme" in "Acme Ltd" is not "Acme"."""
    spans = {span for each in places.values() for span in each}
    free = {span for span in spans if not any(covers(other, span) and other != span for other in spans)}
    kept = {path: [span for span in each if span in free] for path, each in places.items()}
    return {path: each for path, each in kept.items() if each}


def covers(outer: Span, inner: Span) -> bool:
    """Whether all of one span lies in the other."""
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def is_distinctive(leaf: Leaf, text: str, spans: Sequence[Span]) -> bool:
    """Whether the value, at these places, says by itself what it is: more than a digit or two, or a few letters.

    As it is written counts too: "10.00" is more than 10.
    """
    written = [str(leaf.value), *(text[slice(*span)] for span in spans)]
    if isinstance(leaf.value, int | float | Decimal):
        return any(sum(char.isdigit() for char in each) >= _DISTINCT_DIGITS for each in written)
    return any(len(each) >= _DISTINCT_LETTERS for each in written)
