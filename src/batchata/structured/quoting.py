"""Answers that bring a verbatim quote for each value: how they are asked for, and how they are taken apart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import cast

from batchata.jsonspans import Candidate, Node, locate
from batchata.types import JsonObject, Quote

__all__ = ["QUOTING", "QUOTING_TEXT", "split", "with_quotes", "wrapped_answer"]

_DATA, _CITATIONS = "data", "citations"

_PASSAGE = """\
quote is the shortest passage of the document that shows the value, copied character for character as it stands \
there: the same spelling, numbers, dates, punctuation and language; nothing left out, added, corrected or translated. \
Do not quote what is not there: an entry without a passage is left out. page is the number of the page within the \
file, counted from 1 (not a number printed on the page); null for documents without pages."""
QUOTING = f"""\
Give the answer itself as "data", and under "citations" say where in the documents each value comes from: one entry \
for each value of the data that stands in the documents, list items one by one. path is the value's path in the data, \
for example total, address.city or line_items[2].amount, where the third item is number 2. {_PASSAGE}"""
QUOTING_TEXT = f"""\
Give the answer as "data", and under "citations" the passages of the documents that it rests on. {_PASSAGE}"""


def with_quotes(schema: JsonObject | None) -> JsonObject:
    """The schema of an answer (``None``: text), with a list of quotes beside it."""
    data: JsonObject = {"type": "string"} if schema is None else {k: v for k, v in schema.items() if k != "$defs"}
    path: JsonObject = {} if schema is None else {"path": {"type": "string"}}
    quote: JsonObject = {
        "type": "object",
        "properties": {
            **path,
            "quote": {"type": "string"},
            "page": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": [*path, "quote", "page"],
        "additionalProperties": False,
    }
    wrapped: JsonObject = {
        "type": "object",
        "properties": {_DATA: data, _CITATIONS: {"type": "array", "items": quote}},
        "required": [_DATA, _CITATIONS],
        "additionalProperties": False,
    }
    return wrapped if schema is None or "$defs" not in schema else {**wrapped, "$defs": schema["$defs"]}


def split(candidate: Candidate) -> tuple[str, Node, tuple[Quote, ...]] | None:
    """The data as strict JSON and where it stands, and the quotes; ``None`` for an answer in another form.

    A quote without a path, or with a page that is no number, is kept without it: it may still be found.
    """
    parts = candidate.node.children
    if not isinstance(parts, dict) or _DATA not in parts or (_CITATIONS not in parts and len(parts) > 1):
        return None
    # In the strict JSON of the whole, numbers stand as they were written.
    strict = cast("dict[str, Node]", cast("Node", locate(candidate.json)).children)[_DATA]
    edge = 1 if isinstance(strict.value, str) else 0
    listed = parts[_CITATIONS].value if _CITATIONS in parts else []
    return candidate.json[strict.start - edge : strict.end + edge], parts[_DATA], tuple(_quotes(listed))


def wrapped_answer(data: str, quotes: Iterable[Quote]) -> str:
    """An answer as ``with_quotes`` asks for it, from its JSON and its quotes: what a worked example shows."""
    listed = [{"path": quote.path, "quote": quote.text, "page": quote.page} for quote in quotes]
    return f'{{"{_DATA}":{data},"{_CITATIONS}":{json.dumps(listed, ensure_ascii=False)}}}'


def _quotes(listed: object) -> Iterator[Quote]:
    """The quotes of a list, or of an object from path to quote."""
    if isinstance(listed, dict):
        listed = [
            {"path": path, **(entry if isinstance(entry, dict) else {"quote": entry})}
            for path, entry in listed.items()
        ]
    for entry in listed if isinstance(listed, list) else ():
        told = entry if isinstance(entry, dict) else {"quote": entry}
        text, path = told.get("quote"), told.get("path")
        if isinstance(text, str) and text.strip():
            yield Quote(path if isinstance(path, str) else "", text, _page(told.get("page")))


def _page(told: object) -> int | None:
    """A page as it was told, also one that cannot be: it will not be found."""
    if isinstance(told, float) and told.is_integer():
        return int(told)
    if isinstance(told, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", told):
        return int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) else None
