"""Schemas fitted to OpenAI's and Gemini's subsets: nothing forbidden in them, and no right answer forbidden by them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel, create_model

from batchata.structured import for_dialect, schema_of
from batchata.types import SchemaDialect
from tests.wire.openai.rules import schema_problems


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = Field(min_length=1, max_length=3)


class Address(BaseModel):
    """Where somebody lives."""

    city: str = Field(description="the town", min_length=2, max_length=40)
    zip: str = Field(pattern=r"^[0-9]{5}$")


class Order(BaseModel):
    """All that a model commonly has."""

    number: str = Field(alias="No.")
    placed: date
    shipped: datetime | None = None
    total: Decimal
    discount: float = Field(0, ge=0, lt=1)
    colour: Colour = Colour.RED
    mixed: Literal[1, "a", None, True] = 1  # noqa: PYI061  # as users write it
    is_paid: Literal[True] = True
    tags: list[str] = []
    size: tuple[int, str] = (1, "cm")
    home: Address = Field(description="the main one")
    others: list[Address] = Field(max_length=5)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    note: str | int | None = None


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Prices(BaseModel):
    by_name: dict[str, float]


class Anything(BaseModel):
    value: Any


ORDER = Order.model_validate(
    {
        "No.": "A-1",
        "placed": date(2026, 3, 5),
        "shipped": datetime(2026, 3, 6, 12, tzinfo=UTC),
        "total": Decimal("12.50"),
        "home": {"city": "Leeds", "zip": "12345"},
        "others": [{"city": "York", "zip": "54321"}],
        "pet": {"kind": "dog", "tricks": ["sit"]},
    }
)
RIGHT: list[BaseModel] = [
    ORDER,
    Cat(kind="cat", lives=9),
    Tree(name="a", children=[Tree(name="b")]),
    RootModel[list[int]]([1, 2]),
    RootModel[Cat | Dog](Dog(kind="dog", tricks=["sit", "lie"])),
    Prices(by_name={"a": 1.5}),
    Anything(value={"a": [1]}),
]


def fitted(model: type[BaseModel], dialect: SchemaDialect) -> Any:
    return for_dialect(schema_of(model), dialect)


# --- what the documents say may stand in a schema, in words of their own ----------------------------------------------


_OPENAI_WORDS = {
    *("type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs"),
    *("title", "description", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("multipleOf", "minItems", "maxItems"),
}
_GEMINI_WORDS = {
    *("$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems"),
    *("minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties"),
    *("required", "propertyOrdering"),
}


def every_schema(node: Any) -> Iterator[dict[str, Any]]:
    yield node
    for key in ("properties", "$defs"):
        for each in node.get(key, {}).values():
            yield from every_schema(each)
    for key in ("anyOf", "prefixItems"):
        for each in node.get(key, []):
            yield from every_schema(each)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from every_schema(node[key])


def openai_problems(schema: Any) -> list[str]:
    found = list(schema_problems(schema))
    for node in every_schema(schema):
        found += [f"{key!r} is no word of OpenAI's" for key in node.keys() - _OPENAI_WORDS]
    return found


def gemini_problems(schema: Any) -> list[str]:
    found = []
    for node in every_schema(schema):
        found += [f"{key!r} is no word of Gemini's" for key in node.keys() - _GEMINI_WORDS]
        if "$ref" in node and any(not key.startswith("$") for key in node):
            found.append("something beside a reference")
        if any(
            not isinstance(value, str | int | float) or isinstance(value, bool) for value in node.get("enum", [])
        ):
            found.append(f"an enum of {node['enum']}")
    return found


# --- a small JSON Schema validator: what the fitted schemas use -------------------------------------------------------


_KINDS: dict[str, type] = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool}


def accepts(schema: Any, value: Any, root: Any) -> bool:
    if "$ref" in schema:
        return accepts(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    if "anyOf" in schema and not any(accepts(branch, value, root) for branch in schema["anyOf"]):
        return False
    if ("enum" in schema and value not in schema["enum"]) or ("const" in schema and value != schema["const"]):
        return False
    return accepts_kind(schema, value, root)


def accepts_kind(schema: Any, value: Any, root: Any) -> bool:
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (kind == "number" or float(value).is_integer()) and in_bounds(schema, value)
    if kind is not None and not isinstance(value, _KINDS[kind]):
        return False
    if isinstance(value, dict):
        return accepts_object(schema, value, root)
    return not isinstance(value, list) or accepts_array(schema, value, root)


def in_bounds(schema: Any, value: float) -> bool:
    return bool(
        schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and value > schema.get("exclusiveMinimum", -math.inf)
        and value < schema.get("exclusiveMaximum", math.inf)
    )


def accepts_object(schema: Any, value: dict[str, Any], root: Any) -> bool:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not set(schema.get("required", [])) <= value.keys():
        return False
    for name, each in value.items():
        inner = properties.get(name, others)
        if inner is False or (inner is not True and not accepts(inner, each, root)):
            return False
    return True


def accepts_array(schema: Any, value: list[Any], root: Any) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
        return False
    first = schema.get("prefixItems", [])
    return all(
        accepts(first[number] if number < len(first) else schema.get("items", {}), each, root)
        for number, each in enumerate(value)
    )


def answer_of(instance: BaseModel, schema: Any) -> Any:
    value = json.loads(instance.model_dump_json(by_alias=True))
    is_wrapped = list(schema["properties"]) == ["value"] and not (
        isinstance(value, dict) and value.keys() == {"value"}
    )
    return {"value": value} if is_wrapped else value


@pytest.mark.parametrize("instance", RIGHT, ids=lambda instance: type(instance).__name__)
@pytest.mark.parametrize("dialect", [SchemaDialect.OPENAI, SchemaDialect.GEMINI])
def test_a_fitted_schema_is_legal_and_takes_the_right_answer(instance: BaseModel, dialect: SchemaDialect) -> None:
    schema = fitted(type(instance), dialect)
    if schema is None:
        return  # asked for in words: which ones are, the next tests say
    problems = openai_problems(schema) if dialect is SchemaDialect.OPENAI else gemini_problems(schema)
    assert problems == []
    assert accepts(schema, answer_of(instance, schema), schema)


def test_the_validator_refuses_what_is_wrong() -> None:
    schema = fitted(Order, SchemaDialect.OPENAI)
    right = answer_of(ORDER, schema)
    for wrong in (
        {**right, "discount": 1},
        {**right, "colour": "green"},
        {**right, "more": 1},
        {name: value for name, value in right.items() if name != "tags"},
        {**right, "pet": {"kind": "cat", "lives": 10}},
        {**right, "others": [right["home"]] * 6},
        {**right, "size": [1]},
    ):
        assert not accepts(schema, wrong, schema)


def test_what_each_dialect_cannot_say() -> None:
    for model, openai, gemini in (
        (Order, True, True),
        (Tree, True, False),  # refers to itself
        (Prices, False, True),  # any key
        (Anything, False, False),
    ):
        assert (fitted(model, SchemaDialect.OPENAI) is not None) == openai, model
        assert (fitted(model, SchemaDialect.GEMINI) is not None) == gemini, model


def test_an_openai_schema_in_full() -> None:
    class Bill(BaseModel):
        number: str = Field(alias="No.", description="on top", max_length=9)
        paid: bool = False
        due: date | None = None
        seller: Address = Field(description="whose bill")

    assert fitted(Bill, SchemaDialect.OPENAI) == {
        "title": "Bill",
        "type": "object",
        "properties": {
            "No.": {"title": "No.", "type": "string", "description": "on top (maxLength: 9)"},
            "paid": {"title": "Paid", "type": "boolean", "description": "(default: False)"},
            "due": {"title": "Due", "anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            "seller": {
                "title": "Address",
                "type": "object",
                "properties": {
                    "city": {
                        "title": "City",
                        "type": "string",
                        "description": "the town (maxLength: 40; minLength: 2)",
                    },
                    "zip": {"title": "Zip", "type": "string", "pattern": "^[0-9]{5}$"},
                },
                "required": ["city", "zip"],
                "additionalProperties": False,
                "description": "whose bill",
            },
        },
        "required": ["No.", "paid", "due", "seller"],
        "additionalProperties": False,
    }


class Described(BaseModel):
    colour: Colour = Colour.RED
    named: Colour = Field(Colour.BLUE, description="of the door", title="Door")
    shown: Colour = Field(examples=["red"])
    nothing: Colour | None = None
    bare: Colour


def test_what_stands_beside_a_reference_is_told() -> None:
    red = {"title": "Colour", "type": "string", "enum": ["red", "blue"]}
    for dialect in (SchemaDialect.OPENAI, SchemaDialect.GEMINI):
        schema = fitted(Described, dialect)
        assert schema["properties"] == {
            "colour": {**red, "description": "(default: red)"},
            "named": {**red, "title": "Door", "description": "of the door (default: blue)"},
            "shown": {**red, "description": "(examples: ['red'])"},
            "nothing": {"anyOf": [{"$ref": "#/$defs/Colour"}, {"type": "null"}]},
            "bare": {"$ref": "#/$defs/Colour"},
        }
        assert schema["$defs"] == {"Colour": red}


def test_what_stands_beside_a_reference_without_end_is_told_too() -> None:
    class Branch(BaseModel):
        left: Branch | None = None
        right: Branch = Field(description="the longer one")

    definition = fitted(Branch, SchemaDialect.OPENAI)["$defs"]["Branch"]
    assert definition["properties"]["right"] == {
        "anyOf": [{"$ref": "#/$defs/Branch"}],
        "description": "the longer one",
    }


def doubling(levels: int) -> type[BaseModel]:
    inner: Any = int
    for level in range(levels):
        sides: Any = {side: (inner, Field(description=f"the {side} one")) for side in ("left", "right")}
        inner = create_model(f"Level{level}", **sides)
    made: type[BaseModel] = inner
    return made


@pytest.mark.parametrize("dialect", [SchemaDialect.OPENAI, SchemaDialect.GEMINI, SchemaDialect.ANTHROPIC])
def test_described_parts_are_written_out_while_they_are_few(dialect: SchemaDialect) -> None:
    schema = fitted(doubling(4), dialect)
    assert "$defs" not in schema
    assert schema["properties"]["left"]["description"] == "the left one"
    assert schema["properties"]["left"]["properties"]["right"]["description"] == "the right one"


def test_described_parts_stand_once_where_writing_them_out_would_be_absurd() -> None:
    for levels in (10, 12, 40):
        schema = fitted(doubling(levels), SchemaDialect.GEMINI)
        assert gemini_problems(schema) == []
        assert schema["properties"]["left"] == {
            "anyOf": [{"$ref": f"#/$defs/Level{levels - 2}"}],
            "description": "the left one",
        }
        assert len(json.dumps(schema)) < 400 * levels
    openai = fitted(doubling(10), SchemaDialect.OPENAI)
    assert openai_problems(openai) == []
    assert list(openai["$defs"]) == [f"Level{level}" for level in range(9)]
    assert fitted(doubling(12), SchemaDialect.ANTHROPIC) is None  # over the unions that it takes


class Row(BaseModel):
    name: str
    amount: float
    tags: list[str] = Field(max_length=3)


def limited(places: int, kind: Any = str, count: int = 1) -> type[BaseModel]:
    fields: Any = {f"f{number}": (list[kind], Field(max_length=places, min_length=2)) for number in range(count)}
    made: type[BaseModel] = create_model("Limited", **fields)
    return made


@pytest.mark.parametrize(
    ("model", "is_enforced"),
    [
        (limited(241), True),
        (limited(242), False),
        (limited(40, count=6), True),
        (limited(40, count=7), False),
        (limited(35, Row), True),  # a row is five schemas, seven by its own limit: 35 of them are 240 more than one
        (limited(36, Row), False),
        (limited(15, list[Row]), True),
        (create_model("Many", f=(list[str], Field(min_length=242))), False),
        (create_model("Plain", **{f"f{number}": (list[str], ...) for number in range(500)}), True),  # type: ignore[call-overload]  # names made up here
    ],
)
def test_gemini_is_told_in_words_of_limits_that_it_would_refuse(model: type[BaseModel], is_enforced: bool) -> None:
    schema = fitted(model, SchemaDialect.GEMINI)
    lists = [node for node in every_schema(schema) if node.get("type") == "array"]
    bounds = [{key: node[key] for key in ("minItems", "maxItems") if key in node} for node in lists]
    plain = {key for node in every_schema(schema_of(model)) for key in node} & {"minItems", "maxItems"}
    if is_enforced:
        assert {key for bound in bounds for key in bound} == plain
    else:
        assert bounds[0] == {"minItems": 1}
        assert all(bound in ({}, {"minItems": 1}) for bound in bounds)
        assert "minItems: " in lists[0]["description"]


def test_a_limit_in_words_in_full() -> None:
    assert fitted(limited(500), SchemaDialect.GEMINI)["properties"] == {
        "f0": {
            "title": "F0",
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "(maxItems: 500; minItems: 2)",
        }
    }
    assert fitted(limited(500), SchemaDialect.OPENAI)["properties"]["f0"]["maxItems"] == 500


def test_a_gemini_schema_says_constants_and_truths_in_its_own_way() -> None:
    class Said(BaseModel):
        kind: Literal["bill"]
        is_true: Literal[True]
        either: Literal[1, "a", None]  # noqa: PYI061  # as users write it
        pair: tuple[int, str]

    properties = fitted(Said, SchemaDialect.GEMINI)["properties"]
    assert properties["kind"] == {"title": "Kind", "type": "string", "enum": ["bill"]}
    assert properties["is_true"] == {"title": "Is True", "type": "boolean", "description": "(always true)"}
    assert properties["either"] == {
        "title": "Either",
        "anyOf": [{"type": "integer", "enum": [1]}, {"type": "string", "enum": ["a"]}, {"type": "null"}],
    }
    assert properties["pair"] == {
        "maxItems": 2,
        "minItems": 2,
        "title": "Pair",
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"type": "string"}],
    }


def deep(levels: int) -> type[BaseModel]:
    inner: Any = int
    for _ in range(levels):
        inner = create_model("Level", inner=(inner, ...))
    made: type[BaseModel] = inner
    return made


def choices(count: int, letters: int) -> type[BaseModel]:
    values: Any = Literal[tuple(f"{number:0{letters}}" for number in range(count))]
    made: type[BaseModel] = create_model("Choice", value=(values, ...))
    return made


def wide(count: int, letters: int) -> type[BaseModel]:
    fields: Any = {f"f{number:0{letters}}": (int, ...) for number in range(count)}
    made: type[BaseModel] = create_model("Wide", **fields)
    return made


@pytest.mark.parametrize(
    ("model", "is_legal"),
    [
        (deep(10), True),
        (deep(11), False),
        (choices(1_000, 4), True),
        (choices(1_001, 4), False),
        (choices(251, 59), True),
        (choices(251, 60), False),
        (choices(250, 100), True),
        (wide(5_000, 4), True),
        (wide(5_001, 4), False),
        (wide(1_000, 119), True),
        (wide(1_000, 120), False),
    ],
)
def test_openais_sizes(model: type[BaseModel], is_legal: bool) -> None:
    assert (fitted(model, SchemaDialect.OPENAI) is not None) == is_legal


TYPES: list[Any] = [
    str,
    int,
    float | None,
    bool,
    date,
    Decimal,
    Colour,
    Literal["a", "b"],
    list[str],
    Address,
    list[Address] | None,
    Cat | Dog,
    tuple[int, str],
    str | int,
]


@given(st.lists(st.tuples(st.sampled_from(TYPES), st.booleans(), st.booleans()), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_model_is_fitted_legally(parts: list[tuple[Any, bool, bool]]) -> None:
    fields: dict[str, Any] = {}
    for number, (kind, is_optional, is_described) in enumerate(parts):
        words: Any = {"description": "what it is"} if is_described else {}
        annotation = kind | None if is_optional else kind
        fields[f"f{number}"] = (annotation, Field(None, **words) if is_optional else Field(**words))
    model: type[BaseModel] = create_model("Drawn", **fields)
    assert openai_problems(fitted(model, SchemaDialect.OPENAI)) == []
    assert gemini_problems(fitted(model, SchemaDialect.GEMINI)) == []
