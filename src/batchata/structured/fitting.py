"""A schema in the words that a provider's subset has; what it has no words for goes into the description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from batchata.structured.walking import Definitions, named, reached, references, resolved
from batchata.types import JsonObject

_STRUCTURE = frozenset(
    {"$defs", "$ref", "anyOf", "oneOf", "allOf", "properties", "required", "additionalProperties", "items"}
    | {"prefixItems", "description", "discriminator", "title", "type", "enum", "const"}
)
_INEXPRESSIBLE = frozenset(
    {"not", "if", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "$dynamicRef"}
)
_HARD_PATTERN = re.compile(r"\(\?(?!:)|\\[\dbBAZpPkK]|[*+?}][?+]")
_TYPES = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (type(None), "null"))


class InexpressibleError(Exception):
    """The dialect has no way to say this."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A provider's subset of JSON Schema.

    Attributes:
        formats: of strings.
        bounds: keywords that limit a value, kept as they are.
        has_patterns: of strings; those with look-around and the like never are.
        has_default: the keyword.
        has_const: the keyword; else an ``enum`` of one.
        has_all_of: the keyword, without references in it.
        has_tuples: the keyword ``prefixItems``; else every place may hold what any may.
        has_open_maps: objects with any keys, whose values have a schema.
        has_long_lists: any ``minItems``; else 0 and 1 only.
        enums_are_typed: an ``enum`` has values of one type, which is said.
        requires_all: every property is required: what may be left out has to be given all the same.
    """

    formats: frozenset[str]
    bounds: frozenset[str] = frozenset()
    has_patterns: bool = True
    has_default: bool = False
    has_const: bool = True
    has_all_of: bool = False
    has_tuples: bool = False
    has_open_maps: bool = False
    has_long_lists: bool = True
    enums_are_typed: bool = True
    requires_all: bool = False


@dataclass(frozen=True, slots=True)
class Fitter:
    """Fits the parts of one schema.

    Attributes:
        writes_out: whether references with words beside them are replaced by what they mean, where that has an end.
    """

    rules: Rules
    definitions: Definitions
    writes_out: bool = True

    def root(self, schema: JsonObject) -> JsonObject:
        """The whole schema. Raises ``InexpressibleError`` where the dialect has no way to say it."""
        fitted = self.fit(resolved(schema, self.definitions))
        if used := self._used(fitted):
            fitted["$defs"] = {name: self.fit(self.definitions[name]) for name in sorted(used)}
        return fitted

    def _used(self, fitted: JsonObject) -> set[str]:
        """Names of the parts that a fitted schema still needs."""
        used: set[str] = set()
        fresh = references(fitted)
        while fresh:
            used |= fresh
            fresh = set().union(*(references(self.fit(self.definitions[name])) for name in fresh)) - used
        return used

    def fit(self, schema: JsonObject) -> JsonObject:
        if _INEXPRESSIBLE & schema.keys():
            raise InexpressibleError
        if isinstance(schema.get("type"), list):
            kinds = cast("list[str]", schema["type"])
            return {"anyOf": [self.fit({**schema, "type": kind}) for kind in kinds]}
        if "$ref" in schema:
            return self._reference(schema)
        fitted, notes = self._values(schema)
        fitted |= self._branches(schema)
        notes += [f"{key}: {value}" for key, value in schema.items() if self._is_lost(key, value)]
        match fitted.get("type"):
            case "object":
                self._object(schema, fitted)
            case "array":
                notes = self._array(schema, fitted, notes)
            case "string":
                notes = self._string(schema, fitted, notes)
            case None if not fitted.keys() & {"anyOf", "allOf", "enum", "const"}:
                raise InexpressibleError  # anything at all
        words = [str(schema["description"])] if "description" in schema else []
        words += [f"({'; '.join(notes)})"] if notes else []
        return {**fitted, "description": " ".join(words)} if words else fitted

    def _is_lost(self, key: str, value: object) -> bool:
        """Whether a keyword has to be said in words."""
        if key == "default":
            return not self.rules.has_default and value is not None
        return key not in _STRUCTURE and key not in self.rules.bounds

    def _reference(self, schema: JsonObject) -> JsonObject:
        """A reference stands alone; with words of its own beside it, it is written out, or they stand around it."""
        bare: JsonObject = {"$ref": schema["$ref"]}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if not any(key == "description" or self._is_lost(key, value) for key, value in beside.items()):
            return bare
        name = named(schema["$ref"])
        if self.writes_out and name not in reached({name}, self.definitions):
            return self.fit(resolved(schema, self.definitions))
        return self.fit({**beside, "anyOf": [bare]})

    def _values(self, schema: JsonObject) -> tuple[JsonObject, list[str]]:
        """Title, type, the values that are allowed and their bounds; and what of it has to be said in words."""
        kept = {"title", "type", "enum", "const", *self.rules.bounds} | (
            {"default"} if self.rules.has_default else set()
        )
        fitted: JsonObject = {key: value for key, value in schema.items() if key in kept}
        if "const" in fitted and not self.rules.has_const:
            fitted["enum"] = [fitted.pop("const")]
        if "enum" not in fitted or not self.rules.enums_are_typed:
            return fitted, []
        allowed = cast("list[object]", fitted.pop("enum"))
        by_type: dict[str, list[object]] = {}
        for value in allowed:
            by_type.setdefault(_type_of(value), []).append(value)
        branches = [_enum(kind, values) for kind, values in by_type.items()]
        fitted.pop("type", None)
        fitted |= branches[0] if len(branches) == 1 else {"anyOf": branches}
        is_one_truth = list(by_type) == ["boolean"] and len(allowed) == 1
        return fitted, [f"always {str(allowed[0]).lower()}"] if is_one_truth else []

    def _branches(self, schema: JsonObject) -> JsonObject:
        """What the schema says by alternatives."""
        fitted: JsonObject = {}
        for source, target in (("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")):
            if source in schema:
                fitted[target] = [self.fit(branch) for branch in cast("list[JsonObject]", schema[source])]
        every = cast("list[JsonObject]", fitted.get("allOf", []))
        if every and (not self.rules.has_all_of or any("$ref" in branch for branch in every)):
            raise InexpressibleError
        return fitted

    def _object(self, schema: JsonObject, fitted: JsonObject) -> None:
        others = schema.get("additionalProperties", False)
        if others is not False and (not self.rules.has_open_maps or not isinstance(others, dict) or not others):
            raise InexpressibleError  # any key, or anything at all under it
        properties = cast("dict[str, JsonObject]", schema.get("properties", {}))
        fitted["properties"] = {name: self.fit(each) for name, each in properties.items()}
        fitted["required"] = list(properties) if self.rules.requires_all else schema.get("required", [])
        fitted["additionalProperties"] = self.fit(others) if isinstance(others, dict) else False

    def _array(self, schema: JsonObject, fitted: JsonObject, notes: list[str]) -> list[str]:
        """Fit the items; of a tuple, where need be, allow every position what any position may hold."""
        prefix = [self.fit(each) for each in cast("list[JsonObject]", schema.get("prefixItems", []))]
        rest = [self.fit(cast("JsonObject", schema["items"]))] if isinstance(schema.get("items"), dict) else []
        if not prefix and not rest:
            raise InexpressibleError
        if prefix and self.rules.has_tuples:
            fitted["prefixItems"] = prefix
            fitted |= {"items": rest[0]} if rest else {}
            return notes
        kinds: list[JsonObject] = []
        for kind in [*prefix, *rest]:
            if kind not in kinds:
                kinds.append(kind)
        fitted["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        if prefix:
            sources = cast("list[JsonObject]", schema["prefixItems"])
            order = ", ".join(str(each.get("title") or each.get("type") or "value") for each in sources)
            notes = [f"in this order: {order}", *notes]
        if self.rules.has_long_lists or "minItems" not in schema:
            return notes
        fitted["minItems"] = min(1, cast("int", schema["minItems"]))
        return (
            [note for note in notes if not note.startswith("minItems:")] if schema["minItems"] in {0, 1} else notes
        )

    def _string(self, schema: JsonObject, fitted: JsonObject, notes: list[str]) -> list[str]:
        if schema.get("format") in self.rules.formats:
            fitted["format"] = schema["format"]
            notes = [note for note in notes if not note.startswith("format:")]
        pattern = schema.get("pattern")
        if self.rules.has_patterns and isinstance(pattern, str) and not _HARD_PATTERN.search(pattern):
            fitted["pattern"] = pattern
            notes = [note for note in notes if not note.startswith("pattern:")]
        return notes


def _type_of(value: object) -> str:
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    raise InexpressibleError  # a list or an object among the allowed values


def _enum(kind: str, values: list[object]) -> JsonObject:
    """Some values of one type; of truth values and nothing, the type alone."""
    return {"type": kind} if kind in {"boolean", "null"} else {"type": kind, "enum": values}
