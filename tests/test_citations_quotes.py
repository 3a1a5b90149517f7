"""Quotes by the path that a model gave them."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import AliasPath, BaseModel, Field, RootModel

from batchata.citations import quotes_of, resolve
from batchata.structured import read, wrapped_answer
from batchata.types import Quote, Source


class Line(BaseModel):
    text: str
    net: int = Field(alias="netAmount")


class Order(BaseModel):
    lines: list[Line]
    tags: dict[str, int]
    city: Annotated[str, Field(validation_alias=AliasPath("address", "city"))]
    note: str = ""


DATA = """{"lines": [{"text": "a", "netAmount": 1}, {"text": "b", "netAmount": 2}],
 "tags": {"a.b": 3, "x/y": 4, "2": 5}, "address": {"city": "Leeds"}, "note": ""}"""

QUOTED = "a 1, b 2, five 5, Leeds"

PATHS = {
    "lines[0].text": ["lines[0].text"],
    "lines[1].netAmount": ["lines[1].net"],
    "lines[1].net": ["lines[1].net"],
    "lines.1.text": ["lines[1].text"],
    "/lines/1/text": ["lines[1].text"],
    'lines[1]["text"]': ["lines[1].text"],
    "data.lines[1].text": ["lines[1].text"],
    "$.lines[1].text": ["lines[1].text"],
    " lines[1].text ": ["lines[1].text"],
    "lines[0]": ["lines[0].text", "lines[0].net"],
    "lines": ["lines[0].text", "lines[0].net", "lines[1].text", "lines[1].net"],
    "tags['a.b']": ['tags["a.b"]'],
    "tags.a.b": ['tags["a.b"]'],
    "/tags/a.b": ['tags["a.b"]'],
    "/tags/x~1y": ['tags["x/y"]'],
    "tags.2": ["tags.2"],
    'tags["a.b"]': ['tags["a.b"]'],
    "tags.x/y": ['tags["x/y"]'],
    "data": ["lines[0].text", "lines[0].net", "lines[1].text", "lines[1].net", "tags.2", "city"],
    "$": ["lines[0].text", "lines[0].net", "lines[1].text", "lines[1].net", "tags.2", "city"],
    "address.city": ["city"],
    "city": ["city"],
    "note": ["note"],
    # What cannot be told is for no field.
    "lines[2].text": [],
    "lines[*].text": [],
    "lines[-1].text": [],
    "LINES[0].text": [],
    "total": [],
    "": [],
    "[0]": [],
    "...": [],
    f"lines[{'1' * 5000}].text": [],
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(path: str) -> None:
    reading = read(wrapped_answer(DATA, [Quote(path, QUOTED, None)]), Order, quoted=True)
    found = resolve((), reading.value, reading.node, [], reading.quotes)
    assert [leaf for leaf, cited in (found.by_field or {}).items() if cited] == PATHS[path]
    assert [each.cited_text for each in found.unmapped] == ([] if PATHS[path] else [QUOTED])
    assert [each.cited_text for each in found.flat] == [QUOTED]


def test_a_list_at_the_root() -> None:
    class Lines(RootModel[list[Line]]):
        pass

    data = '[{"text": "a", "netAmount": 1}]'
    reading = read(
        wrapped_answer(data, [Quote("[0].text", "x", None), Quote("0.netAmount", "y", 1)]), Lines, quoted=True
    )
    found = resolve((), reading.value, reading.node, [], reading.quotes)
    assert {path: [each.cited_text for each in cited] for path, cited in (found.by_field or {}).items()} == {
        "[0].text": ["x"],
        "[0].net": ["y"],
    }


def test_a_scalar_at_the_root() -> None:
    class Name(RootModel[str]):
        pass

    for path in ("", "$", "data", "root"):
        reading = read(wrapped_answer('"Acme"', [Quote(path, "Acme Ltd", 1)]), Name, quoted=True)
        found = resolve((), reading.value, reading.node, [], reading.quotes)
        assert {leaf: [each.cited_text for each in cited] for leaf, cited in (found.by_field or {}).items()} == {
            "root": ["Acme Ltd"]
        }


class Taxes(BaseModel):
    vat: Annotated[str, Field(alias="VAT/Tax")]
    number: Annotated[str, Field(alias="inv.no")]
    amount: Annotated[str, Field(alias="Amount [EUR]")]
    rates: dict[str, str]


def test_every_path_that_a_worked_example_shows_leads_back() -> None:
    data = """{"VAT/Tax": "one", "inv.no": "two", "Amount [EUR]": "three",
      "rates": {"": "four", "a\\"b": "five", "[0]": "six", "x.y": "seven"}}"""
    source = Source("a.txt", ("one two three four five six seven",), paged=False)
    reading = read(wrapped_answer(data, []), Taxes, quoted=True)
    shown = quotes_of(reading.value, reading.node, [source])
    assert [quote.text for quote in shown] == ["one", "two", "three", "four", "five", "six", "seven"]
    again = resolve((), reading.value, reading.node, [source], shown)
    assert {path: [each.cited_text for each in cited] for path, cited in (again.by_field or {}).items()} == {
        "vat": ["one"],
        "number": ["two"],
        "amount": ["three"],
        'rates[""]': ["four"],
        'rates["a\\"b"]': ["five"],
        'rates["[0]"]': ["six"],
        'rates["x.y"]': ["seven"],
    }
    assert again.unmapped == []
