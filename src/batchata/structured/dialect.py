"""A schema fitted to the subset that a provider enforces.

Anthropic's rules: https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from batchata.types import JsonObject, SchemaDialect

_MAX_OPTIONAL = 24
_MAX_UNIONS = 16
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)
_KEPT = ("title", "type", "enum", "const", "default")
_STRUCTURE = frozenset(
    {"$defs", "$ref", "anyOf", "oneOf", "allOf", "properties", "required", "additionalProperties", "items"}
    | {"prefixItems", "description", "discriminator", *_KEPT}
)
_INEXPRESSIBLE = frozenset(
    {"not", "if", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "$dynamicRef"}
)
_HARD_PATTERN = re.compile(r"\(\?(?!:)|\\[\dbBAZpPkK]|[*+?}][?+]")


class _InexpressibleError(Exception):
    """The dialect has no way to say this."""


def for_dialect(schema: JsonObject, dialect: SchemaDialect) -> JsonObject | None:
    """The schema as the provider takes it, or ``None`` if its dialect cannot express it: then ask in words.

    What is not an object at the root is wrapped as ``{"value": …}``; ``read`` unwraps it. Constraints that the
    dialect lacks are moved into the description, so the answer must be validated again by the model.
    """
    wrapped = schema if is_object(schema) else _wrapped(schema)
    match dialect:
        case SchemaDialect.PLAIN:
            return wrapped
        case SchemaDialect.ANTHROPIC:
            return _for_anthropic(wrapped)


def is_object(schema: JsonObject) -> bool:
    """Whether the schema's root is an object, also through a reference."""
    seen: set[str] = set()
    root = schema
    while isinstance(reference := root.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        root = _definitions(schema).get(reference.rpartition("/")[2], {})
    return root.get("type") == "object"


def _wrapped(schema: JsonObject) -> JsonObject:
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    outer: JsonObject = {"type": "object", "properties": {"value": inner}, "required": ["value"]}
    outer["additionalProperties"] = False
    return {**outer, "$defs": schema["$defs"]} if "$defs" in schema else outer


def _definitions(schema: JsonObject) -> dict[str, JsonObject]:
    return cast("dict[str, JsonObject]", schema.get("$defs", {}))


# --- Anthropic ---------------------------------------------------------------------------------------


def _for_anthropic(schema: JsonObject) -> JsonObject | None:
    definitions = _definitions(schema)
    if _recursive(definitions):
        return None
    root = {key: value for key, value in schema.items() if key != "$defs"}
    try:
        fitted = _fit(_resolved(root, definitions), definitions)
        if used := _used(fitted, definitions):
            fitted["$defs"] = {name: _fit(definitions[name], definitions) for name in sorted(used)}
    except _InexpressibleError:
        return None
    nodes = list(_nodes(fitted))
    optional = sum(
        len(cast("JsonObject", node["properties"])) - len(cast("list[str]", node.get("required", [])))
        for node in nodes
        if "properties" in node
    )
    unions = sum("anyOf" in node for node in nodes)
    return fitted if optional <= _MAX_OPTIONAL and unions <= _MAX_UNIONS else None


def _resolved(schema: JsonObject, definitions: dict[str, JsonObject]) -> JsonObject:
    """The schema behind a reference, under the description that stands beside the reference."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    beside: JsonObject = {key: schema[key] for key in ("description", "default") if key in schema}
    return {**_resolved(definitions[reference.rpartition("/")[2]], definitions), **beside}


def _recursive(definitions: dict[str, JsonObject]) -> bool:
    done: set[str] = set()

    def returns(name: str, path: frozenset[str]) -> bool:
        if name in path:
            return True
        if name in done or name not in definitions:
            return False
        found = any(returns(each, path | {name}) for each in _references(definitions[name]))
        done.add(name)
        return found

    return any(returns(name, frozenset()) for name in definitions)


def _references(schema: JsonObject) -> set[str]:
    return {node["$ref"].rpartition("/")[2] for node in _nodes(schema) if isinstance(node.get("$ref"), str)}  # type: ignore[attr-defined]  # checked in the condition


def _used(schema: JsonObject, definitions: dict[str, JsonObject]) -> set[str]:
    """Names of the definitions that a fitted schema still needs."""
    used: set[str] = set()
    fresh = _references(schema)
    while fresh:
        used |= fresh
        fresh = set().union(*(_references(_fit(definitions[name], definitions)) for name in fresh)) - used
    return used


def _nodes(schema: object) -> Iterator[JsonObject]:
    """Every schema inside a schema; values that merely look like one (defaults, enums) are passed over."""
    if isinstance(schema, list):
        for each in schema:
            yield from _nodes(each)
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("properties", "$defs"):
        yield from _nodes(list(cast("JsonObject", schema.get(key, {})).values()))
    for key in ("anyOf", "oneOf", "allOf", "prefixItems", "items", "additionalProperties"):
        yield from _nodes(schema.get(key))


def _fit(schema: JsonObject, definitions: dict[str, JsonObject]) -> JsonObject:
    if _INEXPRESSIBLE & schema.keys():
        raise _InexpressibleError
    if isinstance(schema.get("type"), list):
        kinds = cast("list[str]", schema["type"])
        return {"anyOf": [_fit({**schema, "type": kind}, definitions) for kind in kinds]}
    if "$ref" in schema:
        # A reference stands alone; with words of its own beside it, it is written out.
        described = "description" in schema
        return _fit(_resolved(schema, definitions), definitions) if described else {"$ref": schema["$ref"]}
    fitted = {key: schema[key] for key in _KEPT if key in schema} | _branches(schema, definitions)
    notes = [f"{key}: {value}" for key, value in schema.items() if key not in _STRUCTURE]
    match fitted.get("type"):
        case "object":
            _fit_object(schema, fitted, definitions)
        case "array":
            notes = _fit_array(schema, fitted, definitions, notes)
        case "string":
            notes = _fit_string(schema, fitted, notes)
        case None if not fitted.keys() & {"anyOf", "allOf", "enum", "const"}:
            raise _InexpressibleError  # anything at all
    words = [str(schema["description"])] if "description" in schema else []
    words += [f"({'; '.join(notes)})"] if notes else []
    return {**fitted, "description": " ".join(words)} if words else fitted


def _branches(schema: JsonObject, definitions: dict[str, JsonObject]) -> JsonObject:
    """What the schema says by alternatives."""
    fitted: JsonObject = {}
    for source, target in (("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")):
        if source in schema:
            fitted[target] = [_fit(branch, definitions) for branch in cast("list[JsonObject]", schema[source])]
    if any("$ref" in branch for branch in cast("list[JsonObject]", fitted.get("allOf", []))):
        raise _InexpressibleError
    return fitted


def _fit_object(schema: JsonObject, fitted: JsonObject, definitions: dict[str, JsonObject]) -> None:
    if schema.get("additionalProperties", False) is not False:
        raise _InexpressibleError  # any key
    properties = cast("dict[str, JsonObject]", schema.get("properties", {}))
    fitted["properties"] = {name: _fit(each, definitions) for name, each in properties.items()}
    fitted["required"] = schema.get("required", [])
    fitted["additionalProperties"] = False


def _fit_array(
    schema: JsonObject, fitted: JsonObject, definitions: dict[str, JsonObject], notes: list[str]
) -> list[str]:
    """Fit the items; of a tuple, allow every position what any position may hold."""
    prefix = cast("list[JsonObject]", schema.get("prefixItems", []))
    rest = cast("list[JsonObject]", [schema["items"]] if isinstance(schema.get("items"), dict) else [])
    kinds: list[JsonObject] = []
    for each in (*prefix, *rest):
        kind = _fit(each, definitions)
        if kind not in kinds:
            kinds.append(kind)
    if not kinds:
        raise _InexpressibleError
    fitted["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if prefix:
        order = ", ".join(str(each.get("title") or each.get("type") or "value") for each in prefix)
        notes = [f"in this order: {order}", *notes]
    if schema.get("minItems") in {0, 1}:
        fitted["minItems"] = schema["minItems"]
        notes = [note for note in notes if not note.startswith("minItems:")]
    elif "minItems" in schema:
        fitted["minItems"] = 1
    return notes


def _fit_string(schema: JsonObject, fitted: JsonObject, notes: list[str]) -> list[str]:
    if schema.get("format") in _FORMATS:
        fitted["format"] = schema["format"]
        notes = [note for note in notes if not note.startswith("format:")]
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _HARD_PATTERN.search(pattern):
        fitted["pattern"] = pattern
        notes = [note for note in notes if not note.startswith("pattern:")]
    return notes
