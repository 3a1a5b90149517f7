"""JSON that loses nothing: text with half a surrogate pair, and integers of any length."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson


def to_json(value: object) -> bytes:
    """One line. Dataclasses become objects, ``Decimal`` becomes text."""
    try:
        return orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError:
        # Names of files, and what models write, may hold half a surrogate pair; numbers may pass 64 bits.
        return json.dumps(value, default=_plain, separators=(",", ":")).encode("ascii")


def to_json_around(value: dict[str, object], key: str, text: str) -> bytes:
    """``to_json`` of an object of which one value is JSON already; its key is there."""
    value[key] = orjson.Fragment(text)
    try:
        return orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError:
        value[key] = json.loads(text)
        return to_json(value)


def from_json(text: bytes | str) -> Any:
    """Raises ``ValueError`` for what is not JSON."""
    # Not orjson: it makes a float of an integer of more than 64 bits, without a word.
    import pydantic_core  # noqa: PLC0415  # imported where first used

    try:
        return pydantic_core.from_json(text)
    except ValueError:
        return json.loads(text)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {spec.name: getattr(value, spec.name) for spec in fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")
