"""The subset of JSON schema that Anthropic's schema mode takes (reference: providers.md 1.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.wire.answers import JsonObject

MAX_OPTIONAL = 24
MAX_UNIONS = 16

_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_COMMON = {"title", "description", "default", "$defs", "definitions"}
_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format", "pattern"},
    "integer": set[str](),
    "number": set[str](),
    "boolean": set[str](),
    "null": set[str](),
}


class SchemaRefusedError(ValueError):
    """The schema is outside the subset; the message is what the server says."""


def check_schema(schema: object) -> None:
    if not isinstance(schema, dict):
        raise SchemaRefusedError("output_config.format.schema: Input should be an object")
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    _refuse_recursion(definitions)
    optional = unions = 0
    for node in _nodes(schema):
        _check_node(node, definitions)
        optional += len(set(node.get("properties", {})) - set(node.get("required", [])))
        unions += "anyOf" in node or isinstance(node.get("type"), list)
    if optional > MAX_OPTIONAL:
        raise SchemaRefusedError(
            f"Schemas contains too many optional parameters ({optional}), which would make grammar compilation "
            f"inefficient. Reduce the number of optional parameters in your tool schemas (limit: {MAX_OPTIONAL})."
        )
    if unions > MAX_UNIONS:
        raise SchemaRefusedError(
            f"Schemas contains too many parameters with union types ({unions}). (limit: {MAX_UNIONS})."
        )


def _nodes(node: JsonObject) -> Iterator[JsonObject]:
    yield node
    below: list[Any] = [*node.get("anyOf", []), *node.get("allOf", [])]
    below += [child for key in ("properties", "$defs", "definitions") for child in node.get(key, {}).values()]
    below += [node["items"]] if "items" in node else []
    for child in below:
        if not isinstance(child, dict):
            raise SchemaRefusedError(f"output_config.format.schema: {child!r} is not a schema")
        yield from _nodes(child)


def _check_node(node: JsonObject, definitions: JsonObject) -> None:
    if "$ref" in node:
        _check_ref(node, definitions)
        return
    combined = {"anyOf", "allOf", "enum", "const"} & node.keys()
    declared = node.get("type")
    if declared is None and not combined:
        raise SchemaRefusedError("output_config.format.schema: no type, anyOf, allOf, enum or const")
    types = declared if isinstance(declared, list) else [declared] if declared is not None else []
    allowed = _COMMON | {"type", "anyOf", "allOf", "enum", "const"}
    for name in types:
        if name not in _BY_TYPE:
            raise SchemaRefusedError(f"output_config.format.schema: unknown type {name!r}")
        allowed = allowed | _BY_TYPE[name]
    for key in sorted(node.keys() - allowed):
        kind = types[0] if types else "any"
        raise SchemaRefusedError(
            f"output_config.format.schema: For '{kind}' type, property '{key}' is not supported"
        )
    _check_values(node, types)


def _check_ref(node: JsonObject, definitions: JsonObject) -> None:
    target = _target(node["$ref"])
    if target not in definitions:
        raise SchemaRefusedError(f"output_config.format.schema: Invalid $ref {node['$ref']!r}")
    for key in sorted(node.keys() - _COMMON - {"$ref"}):
        raise SchemaRefusedError(f"output_config.format.schema: property '{key}' is not supported beside $ref")


def _check_values(node: JsonObject, types: list[str]) -> None:
    if "object" in types and node.get("additionalProperties") is not False:
        raise SchemaRefusedError(
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
        )
    unknown = set(node.get("required", [])) - set(node.get("properties", {}))
    if unknown:
        raise SchemaRefusedError(f"output_config.format.schema: required names no property: {sorted(unknown)}")
    if node.get("minItems", 0) not in {0, 1}:
        raise SchemaRefusedError(
            "output_config.format.schema: For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        )
    if "format" in node and node["format"] not in _FORMATS:
        raise SchemaRefusedError(f"output_config.format.schema: string format {node['format']!r} is not supported")
    primitives = (str, int, float, bool, type(None))
    if not all(isinstance(value, primitives) for value in node.get("enum", [])):
        raise SchemaRefusedError("output_config.format.schema: enum values must be primitive")
    if any("$ref" in branch for branch in node.get("allOf", [])):
        raise SchemaRefusedError("output_config.format.schema: allOf with $ref is not supported")


def _target(ref: str) -> str:
    return ref.removeprefix("#/$defs/").removeprefix("#/definitions/")


def _refuse_recursion(definitions: JsonObject) -> None:
    reaches = {name: set(_references(definition)) for name, definition in definitions.items()}
    for name in definitions:
        seen: set[str] = set()
        todo = list(reaches[name])
        while todo:
            at = todo.pop()
            if at == name:
                raise SchemaRefusedError(
                    f"Invalid schema: Circular reference detected in schema definitions: {name} -> {name}. "
                    "Self-referencing or mutually-referencing definitions are not supported."
                )
            if at not in seen:
                seen.add(at)
                todo += reaches.get(at, ())


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield _target(value["$ref"])
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)
