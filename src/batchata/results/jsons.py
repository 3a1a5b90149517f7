"""JSON that loses nothing: text with half a surrogate pair, and integers of any length."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson


class Embedded:
    """JSON that stands in other JSON as it is."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def to_json(value: object) -> bytes:
    """One line. Dataclasses become objects, ``Decimal`` becomes text."""
    try:
        return orjson.dumps(value, default=_for_orjson)
    except orjson.JSONEncodeError:
        # Names of files, and what models write, may hold half a surrogate pair; numbers may pass 64 bits.
        return json.dumps(value, default=_plain, separators=(",", ":")).encode("ascii")


def from_json(text: bytes | str) -> Any:
    """Raises ``ValueError`` for what is not JSON."""
    # Not orjson: it makes a float of an integer of more than 64 bits, without a word.
    import pydantic_core  # noqa: PLC0415  # imported where first used

    try:
        return pydantic_core.from_json(text)
    except ValueError:
        return json.loads(text)


def _for_orjson(value: object) -> object:
    return orjson.Fragment(value.text) if isinstance(value, Embedded) else _plain(value)


def _plain(value: object) -> object:
    match value:
        case Embedded():
            return json.loads(value.text)
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {spec.name: getattr(value, spec.name) for spec in fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")
