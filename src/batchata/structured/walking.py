"""Ways through a JSON Schema as Pydantic writes it."""

from __future__ import annotations

import functools
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
    """The schema behind a reference, under what stands beside the reference."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    beside: JsonObject = {key: value for key, value in schema.items() if key != "$ref"}
    return {**resolved(definitions[named(reference)], definitions), **beside}


def written_out(schema: JsonObject, definitions: Definitions, known: dict[str, int] | None = None) -> int:
    """How many schemas stand in a schema once every reference with something beside it is replaced by what it means.

    A part that leads back to itself has no end, and counts once.
    """
    sizes = {} if known is None else known
    total = 0
    for node in nodes(schema):
        total += 1
        if "$ref" in node and len(node) > 1:
            name = named(node["$ref"])
            if name not in sizes:
                sizes[name] = 0
                sizes[name] = written_out(definitions.get(name, {}), definitions, sizes)
            total += sizes[name]
    return total


def unrolled(
    schema: JsonObject, definitions: Definitions, *, by_count: bool, known: dict[str, int] | None = None
) -> int:
    """How many schemas stand in a schema without recursion; ``by_count``: in a list, as often as its bounds allow."""
    sizes = {} if known is None else known
    size_of = functools.partial(unrolled, definitions=definitions, by_count=by_count, known=sizes)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = named(reference)
        if name not in sizes:
            sizes[name] = size_of(definitions.get(name, {}))
        return sizes[name]
    inside = [*cast("JsonObject", schema.get("properties", {})).values(), schema.get("additionalProperties")]
    inside += [each for key in ("anyOf", "prefixItems") for each in cast("list[object]", schema.get(key, []))]
    total = 1 + sum(size_of(each) for each in inside if isinstance(each, dict))
    items = schema.get("items")
    if not isinstance(items, dict):
        return total
    places = cast("int", schema.get("maxItems", schema.get("minItems", 1)))
    return total + (places if by_count else 1) * size_of(items)


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
