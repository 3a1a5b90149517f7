"""The numbers and dates of a text that may be the value of a leaf. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from batchata.notation import dates, numbers
from batchata.providers.local.layout import Kind, Leaf
from batchata.providers.local.reading import Place

_DATES = frozenset({Kind.DATE, Kind.DATE_TIME})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number or date: what it means as JSON text, and where it stands."""

    json_text: str
    places: tuple[Place, ...]


def candidates(leaf: Leaf, text: str) -> dict[str, Candidate]:
    """What stands in the text and fits the leaf, by how it is written, in the order of the text."""
    tokens: Sequence[Any] = dates(text) if leaf.kind in _DATES else numbers(text)
    found: dict[str, Candidate] = {}
    for token in tokens:
        fitting = [value for value in token.values if _fits(leaf, value)]
        if not fitting or "\n" in token.text:
            continue
        known = found.get(token.text)
        places = (*(known.places if known else ()), Place(token.start, token.end))
        found[token.text] = Candidate(_json_text(leaf, fitting[0]), places)
    return found


def same_value(json_text: str, other: object) -> bool:
    """Whether a candidate means the value, which may be a number or a string of one."""
    value = json.loads(json_text)
    if _is_number(str(value)) and _is_number(str(other)):
        return Decimal(str(value)) == Decimal(str(other))
    return str(value) == str(other)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def _fits(leaf: Leaf, value: Decimal | date) -> bool:
    if isinstance(value, date):
        return True
    if leaf.kind is Kind.INTEGER and value != value.to_integral_value():
        return False
    return (leaf.low is None or value >= leaf.low) and (leaf.high is None or value <= leaf.high)


def _json_text(leaf: Leaf, value: Decimal | date) -> str:
    if isinstance(value, date):
        return json.dumps(value.isoformat() + ("T00:00:00" if leaf.kind is Kind.DATE_TIME else ""))
    if leaf.kind is Kind.INTEGER:
        return str(int(value))
    written = format(value, "f")
    return json.dumps(written) if leaf.as_string else written
