"""Ways through a JSON Schema as Pydantic writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from batchata.types import JsonObject

Definitions = dict[str, JsonObject]


def definitions_of(schema: JsonObject) -> Definitions:
    """The named parts of a schema."""
    return cast("Definitions", schema.get("$defs", {}))


def named(reference: object) -> str:
    """The name in ``#/$defs/NAME``."""
    return str(reference).rpartition("/")[2]


def nodes(schema: object) -> Iterator[JsonObject]:
    """Every schema inside a schema; values that merely look like one (defaults, enums) are passed over."""
    if isinstance(schema, list):
        for each in schema:
            yield from nodes(each)
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("properties", "$defs"):
        yield from nodes(list(cast("JsonObject", schema.get(key, {})).values()))
    for key in ("anyOf", "oneOf", "allOf", "prefixItems", "items", "additionalProperties"):
        yield from nodes(schema.get(key))


def references(schema: JsonObject) -> set[str]:
    """Names of the parts that a schema refers to."""
    return {named(node["$ref"]) for node in nodes(schema) if isinstance(node.get("$ref"), str)}


def recursive(definitions: Definitions) -> frozenset[str]:
    """Names of the parts that lead back to themselves."""
    return frozenset(name for name in definitions if name in reached({name}, definitions))


def reached(names: set[str], definitions: Definitions) -> set[str]:
    """Names of all parts that these parts refer to, at any depth."""
    found: set[str] = set()
    fresh = {each for name in names for each in references(definitions.get(name, {}))}
    while fresh:
        found |= fresh
        fresh = {each for name in fresh for each in references(definitions.get(name, {}))} - found
    return found


def resolved(schema: JsonObject, definitions: Definitions) -> JsonObject:
    """The schema behind a reference, under the description that stands beside the reference."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    beside: JsonObject = {key: schema[key] for key in ("description", "default") if key in schema}
    return {**resolved(definitions[named(reference)], definitions), **beside}


def depth(schema: JsonObject, definitions: Definitions, seen: frozenset[str] = frozenset()) -> int:
    """How many objects and lists stand in one another at most; a part that leads back to itself counts once."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = named(reference)
        return 0 if name in seen else depth(definitions.get(name, {}), definitions, seen | {name})
    inside = [*cast("JsonObject", schema.get("properties", {})).values(), schema.get("items")]
    inside += [*cast("list[object]", schema.get("prefixItems", [])), schema.get("additionalProperties")]
    deepest = max((depth(each, definitions, seen) for each in inside if isinstance(each, dict)), default=0)
    is_level = schema.get("type") in {"object", "array"}
    branches = [
        each for key in ("anyOf", "oneOf", "allOf") for each in cast("list[JsonObject]", schema.get(key, []))
    ]
    return max([deepest + is_level, *(depth(each, definitions, seen) for each in branches)])
