"""A JSON Schema as the shape of an answer: which values to ask for, in which order, of which kind. Pure.

What stands here is what can be filled in value by value from a document. A schema that needs more (free maps,
unions of objects) has no layout, and is left to plain constrained decoding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

MAX_ITEMS = 20
_DEEPEST = 12
_NUMERIC = frozenset({"number", "integer"})
_DATES = frozenset({"date", "date-time"})

Schema: TypeAlias = dict[str, Any]


class Kind(StrEnum):
    """Where the values of a leaf may come from."""

    TEXT = "text"
    """Any run of words of the document."""
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    DATE_TIME = "date-time"
    CHOICE = "choice"
    """One of the options: nothing that stands in the document."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value.

    Attributes:
        kind: where it comes from.
        options: what a choice chooses from.
        nullable: whether it may be absent.
        as_string: whether a number is written as a JSON string, which keeps its digits.
        low: smallest number allowed.
        high: largest number allowed.
    """

    kind: Kind
    options: tuple[object, ...] = ()
    nullable: bool = False
    as_string: bool = False
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that the schema itself gives."""

    value: object


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a record: its key, and what the response model says of it."""

    key: str
    description: str | None
    node: Node


@dataclass(frozen=True, slots=True)
class Record:
    """An object with known fields."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """An array; how many items there are is asked after each."""

    item: Node
    fewest: int
    most: int


Node: TypeAlias = Leaf | Fixed | Record | Items


class NoLayoutError(Exception):
    """The schema cannot be filled in value by value."""


def layout_of(schema: Schema) -> Node:
    """The layout of a whole schema. Raises ``NoLayoutError``."""
    return _node(schema, schema, 0)


def _node(schema: Schema, root: Schema, depth: int) -> Node:
    if depth > _DEEPEST:
        raise NoLayoutError("the schema is recursive")
    schema = _resolved(schema, root)
    if "const" in schema:
        return Fixed(schema["const"])
    if "enum" in schema:
        return Leaf(Kind.CHOICE, options=tuple(schema["enum"]))
    branches = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(schema.get("type"), list):
        branches = [{**schema, "type": kind} for kind in schema["type"]]
    if branches:
        return _union([_resolved(branch, root) for branch in branches], root, depth)
    builder = _BUILDERS.get(schema.get("type"))
    if builder is None:
        raise NoLayoutError(f"values of type {schema.get('type')!r}")
    return builder(schema, root, depth)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema with ``$ref`` and an ``allOf`` of one followed; what stands beside the reference wins."""
    for _ in range(_DEEPEST):
        beside = {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}
        if "$ref" in schema:
            target: Any = root
            for step in str(schema["$ref"]).removeprefix("#").split("/")[1:]:
                target = target[step.replace("~1", "/").replace("~0", "~")]
            schema = {**target, **beside}
        elif len(schema.get("allOf", ())) == 1:
            schema = {**schema["allOf"][0], **beside}
        else:
            return schema
    raise NoLayoutError("references without end")


def _truth(_schema: Schema, _root: Schema, _depth: int) -> Leaf:
    return Leaf(Kind.CHOICE, options=(True, False))


def _null(_schema: Schema, _root: Schema, _depth: int) -> Fixed:
    return Fixed(None)


def _scalar(schema: Schema, _root: Schema, _depth: int) -> Leaf:
    kind = schema["type"]
    if kind in _NUMERIC:
        low = _bound(schema, "minimum", "exclusiveMinimum")
        high = _bound(schema, "maximum", "exclusiveMaximum")
        return Leaf(Kind(kind), low=low, high=high)
    if schema.get("format") in _DATES:
        return Leaf(Kind(schema["format"]))
    return Leaf(Kind.TEXT)


def _bound(schema: Schema, inclusive: str, exclusive: str) -> Decimal | None:
    """The bound, taken as inclusive: the model's own check comes after."""
    value = schema.get(inclusive, schema.get(exclusive))
    return None if value is None else Decimal(str(value))


def _union(branches: list[Schema], root: Schema, depth: int) -> Node:
    nodes = [_node(branch, root, depth + 1) for branch in branches]
    nullable = Fixed(None) in nodes
    rest = [node for node in nodes if node != Fixed(None)]
    leaves = [node for node in rest if isinstance(node, Leaf)]
    if rest and len(leaves) == len(rest):
        return replace(_merged(leaves), nullable=nullable or any(leaf.nullable for leaf in leaves))
    if len(rest) == 1:
        # Whether a whole record or list is absent is more than the small model can judge: it is filled in.
        return rest[0]
    if rest and all(isinstance(node, Fixed) for node in rest):
        values = tuple(node.value for node in rest if isinstance(node, Fixed))
        return Leaf(Kind.CHOICE, options=values, nullable=nullable)
    raise NoLayoutError("a union of several shapes")


def _merged(leaves: list[Leaf]) -> Leaf:
    """One leaf for several: numbers also written as strings (``Decimal``), else whatever is the most general."""
    if len(leaves) == 1:
        return leaves[0]
    kinds = {leaf.kind for leaf in leaves}
    if kinds == {Kind.CHOICE}:
        return Leaf(Kind.CHOICE, options=tuple(option for leaf in leaves for option in leaf.options))
    if kinds <= {Kind.NUMBER, Kind.INTEGER}:
        return next(leaf for leaf in leaves if leaf.kind is Kind.NUMBER)
    if kinds == {Kind.NUMBER, Kind.TEXT}:
        return replace(next(leaf for leaf in leaves if leaf.kind is Kind.NUMBER), as_string=True)
    if kinds <= {Kind.DATE, Kind.DATE_TIME}:
        return Leaf(Kind.DATE)
    if Kind.TEXT in kinds and Kind.CHOICE not in kinds:
        return Leaf(Kind.TEXT)
    raise NoLayoutError("a union of " + " and ".join(sorted(kinds)))


def _record(schema: Schema, root: Schema, depth: int) -> Record:
    properties = schema.get("properties")
    if not properties:
        raise NoLayoutError("an object whose fields are not named")
    members = []
    for key, given in properties.items():
        resolved = _resolved(given, root)
        node = _node(given, root, depth + 1)
        members.append(Member(key, resolved.get("description"), node))
    return Record(tuple(members))


def _items(schema: Schema, root: Schema, depth: int) -> Items:
    if not schema.get("items") or schema.get("prefixItems"):
        raise NoLayoutError("an array whose items are not of one kind")
    fewest = int(schema.get("minItems", 0))
    most = min(int(schema.get("maxItems", MAX_ITEMS)), max(MAX_ITEMS, fewest))
    return Items(_node(schema["items"], root, depth + 1), fewest, most)


_BUILDERS: dict[object, Callable[[Schema, Schema, int], Node]] = {
    "object": _record,
    "array": _items,
    "boolean": _truth,
    "null": _null,
    "integer": _scalar,
    "number": _scalar,
    "string": _scalar,
}
