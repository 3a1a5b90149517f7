"""An outcome as one row of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

from batchata.types import BatchResult, Citation

_EXACT = Decimal(1).scaleb(-18)
_LARGEST = 2**63
_MONEY = "_cost_usd"


class ColumnType(Enum):
    """What a column holds."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    TEXT = "text"

    def value_of(self, value: object) -> object:
        """A value as the column holds it."""
        if value is None:
            return None
        match self:
            case ColumnType.MONEY:
                return Decimal(str(value)).quantize(_EXACT)
            case ColumnType.NUMBER:
                return float(str(value))
            case ColumnType.TEXT if not isinstance(value, str):
                return json.dumps(value)
            case ColumnType.TEXT:
                return str(value).encode("utf-8", "backslashreplace").decode()
            case _:
                return value


def flat(entry: BatchResult[Any]) -> dict[str, object]:
    """The row: what is ours begins with ``_``, as no field does; then each field, and the place it comes from."""
    error, usage = entry["error"], entry["usage"]
    row: dict[str, object] = {
        "_index": entry["input"]["index"],
        "_file": entry["input"]["name"],
        "_source": entry["input"]["source"],
        "_status": "completed" if error is None else "failed",
        "_reason": None if error is None else error["reason"],
        "_message": None if error is None else error["message"],
        _MONEY: entry["cost_usd"],
        "_input_tokens": None if usage is None else usage["input_tokens"],
        "_output_tokens": None if usage is None else usage["output_tokens"],
    }
    if error is not None:
        return row
    citations = entry["citations"]
    by_path = citations if isinstance(citations, dict) else {} if citations is None else {"": citations}
    for path, value in _leaves(entry["result"], ""):
        name = path or "result"
        row[name] = value
        if path in by_path:
            row |= _place(name, by_path[path])
    return row


def column_types(entries: Iterable[BatchResult[Any]]) -> dict[str, ColumnType]:
    """The columns of all rows, in the order in which they first appear, with what fits every value."""
    found: dict[str, ColumnType | None] = {}
    for entry in entries:
        for name, value in flat(entry).items():
            found[name] = _wider(found.get(name), value)
    return {name: kind or ColumnType.TEXT for name, kind in found.items()} | (
        {_MONEY: ColumnType.MONEY} if _MONEY in found else {}
    )


def _wider(known: ColumnType | None, value: object) -> ColumnType | None:
    match value:
        case None:
            return known
        case bool():
            kind = ColumnType.BOOLEAN
        case int() if -_LARGEST <= value < _LARGEST:
            kind = ColumnType.INTEGER
        case float():
            kind = ColumnType.NUMBER
        case _:
            kind = ColumnType.TEXT
    if known is None or known is kind:
        return kind
    both = {known, kind}
    return ColumnType.NUMBER if both == {ColumnType.INTEGER, ColumnType.NUMBER} else ColumnType.TEXT


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Every value that holds no others, with paths as citations have them; empty ones as JSON."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _leaves(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}[{index}]")
    else:
        yield path, json.dumps(value) if isinstance(value, (dict, list)) else value


def _place(name: str, citations: list[Citation]) -> dict[str, object]:
    """The best of a field's citations: a verified one if there is one."""
    best = next((each for each in citations if each.verified), citations[0] if citations else None)
    return {
        f"{name}:page": None if best is None else best.start_page,
        f"{name}:text": None if best is None else best.cited_text,
        f"{name}:verified": best is not None and best.verified,
        f"{name}:match": None if best is None or best.match is None else best.match.value,
    }
