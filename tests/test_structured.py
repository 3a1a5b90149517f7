"""Response models: asked for in each dialect, and read back from what models write."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    RootModel,
    computed_field,
    field_validator,
)

from batchata.errors import SchemaError
from batchata.structured import Form, InvalidOutput, for_dialect, form, read, read_text, schema_of, wrapped_answer
from batchata.types import CitationMode, JsonObject, Quote, SchemaDialect

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "recordings" / "anthropic_structured"
ItemT = TypeVar("ItemT")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    name: str
    amount: Decimal
    quantity: int = Field(default=1, ge=1, le=99)


class Address(BaseModel):
    """Where to send it."""

    street: str
    city: str | None = None


class Invoice(BaseModel):
    number: str = Field(pattern=r"^RE-\d+$", min_length=3)
    issued: date
    total: float
    color: Color
    kind: Literal["invoice", "credit"]
    billing: Address = Field(description="the payer")
    shipping: Address | None
    items: list[Item] = Field(min_length=1, max_length=50)


class Cat(BaseModel):
    type: Literal["cat"]
    lives: int


class Dog(BaseModel):
    type: Literal["dog"]
    barks: bool


class Pet(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="type")]


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    vendor: str = Field(alias="vendorName")
    total: int = Field(validation_alias=AliasChoices("sum", "total_amount"))
    first: str = Field(validation_alias=AliasPath("names", 0))


class Point(NamedTuple):
    x: int
    y: int


class Deep(BaseModel):
    first: str = Field(validation_alias=AliasPath("names", 0))


class Collections(BaseModel):
    pair: tuple[int, str]
    many: tuple[int, ...]
    tags: set[str]
    point: Point


class Moments(BaseModel):
    model_config = ConfigDict(strict=True)
    day: date
    at: datetime
    lasts: timedelta
    id: UUID
    site: HttpUrl
    data: bytes


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Names(RootModel[list[str]]):
    pass


class Lookup(RootModel[dict[str, int]]):
    pass


class AnyPet(RootModel[Annotated[Cat | Dog, Field(discriminator="type")]]):
    pass


class Squared(BaseModel):
    side: int

    @computed_field  # type: ignore[prop-decorator]  # as Pydantic's documentation shows
    @property
    def area(self) -> int:
        return self.side**2


class Loose(BaseModel):
    meta: dict[str, int]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Anything(BaseModel):
    value: Any


class Shouting(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def shout(cls, name: str) -> str:
        return {"ok": name.upper()}[name]


CITE = "<" + "cite index="

READ: list[tuple[type[BaseModel], str, object]] = [
    (Item, '{"name": "a", "amount": "1.10"}', Item(name="a", amount=Decimal("1.10"))),
    (Item, 'Sure {ok}:\n```json\n{"name": "a", "amount": 1.5,}\n```\nDone.', Item(name="a", amount=Decimal("1.5"))),
    (Item, f'{{"name": "{CITE}"1-2">Acme</cite> Ltd", "amount": 2}}', Item(name="Acme Ltd", amount=Decimal(2))),
    (
        Item,
        '{"x": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]} or {"name": "a", "amount": 1}',
        Item(name="a", amount=Decimal(1)),
    ),
    (Pet, '{"pet": {"type": "dog", "barks": true}}', Pet(pet=Dog(type="dog", barks=True))),
    (
        Aliased,
        '{"vendorName": "v", "sum": 3, "names": ["f"]}',
        Aliased.model_construct(vendor="v", total=3, first="f"),
    ),
    (
        Aliased,
        '{"vendor": "v", "total_amount": 3, "names": ["f"]}',
        Aliased.model_construct(vendor="v", total=3, first="f"),
    ),
    (
        Collections,
        '{"pair": [1, "a"], "many": [1, 2], "tags": ["x", "x"], "point": [1, 2]}',
        Collections(pair=(1, "a"), many=(1, 2), tags={"x"}, point=Point(1, 2)),
    ),
    (
        Moments,
        (
            '{"day": "2024-03-05", "at": "2024-03-05T10:00:00Z", "lasts": "PT1H", '
            '"id": "12345678-1234-5678-1234-567812345678", "site": "https://x.org/", "data": "ab"}'
        ),
        Moments(
            day=date(2024, 3, 5),
            at=datetime(2024, 3, 5, 10, tzinfo=UTC),
            lasts=timedelta(hours=1),
            id=UUID("12345678-1234-5678-1234-567812345678"),
            site=HttpUrl("https://x.org/"),
            data=b"ab",
        ),
    ),
    (Page[Item], '{"items": [{"name": "a", "amount": 1}]}', Page[Item](items=[Item(name="a", amount=Decimal(1))])),
    (Tree, '{"name": "a", "children": [{"name": "b"}]}', Tree(name="a", children=[Tree(name="b")])),
    (Names, '["a", "b"]', Names(["a", "b"])),
    (Names, '{"value": ["a", "b"]}', Names(["a", "b"])),
    (AnyPet, '{"value": {"type": "cat", "lives": 9}}', AnyPet(Cat(type="cat", lives=9))),
    (AnyPet, '{"type": "cat", "lives": 9}', AnyPet(Cat(type="cat", lives=9))),
    (Lookup, '{"value": 1}', Lookup({"value": 1})),
    (RootModel[int], "42", RootModel[int](42)),
    (RootModel[int], '{"value": 42}', RootModel[int](42)),
    (Deep, '{"names": ["f"]}', Deep.model_construct(first="f")),
    (Deep, '{"first": "f"}', Deep.model_construct(first="f")),  # what its JSON Schema asks for
    (Squared, '{"side": 3}', Squared(side=3)),
    (Loose, '{"meta": {"a": 1}}', Loose(meta={"a": 1})),
    (Shouting, '{"name": "ok"}', Shouting.model_construct(name="OK")),
]


@pytest.mark.parametrize(("model", "text", "expected"), READ)
def test_read(model: type[BaseModel], text: str, expected: BaseModel) -> None:
    assert read(text, model).value == expected


def test_the_node_of_a_wrapped_root_is_what_was_wrapped() -> None:
    text = '{"value": ["a", "b"]}'
    node = read(text, Names).node
    assert text[node.start : node.end] == '["a", "b"]'


@pytest.mark.parametrize(
    ("model", "text", "message"),
    [
        (Item, "I cannot help with that.", "the answer holds no JSON"),
        (Item, '{"name": "a", "amount": 1', "the JSON in the answer is cut short"),
        (Item, '{"name": "a", "amount": 1, "quantity": 5', "the JSON in the answer is cut short"),
        (
            Item,
            '{"name": 7, "amount": "x", "quantity": 100}',
            (
                "name: Input should be a valid string (got 7)\n"
                "amount: Input should be a valid decimal (got 'x')\n"
                "quantity: Input should be less than or equal to 99 (got 100)"
            ),
        ),
        (Page[Item], '{"items": [{"amount": 1}]}', "items[0].name: Field required (got {'amount': 1})"),
        (Shouting, '{"name": "no"}', "the response model's own validator raised KeyError: 'no'"),
        (Names, '["a", 1]', "[1]: Input should be a valid string (got 1)"),
    ],
)
def test_invalid_output(model: type[BaseModel], text: str, message: str) -> None:
    with pytest.raises(InvalidOutput) as caught:
        read(text, model)
    assert caught.value.message == message


def test_many_errors_are_summed_up() -> None:
    with pytest.raises(InvalidOutput) as caught:
        read(json.dumps({"items": [1] * 12}), Page[str])
    assert caught.value.message.splitlines()[9:] == [
        "items[9]: Input should be a valid string (got 1)",
        "… and 2 more",
    ]


# --- asking ------------------------------------------------------------------------------------------


def test_schema_of_uses_the_names_in_the_json() -> None:
    schema = schema_of(Aliased)
    assert sorted(schema["properties"]) == ["first", "sum", "vendorName"]  # type: ignore[call-overload]


class Handle:
    pass


class Inner(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    handle: Handle


class Outer(BaseModel):
    ok: int
    inner: list[Inner]


class Calling(BaseModel):
    ok: str
    then: Callable[[int], int]


@pytest.mark.parametrize(("model", "field"), [(Outer, "Inner.handle"), (Calling, "Calling.then")])
def test_a_field_that_json_cannot_hold_is_named(model: type[BaseModel], field: str) -> None:
    with pytest.raises(SchemaError, match=field):
        schema_of(model)


def test_the_anthropic_dialect_written_out() -> None:
    assert for_dialect(schema_of(Invoice), SchemaDialect.ANTHROPIC) == {
        "title": "Invoice",
        "type": "object",
        "properties": {
            "number": {
                "title": "Number",
                "type": "string",
                "pattern": r"^RE-\d+$",
                "description": "(minLength: 3)",
            },
            "issued": {"title": "Issued", "type": "string", "format": "date"},
            "total": {"title": "Total", "type": "number"},
            "color": {"$ref": "#/$defs/Color"},
            "kind": {"title": "Kind", "type": "string", "enum": ["invoice", "credit"]},
            "billing": {
                "title": "Address",
                "type": "object",
                "properties": {
                    "street": {"title": "Street", "type": "string"},
                    "city": {"title": "City", "anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                },
                "required": ["street"],
                "additionalProperties": False,
                "description": "the payer",
            },
            "shipping": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}]},
            "items": {
                "title": "Items",
                "type": "array",
                "items": {"$ref": "#/$defs/Item"},
                "minItems": 1,
                "description": "(maxItems: 50)",
            },
        },
        "required": ["number", "issued", "total", "color", "kind", "billing", "shipping", "items"],
        "additionalProperties": False,
        "$defs": {
            "Address": {
                "title": "Address",
                "type": "object",
                "properties": {
                    "street": {"title": "Street", "type": "string"},
                    "city": {"title": "City", "anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                },
                "required": ["street"],
                "additionalProperties": False,
                "description": "Where to send it.",
            },
            "Color": {"title": "Color", "type": "string", "enum": ["red", "blue"]},
            "Item": {
                "title": "Item",
                "type": "object",
                "properties": {
                    "name": {"title": "Name", "type": "string"},
                    "amount": {
                        "title": "Amount",
                        "anyOf": [{"type": "number"}, {"type": "string"}],
                    },
                    "quantity": {
                        "title": "Quantity",
                        "type": "integer",
                        "default": 1,
                        "description": "(maximum: 99; minimum: 1)",
                    },
                },
                "required": ["name", "amount"],
                "additionalProperties": False,
            },
        },
    }


@pytest.mark.parametrize("model", [Tree, Loose, Lookup, Open, Anything])
def test_what_the_anthropic_dialect_cannot_say(model: type[BaseModel]) -> None:
    assert for_dialect(schema_of(model), SchemaDialect.ANTHROPIC) is None


def _fields(count: int, annotation: str) -> JsonObject:
    properties: JsonObject = {
        f"f{number}": {"type": "string"}
        if annotation == "optional"
        else {"anyOf": [{"type": "string"}, {"type": "null"}]}
        for number in range(count)
    }
    required = [] if annotation == "optional" else list(properties)
    return {"type": "object", "properties": properties, "required": required}


@pytest.mark.parametrize(
    ("count", "annotation", "fits"),
    [(24, "optional", True), (25, "optional", False), (16, "union", True), (17, "union", False)],
)
def test_the_anthropic_dialect_counts(count: int, annotation: str, fits: bool) -> None:
    assert (for_dialect(_fields(count, annotation), SchemaDialect.ANTHROPIC) is not None) == fits


@pytest.mark.parametrize(
    ("pattern", "fitted"),
    [
        (r"^[A-Z]{2}\d+$", {"type": "string", "pattern": r"^[A-Z]{2}\d+$"}),
        (r"^(?:a|b)+$", {"type": "string", "pattern": r"^(?:a|b)+$"}),
        (r"^(?!x)", {"type": "string", "description": "(pattern: ^(?!x))"}),
        (r"(a)\1", {"type": "string", "description": r"(pattern: (a)\1)"}),
        (r"\bword\b", {"type": "string", "description": r"(pattern: \bword\b)"}),
        (r"a+?", {"type": "string", "description": "(pattern: a+?)"}),
    ],
)
def test_only_simple_patterns_are_enforced(pattern: str, fitted: JsonObject) -> None:
    schema: JsonObject = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    whole = for_dialect(schema, SchemaDialect.ANTHROPIC)
    assert whole is not None
    assert whole["properties"] == {"a": fitted}


def test_tuples_lose_their_order_but_not_their_words() -> None:
    fitted = for_dialect(schema_of(Collections), SchemaDialect.ANTHROPIC)
    assert fitted is not None
    assert fitted["properties"]["pair"] == {  # type: ignore[index]
        "title": "Pair",
        "type": "array",
        "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "minItems": 1,
        "description": "(in this order: integer, string; maxItems: 2; minItems: 2)",
    }


def test_a_root_that_is_no_object_is_wrapped() -> None:
    inner = {"items": {"type": "string"}, "title": "Names", "type": "array"}
    wrapped = {
        "type": "object",
        "properties": {"value": inner},
        "required": ["value"],
        "additionalProperties": False,
    }
    assert for_dialect(schema_of(Names), SchemaDialect.PLAIN) == wrapped
    assert for_dialect(schema_of(Names), SchemaDialect.ANTHROPIC) == wrapped
    assert for_dialect(schema_of(Item), SchemaDialect.PLAIN) == schema_of(Item)
    assert for_dialect(schema_of(Tree), SchemaDialect.PLAIN) == schema_of(Tree)


FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
ALLOWED = {"$defs", "$ref", "anyOf", "allOf", "type", "enum", "const", "title", "description", "default", "items"}
ALLOWED |= {"properties", "required", "additionalProperties", "format", "pattern", "minItems"}


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    yield schema
    children = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    children += [*schema.get("anyOf", []), *schema.get("allOf", [])]
    children += [schema["items"]] if "items" in schema else []
    for child in children:
        yield from _schemas(child)


@pytest.mark.parametrize(
    "model", [Invoice, Pet, Aliased, Collections, Moments, Page[Item], Names, AnyPet, Squared, Shouting]
)
def test_the_providers_rules_hold_and_the_sdk_agrees(model: type[BaseModel]) -> None:
    anthropic = pytest.importorskip("anthropic", reason="the anthropic extra is not installed")
    fitted = for_dialect(schema_of(model), SchemaDialect.ANTHROPIC)
    assert fitted is not None
    for schema in _schemas(fitted):
        assert schema.keys() <= ALLOWED
        assert schema.get("format") in FORMATS | {None}
        assert schema.get("minItems") in {0, 1, None}
        assert "(?" not in schema.get("pattern", "")
        assert "$ref" not in schema or schema.keys() == {"$ref"}
        assert schema.get("type") != "object" or schema["additionalProperties"] is False
        assert schema.keys() & {"$ref", "type", "anyOf", "allOf", "enum", "const"}
    # The SDK's own transformation finds nothing left to move into a description, and changes no structure.
    theirs = anthropic.transform_schema(fitted)
    for ours, again in zip(_schemas(fitted), _schemas(theirs), strict=True):
        assert sorted(ours.get("properties", {})) == sorted(again.get("properties", {}))
        assert ours.get("required", []) == again.get("required", [])


def test_instructions_hold_the_schema_and_the_rules() -> None:
    plain = form(Squared).instructions or ""
    cited = form(Squared, CitationMode.NATIVE).instructions or ""
    assert json.loads(plain.partition("JSON Schema:\n")[2]) == schema_of(Squared)
    assert "no code fence" in plain
    assert "word for word" not in plain
    assert "word for word" in cited
    assert "no code fence" in cited


def test_what_is_enforced_needs_no_words() -> None:
    plain = form(Squared, dialect=SchemaDialect.PLAIN)
    assert plain.schema == schema_of(Squared)
    assert plain.instructions is None
    aligned = form(Squared, CitationMode.ALIGNED, SchemaDialect.PLAIN)
    assert aligned.schema == schema_of(Squared)
    assert (aligned.instructions or "").startswith("Take every value from the documents.")
    assert form(None) == Form()


class Ware(BaseModel):
    name: str
    price: Decimal


class Filed(BaseModel):
    """With the names that the form itself uses."""

    data: str
    citations: list[str] = []


class Wares(RootModel[list[Ware]]):
    pass


def test_a_quoted_form_is_the_schema_with_quotes_beside_it() -> None:
    quoted = form(Wares, CitationMode.QUOTED, SchemaDialect.PLAIN)
    assert quoted.schema == {
        "type": "object",
        "properties": {
            "data": {"items": {"$ref": "#/$defs/Ware"}, "title": "Wares", "type": "array"},
            "citations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": {"type": "string"},
                        "quote": {"type": "string"},
                        "page": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    },
                    "required": ["path", "quote", "page"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["data", "citations"],
        "additionalProperties": False,
        "$defs": schema_of(Wares)["$defs"],
    }
    assert not quoted.is_wrapped
    assert "line_items[2].amount" in (quoted.instructions or "")
    in_words = form(Wares, CitationMode.QUOTED)
    assert in_words.schema is None
    assert json.loads((in_words.instructions or "").partition("JSON Schema:\n")[2]) == quoted.schema
    text = form(None, CitationMode.QUOTED, SchemaDialect.ANTHROPIC)
    assert text.schema is not None
    assert '"path"' not in json.dumps(text.schema)


QUOTED = [
    Quote("[0].price", "EUR 0.10", 2),
    Quote("[1].name", "two\nlines", None),
]


@pytest.mark.parametrize("around", ["{}", "Here it is:\n```json\n{}\n```\nDone.", '<cite index="1-2">{}</cite>'])
def test_a_quoted_answer_is_taken_apart(around: str) -> None:
    data = '[{"name":"a","price":12345678901234567890123},{"name":"two\\nlines","price":2}]'
    text = around.replace("{}", wrapped_answer(data, QUOTED))
    reading = read(text, Wares, quoted=True)
    assert reading.value.root[0].price == Decimal(12345678901234567890123)
    assert reading.value.root[1].name == "two\nlines"
    assert list(reading.quotes) == QUOTED
    assert text[reading.node.start : reading.node.end] == data


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ('[{"path":"name","quote":"a","page":"3"}]', (Quote("name", "a", 3),)),
        ('[{"path":"name","quote":"a","page":3.0}]', (Quote("name", "a", 3),)),
        # No such page: it will not be found there.
        ('[{"path":"name","quote":"a","page":0}]', (Quote("name", "a", 0),)),
        ('[{"path":"name","quote":"a","page":true}]', (Quote("name", "a", None),)),
        ('[{"path":"name","quote":"a","page":"iv"}]', (Quote("name", "a", None),)),
        ('[{"quote":"a"}]', (Quote("", "a", None),)),
        ('["a"]', (Quote("", "a", None),)),
        ('[{"path":"name","quote":" ","page":1},{"path":"name"},7,null]', ()),
        ("null", ()),
        ('{"name":"a","price":{"quote":"b","page":2}}', (Quote("name", "a", None), Quote("price", "b", 2))),
    ],
)
def test_odd_quotes_never_cost_the_answer(listed: str, expected: tuple[Quote, ...]) -> None:
    reading = read(f'{{"citations":{listed},"data":{{"name":"a","price":"1"}}}}', Ware, quoted=True)
    assert reading.value == Ware(name="a", price=Decimal(1))
    assert reading.quotes == expected


def test_an_answer_without_the_quotes_that_were_asked_for() -> None:
    assert read('{"name":"a","price":1}', Ware, quoted=True).quotes == ()
    assert read('{"data":{"name":"a","price":1}}', Ware, quoted=True).value.name == "a"
    assert read('{"data":{"name":"a","price":1},"citations":[],"notes":"x"}', Ware, quoted=True).value.name == "a"
    assert read('{"data":"a","citations":["b"]}', Filed, quoted=True).value == Filed(data="a", citations=["b"])
    assert read('{"data":{"data":"a"},"citations":[]}', Filed, quoted=True).value == Filed(data="a")
    with pytest.raises(InvalidOutput, match="^price: Decimal input should be"):
        read('{"data":{"name":"a","price":[]},"citations":[]}', Ware, quoted=True)
    with pytest.raises(InvalidOutput, match="cut short"):
        read('{"data":{"name":"a","price":1},"citations":[{"path":', Ware, quoted=True)


def test_a_quoted_answer_in_words() -> None:
    assert read_text('{"data":"It is \\"blue\\".","citations":[{"quote":"blue","page":1}]}') == (
        'It is "blue".',
        (Quote("", "blue", 1),),
    )
    assert read_text("It is blue.") == ("It is blue.", ())
    assert read_text('{"data": 5}') == ('{"data": 5}', ())


@pytest.mark.skipif(not RECORDINGS.exists(), reason="../shared/data/recordings is not here")
def test_every_recorded_structured_answer_is_read() -> None:
    class Whatever(RootModel[dict[str, Any]]):
        pass

    unread = []
    for path in sorted(RECORDINGS.iterdir()):
        recording = json.loads(path.read_text())
        content = recording.get("response", recording.get("response_assembled"))["content"]
        text = "".join(block["text"] for block in content if block["type"] == "text")
        try:
            read(text, Whatever)
        except InvalidOutput as error:
            unread.append((path.name, error.message))
    assert unread == [
        ("prism_structured_chinese_tool_calling_1.json", "the answer holds no JSON"),  # a tool call, no text
        ("stop_max_tokens_mirascope.json", "the answer holds no JSON"),  # a numbered list, cut short
    ]
