"""A JSON Schema for decoding: the same answers, without the ways in which a small model never comes to an end."""

from __future__ import annotations

from typing import Any

_FINEST_STEP = 1e-6
_MAX_ITEMS = 50


def bounded(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with no fields beyond the named ones, numbers of six decimals at most, and lists that end."""
    changed: dict[str, Any] = {key: _bounded(value) for key, value in schema.items()}
    if schema.get("properties") and "additionalProperties" not in schema:
        changed["additionalProperties"] = False
    if schema.get("type") == "number" and "multipleOf" not in schema:
        changed["multipleOf"] = _FINEST_STEP
    if schema.get("type") == "array" and "maxItems" not in schema:
        changed["maxItems"] = max(_MAX_ITEMS, int(schema.get("minItems", 0)))
    return changed


def _bounded(value: Any) -> Any:
    if isinstance(value, dict):
        return bounded(value)
    if isinstance(value, list):
        return [_bounded(item) for item in value]
    return value
