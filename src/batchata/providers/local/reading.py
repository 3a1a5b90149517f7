"""The documents of a request as one text for the model, and the way back to document, page and offset. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_GAP = "\n\n"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Passage:
    """One page, or one whole document without pages, in the joined text.

    Attributes:
        start: where it begins in the joined text.
        end: where it ends.
        document_index: as citations count documents.
        name: of the document.
        page: 1-based; ``None`` without pages.
        original: its text as it is, which the joined text shows character for character.
    """

    start: int
    end: int
    document_index: int
    name: str
    page: int | None
    original: str


@dataclass(frozen=True, slots=True)
class Place:
    """Characters ``[start, end)`` of the joined text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model reads."""

    text: str
    passages: tuple[Passage, ...]

    def passage_at(self, place: Place) -> Passage:
        """The page or document in which a place lies."""
        return next(passage for passage in self.passages if passage.start <= place.start < passage.end)

    def as_written(self, place: Place) -> str:
        """The document's own characters at a place."""
        passage = self.passage_at(place)
        return passage.original[place.start - passage.start : place.end - passage.start]


def read(documents: Sequence[Mapping[str, Any]]) -> Reading:
    """Join the pages of all documents. ``documents`` are document parts of a request line."""
    texts: list[str] = []
    passages: list[Passage] = []
    start = 0
    for document, page, original in _pages(documents):
        passages.append(Passage(start, start + len(original), document["index"], document["name"], page, original))
        texts.append(shown(original))
        start += len(original) + len(_GAP)
    return Reading(_GAP.join(texts), tuple(passages))


def _pages(documents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], int | None, str]]:
    for document in documents:
        for number, page in enumerate(document["pages"], 1):
            yield document, number if document["paged"] else None, page


def shown(text: str) -> str:
    """The text as the model sees it, character for character of the same length, so that offsets hold.

    Control characters but the line feed are spaces, and a double quote, which ends a value, is a single one.
    """
    return _CONTROL.sub(" ", text).replace('"', "'")
