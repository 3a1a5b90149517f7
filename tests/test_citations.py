"""Citations: from the blocks of an answer to the fields of its value."""

from __future__ import annotations

import json
from dataclasses import dataclass as plain_dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AliasChoices, AliasPath, BaseModel, Field, RootModel, create_model

from batchata.citations import resolve
from batchata.citations.leaves import leaves
from batchata.structured import read
from batchata.types import Citation, Source, TextBlock


def cite(text: str, **place: Any) -> Citation:
    return Citation(text, document_index=0, **place)


def blocks_of(*pieces: str | tuple[str, str]) -> list[TextBlock]:
    """Uncited text, or (text, cited text)."""
    return [TextBlock(each) if isinstance(each, str) else TextBlock(each[0], (cite(each[1]),)) for each in pieces]


def mapped(model: type[BaseModel], blocks: list[TextBlock]) -> tuple[dict[str, list[str]], list[str]]:
    """What was cited for each field, and what for none, with no document at hand."""
    reading = read("".join(block.text for block in blocks), model)
    resolved = resolve(blocks, reading.value, reading.node, [])
    assert resolved.by_field is not None
    incoming = [citation for block in blocks for citation in block.citations]
    assert resolved.flat == incoming
    found = {path: [each.cited_text for each in cited] for path, cited in resolved.by_field.items()}
    kept = {text for cited in found.values() for text in cited} | {each.cited_text for each in resolved.unmapped}
    assert kept == {each.cited_text for each in incoming}
    return found, [each.cited_text for each in resolved.unmapped]


class Address(BaseModel):
    street: str
    city: str


class Line(BaseModel):
    text: str
    amount: Decimal


class Invoice(BaseModel):
    vendor: str
    address: Address
    lines: list[Line]


class Pair(BaseModel):
    first: str
    second: str


class Person(BaseModel):
    age: int
    page: int
    active: bool | None = None


class Meta(BaseModel):
    meta: dict[str, int]


class Lines(RootModel[list[Line]]):
    pass


class Renamed(BaseModel):
    vendor: str = Field(alias="vendorName")
    total: int = Field(validation_alias=AliasChoices("sum", "total_amount"))
    first: str = Field(validation_alias=AliasPath("names", 0))


Case = tuple[type[BaseModel], list[TextBlock], dict[str, list[str]], list[str]]
CASES: dict[str, Case] = {
    "values only, nested, in a list": (
        Invoice,
        blocks_of(
            'Here it is:\n```json\n{"vendor": "',
            ("Acme", "Acme Ltd"),
            '", "address": {"street": "',
            ("1 Main St", "at 1 Main St"),
            '", "city": "Rome"}, "lines": [{"text": "',
            ("Bolt", "Bolts"),
            '", "amount": ',
            ("2.50", "2,50 EUR"),
            '}, {"text": "Nut", "amount": ',
            ("3", "3 EUR"),
            "}]}\n```",
        ),
        {
            "vendor": ["Acme Ltd"],
            "address.street": ["at 1 Main St"],
            "address.city": [],
            "lines[0].text": ["Bolts"],
            "lines[0].amount": ["2,50 EUR"],
            "lines[1].text": [],
            "lines[1].amount": ["3 EUR"],
        },
        [],
    ),
    "equal values in two fields: the overlap decides": (
        Pair,
        blocks_of('{"first": "x", ', ('"second": "x"', "here"), "}"),
        {"first": [], "second": ["here"]},
        [],
    ),
    "a value inside another": (
        Person,
        blocks_of('{"age": 5, ', ('"page": 150', "p. 150"), "}"),
        {"age": [], "page": ["p. 150"], "active": []},
        [],
    ),
    "a value split over two blocks": (
        Pair,
        blocks_of('{"first": "', ("Acme", "A"), (" Limited", "B"), '", "second": "y"}'),
        {"first": ["A", "B"], "second": []},
        [],
    ),
    "a line with two values": (
        Pair,
        blocks_of("{", ('"first": "a", "second": "b"', "both"), "}"),
        {"first": ["both"], "second": ["both"]},
        [],
    ),
    "punctuation and keys belong to no field": (
        Pair,
        blocks_of('{"first"', (": ", "colon"), '"a"', (",", "comma"), ' "second": "b"', ("}", "brace")),
        {"first": [], "second": []},
        ["colon", "comma", "brace"],
    ),
    "the whole JSON in one block: the values decide": (
        Person,
        [
            TextBlock(
                '{"age": 5, "page": 150, "active": true}',
                (cite("aged 5"), cite("on page 150"), cite("both 5 and 150"), cite("true or not"), cite("51501")),
            )
        ],
        {"age": ["aged 5", "both 5 and 150"], "page": ["on page 150", "both 5 and 150"], "active": []},
        ["true or not", "51501"],
    ),
    "a boolean gets what overlaps it": (
        Person,
        blocks_of('{"age": 5, "page": 1, "active": ', ("true", "is active"), "}"),
        {"age": [], "page": [], "active": ["is active"]},
        [],
    ),
    "dict keys": (
        Meta,
        blocks_of('{"meta": {"a.b": ', ("1", "one"), ', "key": ', ("2", "two"), "}}"),
        {"meta.a.b": ["one"], "meta.key": ["two"]},
        [],
    ),
    "an empty list is a leaf": (
        Invoice,
        blocks_of('{"vendor": "a", "address": {"street": "s", "city": "c"}, "lines": ', ("[]", "no lines"), "}"),
        {"vendor": [], "address.street": [], "address.city": [], "lines": ["no lines"]},
        [],
    ),
    "a list at the root": (
        Lines,
        blocks_of('[{"text": "a", "amount": 1}, {"text": ', ('"b"', "bee"), ', "amount": 2}]'),
        {"[0].text": [], "[0].amount": [], "[1].text": ["bee"], "[1].amount": []},
        [],
    ),
    "aliases": (
        Renamed,
        blocks_of(
            '{"vendorName": "',
            ("v", "V"),
            '", "total_amount": ',
            ("3", "three"),
            ', "names": ["',
            ("f", "F"),
            '"]}',
        ),
        {"vendor": ["V"], "total": ["three"], "first": ["F"]},
        [],
    ),
    "escapes": (
        Pair,
        blocks_of('{"first": "a \\"q\\" \\u00e9\\n', ("end", "E"), '", "second": "http://x:80/"}'),
        {"first": ["E"], "second": []},
        [],
    ),
    "a bullet list after the fence, by label and value": (
        Person,
        blocks_of(
            '```json\n{"age": 5, "page": 150}\n```\n\n- Age: ',
            ("5", "aged 5"),
            "\n- ",
            ("Page: 150", "see page 150"),
            "\n- ",
            ("Name: Bob", "called Bob"),
        ),
        {"age": ["aged 5"], "page": ["see page 150"], "active": []},
        ["called Bob"],
    ),
    "a value without its label is no evidence": (
        Pair,
        blocks_of('{"first": "Acme", "second": "b"}\n', ("They are called Acme.", "Acme Ltd")),
        {"first": [], "second": []},
        ["Acme Ltd"],
    ),
    "prose before the JSON": (
        Pair,
        blocks_of(("The first is Acme.", "Acme Ltd"), '\n{"first": "Acme", "second": "b"}'),
        {"first": ["Acme Ltd"], "second": []},
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_mapping(name: str) -> None:
    model, blocks, by_field, unmapped = CASES[name]
    assert mapped(model, blocks) == (by_field, unmapped)


def test_cite_markup_does_not_move_the_spans() -> None:
    tag = "<" + 'cite index="1">'
    blocks = blocks_of('{"first": "' + tag, ("Acme", "A"), '</cite>", "second": ', ('"b"', "B"), "}")
    assert mapped(Pair, blocks) == ({"first": ["A"], "second": ["B"]}, [])


# --- spans -------------------------------------------------------------------------------------------


@plain_dataclass
class Box2:
    wide: int
    high: int


class Odd(BaseModel):
    tags: set[str]
    pair: tuple[int, str]
    box: Box2
    left_out: str = "default"
    keyed: dict[date, int] = {}


def test_leaves_of_the_odder_types() -> None:
    text = '{"tags": ["b", "a", "b"], "pair": [1, "x"], "box": {"wide": 2, "high": 3}, "keyed": {"2024-03-05": 4}}'
    reading = read(text, Odd)
    found = {
        leaf.path: text[slice(*leaf.span)] if leaf.span else None for leaf in leaves(reading.value, reading.node)
    }
    assert {found.pop("tags[0]"), found.pop("tags[1]")} == {"a", "b"}
    assert found == {
        "pair[0]": "1",
        "pair[1]": "x",
        "box.wide": "2",
        "box.high": "3",
        "left_out": None,
        "keyed.2024-03-05": "4",
    }


def test_a_default_is_not_searched() -> None:
    text = '{"tags": ["b"], "pair": [1, "x"], "box": {"wide": 2, "high": 3}}'
    reading = read(text, Odd)
    found = resolve([TextBlock(text)], reading.value, reading.node, [Source("s", ("a default",), paged=False)])
    assert found.by_field is not None
    assert found.by_field["left_out"] == []


# --- mapping equals overlap --------------------------------------------------------------------------

scalar_values = st.text('abc{}[]:,"\\ \n5é', max_size=6) | st.integers(-999, 999) | st.booleans() | st.none()
names = st.sampled_from(["a", "b2", "long_name", "x", "total"])
shapes = st.recursive(
    scalar_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def model_of(shape: object) -> Any:
    """The model of a value: objects become models."""
    if isinstance(shape, dict):
        fields: dict[str, Any] = {name: (model_of(each), ...) for name, each in shape.items()}
        return create_model("M", **fields)
    if isinstance(shape, list):
        kinds = tuple(model_of(each) for each in shape)
        return tuple[kinds] if shape else list[int]  # type: ignore[valid-type]  # made at run time
    return type(shape) if shape is not None else None


def places(shape: object, text: str, start: int, path: str) -> tuple[dict[str, tuple[int, int]], int]:
    """The leaves' places, found by writing the JSON again rather than by parsing it."""
    if isinstance(shape, dict | list) and shape:
        found: dict[str, tuple[int, int]] = {}
        position = start + 1
        members = shape.items() if isinstance(shape, dict) else enumerate(shape)
        for key, each in members:
            step = f"{path}.{key}".lstrip(".") if isinstance(shape, dict) else f"{path}[{key}]"
            position += len(json.dumps(key)) + 2 if isinstance(shape, dict) else 0
            inner, position = places(each, text, position, step)
            found |= inner
            position += 2
        return found, position - 1
    end = start + len(json.dumps(shape, ensure_ascii=False))
    inside = (start + 1, end - 1) if isinstance(shape, str) and shape else (start, end)
    return {path: inside}, end


@given(
    st.dictionaries(names, shapes, min_size=2, max_size=4), st.lists(st.integers(0, 200), max_size=12), st.data()
)
@settings(max_examples=200, deadline=None)
def test_mapping_is_the_overlap(shape: dict[str, object], cuts: list[int], data: st.DataObject) -> None:
    text = json.dumps(shape, ensure_ascii=False)
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    spans = list(pairwise(borders))
    truth, _ = places(shape, text, 0, "")
    blocks: list[TextBlock] = []
    expected: dict[str, list[str]] = {path: [] for path in truth}
    for number, (start, end) in enumerate(spans):
        cited = data.draw(st.booleans()) and (start, end) != (0, len(text))
        blocks.append(TextBlock(text[start:end], (cite(f"cited {number}"),) if cited else ()))
        for path, (left, right) in truth.items():
            if cited and max(left, start) < min(right, end):
                expected[path].append(f"cited {number}")
    model = model_of(shape)
    reading = read(text, model)
    resolved = resolve(blocks, reading.value, reading.node, [])
    assert resolved.by_field is not None
    assert {path: [each.cited_text for each in cited] for path, cited in resolved.by_field.items()} == expected
    belong = {each for cited in expected.values() for each in cited}
    assert {each.cited_text for each in resolved.unmapped} == {each.cited_text for each in resolved.flat} - belong
