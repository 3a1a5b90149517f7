"""Where the documents name the leaves of a result."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from batchata.citations.index import UNSPACED, SourceIndex, fold
from batchata.citations.leaves import Leaf

_MIN_LABEL = 3
"""Shorter ones are found everywhere; but "金額" says enough."""
_MIN_PLURAL = 4


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
        if index is None or not self._labels:
            return found
        # The longest first: the first that fits is taken.
        any_label = "|".join(f"({_pattern(label)})" for label in self._labels)
        in_word = rf"[^\W_{UNSPACED}]"
        for match in re.finditer(rf"(?<!{in_word})(?:{any_label})(?!{in_word})", index.folded.text):
            if match.lastindex is not None:
                found[self._labels[match.lastindex - 1]].append(index.folded.origin[match.start()])
        return found


def _pattern(label: str) -> str:
    """The words of a label, one or many of each, however they are joined."""
    return r"[ _./]{0,2}".join(_either_number(word) for word in fold(label).text.split())


def _either_number(word: str) -> str:
    return f"{re.escape(word.removesuffix('s'))}s?" if len(word) >= _MIN_PLURAL else re.escape(word)
