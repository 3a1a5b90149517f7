"""One item as the page's script reads it, and what the overview counts of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from batchata.report import excerpts, pictures
from batchata.report.quality import Flag, State, flags, low_score, state_of_field, state_of_text
from batchata.report.shown import Shown
from batchata.types import BatchResult, Citation, Document, Match

Json = dict[str, Any]

_SMALL = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Made:
    """An item, made.

    Attributes:
        data: what the page shows of it, as JSON.
        pictures: ``data:`` addresses by the names that ``data`` has for them.
        entry: what it was made from.
        flags: what the list can be narrowed down to.
        states: of its fields.
        citations: all of them.
    """

    data: Json
    pictures: Mapping[str, str] = field(repr=False)
    entry: BatchResult[Any]
    flags: Collection[Flag]
    states: Sequence[State]
    citations: Sequence[Citation]


@dataclass(frozen=True, slots=True)
class _Field:
    path: str
    value: str | None
    cited: Sequence[Citation]
    state: State


def make(shown: Shown, drawing: AbstractContextManager[object]) -> Made:
    """Read the item's documents, draw its pages, and put its citations where they stand."""
    entry = shown.entry
    fields = _fields(shown)
    cited = [each for one in fields for each in one.cited] + list(entry["unmapped_citations"])
    states = [one.state for one in fields]
    found = flags(states, [one.cited for one in fields], failed=entry["error"] is not None)
    sources = [_source(shown, number, cited, drawing) for number in range(len(shown.documents))]
    numbers = iter(range(len(cited)))
    data = {
        "i": entry["input"]["index"],
        "name": entry["input"]["name"],
        "flags": found,
        "cost": dollars(entry["cost_usd"], is_estimate=entry["cost_is_estimate"]),
        "usage": entry["usage"],
        "error": entry["error"],
        "notes": [*entry["notes"], *shown.remarks],
        "cited": [_citation(each, shown, sources) for each in cited],
        "fields": [
            {
                "path": one.path,
                "value": one.value,
                "state": one.state,
                "low": _score(low_score(one.cited)),
                "cites": [next(numbers) for _ in one.cited],
            }
            for one in fields
        ],
        "more": list(numbers),
        "sources": [source.data for source in sources],
    }
    drawn = {name: address for source in sources for name, address in source.pictures.items()}
    return Made(data, drawn, entry, found, states, cited)


def row(made: Made, href: str) -> Json:
    """The item in the index of a report of several pages: enough to look for it."""
    values = " · ".join(one["value"] for one in made.data["fields"] if one["value"])
    error = made.data["error"]
    return {
        "i": made.data["i"],
        "name": made.data["name"],
        "flags": list(made.flags),
        "reason": None if error is None else error["reason"],
        "brief": values[:160],
        "href": f"{href}#item-{made.data['i']}",
    }


def dollars(cost: Decimal | None, *, is_estimate: bool) -> str | None:
    """As the page writes it; ``None`` for a cost that nobody knows."""
    if cost is None:
        return None
    about = "about " if is_estimate else ""
    if cost == 0 or cost >= _SMALL:
        places = 0 if cost == 0 else 4 if cost < 1 else 2
        return f"{about}${cost:,.{places}f}"
    # A batch request may cost less than a hundredth of a cent.
    return re.sub("0{1,2}$", "", f"{about}${cost:.6f}")


def _fields(shown: Shown) -> list[_Field]:
    entry = shown.entry
    cited = entry["citations"]
    if entry["error"] is not None:
        return []
    if not isinstance(cited, dict) and isinstance(entry["result"], str):
        return [_Field("", entry["result"], cited or (), state_of_text(cited))]
    by_field = cited if isinstance(cited, dict) else None
    values = dict(shown.leaves)
    paths = dict.fromkeys([*values, *(by_field or ())])
    fields = []
    for path in paths:
        places = None if by_field is None else by_field.get(path, [])
        value = values.get(path)
        fields.append(_Field(path, _words(value), places or (), state_of_field(value, places)))
    return fields


def _score(score: float | None) -> str | None:
    return None if score is None else f"{score:.2f}"


def _words(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _citation(citation: Citation, shown: Shown, sources: Sequence[_Made]) -> Json:
    number = _document_of(citation, shown.documents)
    return {
        "text": citation.cited_text,
        "page": citation.start_page,
        "to": citation.end_page if citation.end_page != citation.start_page else None,
        "document": citation.document if len(shown.documents) > 1 else None,
        "address": citation.source,
        "origin": citation.origin,
        "match": citation.match,
        "verified": citation.verified,
        "holds": citation.holds_value,
        "score": _score(citation.score),
        "boxes": [] if number is None else sources[number].boxes(citation),
    }


def _document_of(citation: Citation, documents: Sequence[Document]) -> int | None:
    """Which of the item's documents it points into; ``None`` if that one is not at hand."""
    if len(documents) == 1:
        return 0
    names = (citation.document, citation.document_title)
    return next((number for number, each in enumerate(documents) if each.name in names), None)


def _no_boxes(_: Citation) -> list[Json]:
    return []


@dataclass(frozen=True, slots=True)
class _Made:
    """A document, made."""

    data: Json
    pictures: dict[str, str] = field(default_factory=dict)
    boxes: Callable[[Citation], list[Json]] = _no_boxes


def _source(shown: Shown, number: int, cited: Sequence[Citation], drawing: AbstractContextManager[object]) -> _Made:
    document = shown.documents[number]
    own = {place: each for place, each in enumerate(cited) if _document_of(each, shown.documents) == number}
    name = f"picture-{shown.entry['input']['index']}-{number}"
    if document.kind.is_image:
        address = pictures.data_address(document.media_type, document.data)
        return _Made({"kind": "image", "name": document.name, "picture": name}, {name: address})
    if document.text is not None:
        return _Made({"kind": "text", "name": document.name, "pieces": _pieces(document.text, own)})
    return _pages(document, number, name, own.values(), drawing)


def _pieces(text: str, cited: Mapping[int, Citation]) -> list[Json]:
    ranges = {
        place: (each.start_char, each.end_char)
        for place, each in cited.items()
        if each.start_char is not None and each.end_char is not None and each.match is not Match.NOT_FOUND
    }
    return [
        {"left_out": piece.left_out} if piece.left_out else {"text": piece.text, "cites": piece.marks}
        for piece in excerpts.pieces(text, ranges)
    ]


def _pages(
    document: Document,
    number: int,
    name: str,
    cited: Iterable[Citation],
    drawing: AbstractContextManager[object],
) -> _Made:
    wanted = {box.page for each in cited for box in each.boxes}
    wanted |= {each.start_page for each in cited if each.start_page is not None}
    drawn = pictures.draw(document, wanted, drawing) or pictures.draw(document, {1}, drawing)
    sizes = {page.number: (page.width, page.height) for page in drawn}
    pages = [
        {
            "number": page.number,
            "width": page.width,
            "height": page.height,
            "picture": None if page.address is None else f"{name}-{page.number}",
        }
        for page in drawn
    ]
    return _Made(
        {"kind": "pages", "name": document.name, "total": document.page_count, "pages": pages},
        {f"{name}-{page.number}": page.address for page in drawn if page.address is not None},
        lambda citation: _boxes(citation, number, sizes),
    )


def _boxes(citation: Citation, number: int, sizes: Mapping[int, tuple[float, float]]) -> list[Json]:
    """In percent of the page, so that they stay in place at any size."""
    return [
        {
            "source": number,
            "page": box.page,
            "left": _percent(box.left, sizes[box.page][0]),
            "top": _percent(box.top, sizes[box.page][1]),
            "right": _percent(box.right, sizes[box.page][0]),
            "bottom": _percent(box.bottom, sizes[box.page][1]),
        }
        for box in citation.boxes
        if box.page in sizes
    ]


def _percent(place: float, whole: float) -> float:
    return round(min(100.0, max(0.0, place / whole * 100 if whole else 0.0)), 3)
