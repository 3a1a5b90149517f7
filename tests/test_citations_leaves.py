"""Leaves of values that validators and odd types made other than the JSON they were read from."""

from __future__ import annotations

from dataclasses import dataclass as plain_dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, AliasPath, BaseModel, Field, model_validator

from batchata.citations import resolve
from batchata.citations.leaves import leaves
from batchata.structured import read
from batchata.types import Source
from tests.test_citations_mapping import mapped


class Sorted(BaseModel):
    tags: Annotated[list[str], AfterValidator(sorted)]


class Priced(BaseModel):
    name: str
    price: Decimal = Decimal(0)


class SortedPrices(BaseModel):
    lines: Annotated[list[Priced], AfterValidator(lambda lines: sorted(lines, key=lambda line: line.price))]


def test_what_a_validator_reorders_keeps_its_own_citations() -> None:
    assert mapped(Sorted, '{"tags": ["⟦Gamma|of Gamma⟧", "⟦Alpha|of Alpha⟧"]}') == (
        {"tags[0]": ["of Alpha"], "tags[1]": ["of Gamma"]},
        [],
    )
    found, unmapped = mapped(
        SortedPrices,
        '{"lines": [⟦{"name": "b", "price": "2.50"}|b costs 2.50⟧, ⟦{"name": "a", "price": 1.5}|a costs 1.50⟧]}',
    )
    assert found == {
        "lines[0].name": ["a costs 1.50"],
        "lines[0].price": ["a costs 1.50"],
        "lines[1].name": ["b costs 2.50"],
        "lines[1].price": ["b costs 2.50"],
    }
    assert unmapped == []


def test_a_reordered_value_is_not_proved_by_its_neighbour() -> None:
    reading = read('{"tags": ["Gamma", "Aleph"]}', Sorted)
    source = Source("a.txt", ("Alpha one. Gamma three.",), paged=False)
    found = resolve((), reading.value, reading.node, [source]).by_field or {}
    assert {path: [each.cited_text for each in cited] for path, cited in found.items()} == {
        "tags[0]": [],
        "tags[1]": ["Gamma"],
    }


class Town(BaseModel):
    city: str = Field(validation_alias=AliasChoices(AliasPath("addr", "city"), "city"))
    addr: str = ""


def test_an_alias_that_leads_through_a_scalar_leads_nowhere() -> None:
    answer = '{"addr": ⟦"Main St 1"|Street Main St 1⟧, "city": ⟦"Leeds"|City Leeds⟧}'
    assert mapped(Town, answer) == ({"city": ["City Leeds"], "addr": ["Street Main St 1"]}, [])


@plain_dataclass
class Money:
    amount: str
    currency: str = "EUR"


class Bill(BaseModel):
    money: Money


def test_a_default_of_a_dataclass_is_not_searched() -> None:
    reading = read('{"money": {"amount": "Alpha"}}', Bill)
    found = resolve((), reading.value, reading.node, [Source("a", ("Alpha EUR",), paged=False)]).by_field or {}
    assert {path: len(cited) for path, cited in found.items()} == {"money.amount": 1, "money.currency": 0}


class Tree(BaseModel):
    name: str
    children: list[Tree] = []
    parent: Tree | None = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="after")
    def link(self) -> Tree:
        for child in self.children:
            child.__dict__["parent"] = self
        return self


def test_what_is_linked_back_is_walked_once() -> None:
    reading = read('{"name": "Alpha", "children": [{"name": "Beta"}]}', Tree)
    paths = [leaf.path for leaf in leaves(reading.value, reading.node)]
    assert paths == ["name", "children[0].name", "children[0].children", "parent"]


def test_what_is_no_list_is_no_list_of_leaves() -> None:
    class Odd(BaseModel):
        numbers: Annotated[Any, AfterValidator(lambda _: range(10**9))]
        deep: Annotated[Any, AfterValidator(lambda _: _nested(3000))]

    reading = read('{"numbers": 1, "deep": 1}', Odd)
    assert [leaf.path for leaf in leaves(reading.value, reading.node)] == ["numbers"]


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value
