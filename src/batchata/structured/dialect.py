"""A schema fitted to the subset that a provider enforces."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from batchata.structured.fitting import Fitter, InexpressibleError, Rules
from batchata.structured.walking import definitions_of, depth, named, nodes, recursive, unrolled, written_out
from batchata.types import JsonObject, SchemaDialect

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})

_ANTHROPIC = Rules(
    formats=_FORMATS | {"uri"}, has_default=True, has_all_of=True, has_long_lists=False, enums_are_typed=False
)
"""https://platform.claude.com/docs/en/build-with-claude/structured-outputs"""
_ANTHROPIC_OPTIONAL = 24
_ANTHROPIC_UNIONS = 16

_OPENAI = Rules(
    formats=_FORMATS,
    bounds=frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
    | {"minItems", "maxItems"},
    requires_all=True,
)
"""https://developers.openai.com/api/docs/guides/structured-outputs"""
_OPENAI_PROPERTIES = 5_000
_OPENAI_LEVELS = 10
_OPENAI_LETTERS = 120_000
_OPENAI_VALUES = 1_000
_OPENAI_LONG_ENUM = 250
_OPENAI_LONG_ENUM_LETTERS = 15_000

_GEMINI = Rules(
    formats=frozenset({"date-time", "date", "time"}),
    bounds=frozenset({"minimum", "maximum", "minItems", "maxItems"}),
    has_patterns=False,
    has_const=False,
    has_tuples=True,
    has_open_maps=True,
)
"""https://ai.google.dev/gemini-api/docs/structured-output"""
_GEMINI_WITHOUT_COUNTS = replace(_GEMINI, bounds=_GEMINI.bounds - {"minItems", "maxItems"}, has_long_lists=False)
_GEMINI_UNROLLED = 240
"""Gemini writes lists with a limit out, place by place, and refuses what grows too long without saying so, seen from a
sum of about 960 on (github.com/googleapis/python-genai/issues/2170) and with objects in the lists sooner. Far below
that, the limits are said in words instead."""

_ABSURD = 1_000
"""Schemas in a schema, from which on what is used in several places stands there once."""


def for_dialect(schema: JsonObject, dialect: SchemaDialect) -> JsonObject | None:
    """The schema as the provider takes it, or ``None`` if its dialect cannot express it: then ask in words.

    What is not an object at the root is wrapped as ``{"value": …}``; ``read`` unwraps it. Constraints that the
    dialect lacks are moved into the description, so the answer must be validated again by the model.
    """
    wrapped = schema if is_object(schema) else _wrapped(schema)
    try:
        match dialect:
            case SchemaDialect.PLAIN:
                return wrapped
            case SchemaDialect.ANTHROPIC:
                return _for_anthropic(wrapped)
            case SchemaDialect.OPENAI:
                return _for_openai(wrapped)
            case SchemaDialect.GEMINI:
                return _for_gemini(wrapped)
    except InexpressibleError:
        return None


def is_object(schema: JsonObject) -> bool:
    """Whether the schema's root is an object, also through a reference."""
    seen: set[str] = set()
    root = schema
    while isinstance(reference := root.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        root = definitions_of(schema).get(named(reference), {})
    return root.get("type") == "object"


def _wrapped(schema: JsonObject) -> JsonObject:
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    outer: JsonObject = {"type": "object", "properties": {"value": inner}, "required": ["value"]}
    outer["additionalProperties"] = False
    return {**outer, "$defs": schema["$defs"]} if "$defs" in schema else outer


def _fitted(schema: JsonObject, rules: Rules, *, may_recur: bool = False) -> JsonObject:
    definitions = definitions_of(schema)
    if not may_recur and recursive(definitions):
        raise InexpressibleError
    root = {key: value for key, value in schema.items() if key != "$defs"}
    sizes: dict[str, int] = {}
    size = sum(written_out(each, definitions, sizes) for each in (root, *definitions.values()))
    return Fitter(rules, definitions, writes_out=size <= _ABSURD).root(root)


def _for_gemini(schema: JsonObject) -> JsonObject:
    fitted = _fitted(schema, _GEMINI)
    many, once = (unrolled(fitted, definitions_of(fitted), by_count=by_count) for by_count in (True, False))
    return fitted if many - once <= _GEMINI_UNROLLED else _fitted(schema, _GEMINI_WITHOUT_COUNTS)


def _for_anthropic(schema: JsonObject) -> JsonObject:
    fitted = _fitted(schema, _ANTHROPIC)
    every = list(nodes(fitted))
    optional = sum(
        len(cast("JsonObject", node["properties"])) - len(cast("list[str]", node.get("required", [])))
        for node in every
        if "properties" in node
    )
    if optional > _ANTHROPIC_OPTIONAL or sum("anyOf" in node for node in every) > _ANTHROPIC_UNIONS:
        raise InexpressibleError
    return fitted


def _for_openai(schema: JsonObject) -> JsonObject:
    fitted = _fitted(schema, _OPENAI, may_recur=True)
    every = list(nodes(fitted))
    names = [name for node in every for name in cast("JsonObject", node.get("properties", {}))]
    enums = [cast("list[object]", node["enum"]) for node in every if "enum" in node]
    letters = sum(map(len, names)) + sum(map(len, definitions_of(fitted)))
    letters += sum(len(str(value)) for values in enums for value in values)
    has_long_enum = any(
        len(values) > _OPENAI_LONG_ENUM and sum(len(str(value)) for value in values) > _OPENAI_LONG_ENUM_LETTERS
        for values in enums
    )
    if (
        has_long_enum
        or len(names) > _OPENAI_PROPERTIES
        or letters > _OPENAI_LETTERS
        or sum(map(len, enums)) > _OPENAI_VALUES
        or depth(fitted, definitions_of(fitted)) > _OPENAI_LEVELS
    ):
        raise InexpressibleError
    return fitted
