"""Which field each cited block of an answer belongs to: one row for each shape that answers take.

In the rows ``⟦Acme|Acme Ltd⟧`` is a block "Acme" that cites "Acme Ltd" (``|`` again: a second citation); what stands
between such blocks is a block without citations. Fields that are not listed must have got nothing.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Literal

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, Field, RootModel

from batchata.citations.leaves import leaves
from batchata.citations.mapping import assign
from batchata.jsonspans import locate
from batchata.structured import read
from batchata.types import Citation, TextBlock

_CITED = re.compile(r"⟦(.*?)⟧", re.DOTALL)


def blocks_of(answer: str) -> list[TextBlock]:
    blocks: list[TextBlock] = []
    for number, piece in enumerate(_CITED.split(answer)):
        text, *cited = piece.split("|") if number % 2 else [piece]
        if piece:
            blocks.append(TextBlock(text, tuple(Citation(each) for each in cited)))
    return blocks


def mapped(model: type[BaseModel], answer: str) -> tuple[dict[str, list[str]], list[str]]:
    """What was cited for each field that got something, and what for none."""
    blocks = blocks_of(answer)
    reading = read("".join(block.text for block in blocks), model)
    found = leaves(reading.value, reading.node)
    assigned = assign(blocks, found, (reading.node.start, reading.node.end))
    cited = [citation.cited_text for block in blocks for citation in block.citations]
    assert set(assigned.by_leaf) <= {leaf.path for leaf in found}
    numbers = [*assigned.unmapped, *{number for each in assigned.by_leaf.values() for number in each}]
    assert sorted(numbers) == list(range(len(cited)))
    by_field = {path: [cited[number] for number in each] for path, each in assigned.by_leaf.items()}
    return by_field, [cited[number] for number in assigned.unmapped]


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


class Half(BaseModel):
    first: str
    second: str = ""


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


class Contract(BaseModel):
    parties: list[str]
    issue_date: date | None = None
    due_date: date | None = None


class Bill(BaseModel):
    invoice_number: str = ""
    vendor: str = ""
    net_total: Decimal | None = None
    total: Decimal | None = None
    currency: str = "EUR"


class Company(BaseModel):
    name: str
    city: str = ""


class Deal(BaseModel):
    vendor: Company
    customer: Company


class Mixed(BaseModel):
    iso_3166_code: str = ""
    line2: str = ""
    url: str = ""
    size: int | str = ""
    kind: Literal["full", "part"] | None = None
    notes: str = ""
    tags: list[str] = []
    paid: bool | None = None


Case = tuple[type[BaseModel], str, dict[str, list[str]], list[str]]

EQUAL = '{"invoice_number": "INV-1", "vendor": "Acme Ltd", "net_total": 100, "total": 100}'
DEAL = '{"vendor": {"name": "Acme", "city": "Rome"}, "customer": {"name": "Acme", "city": "Oslo"}}'

IN_THE_JSON: dict[str, Case] = {
    "values only, nested, in a list, with a fence and prose around": (
        Invoice,
        (
            'Here it is:\n```json\n{"vendor": "⟦Acme|Acme Ltd⟧", "address": {"street": "⟦1 Main St|at 1 Main St⟧", '
            '"city": "Rome"}, "lines": [{"text": "⟦Bolt|Bolts⟧", "amount": ⟦2.50|2,50 EUR⟧}, '
            '{"text": "Nut", "amount": ⟦3|3 EUR⟧}]}\n```'
        ),
        {
            "vendor": ["Acme Ltd"],
            "address.street": ["at 1 Main St"],
            "lines[0].text": ["Bolts"],
            "lines[0].amount": ["2,50 EUR"],
            "lines[1].amount": ["3 EUR"],
        },
        [],
    ),
    "whole lines": (
        Pair,
        '{\n⟦  "first": "a",\n|line 1⟧⟦  "second": "b"\n|line 2⟧}',
        {"first": ["line 1"], "second": ["line 2"]},
        [],
    ),
    "a key and its value": (Pair, '{"first": "x", ⟦"second": "y"|here⟧}', {"second": ["here"]}, []),
    "a line with two values": (
        Pair,
        '{⟦"first": "a", "second": "b"|both⟧}',
        {"first": ["both"], "second": ["both"]},
        [],
    ),
    "a value split over two blocks": (
        Pair,
        '{"first": "⟦Acme|A⟧⟦ Limited|B⟧", "second": "y"}',
        {"first": ["A", "B"]},
        [],
    ),
    "a block from the middle of a value to the middle of the next": (
        Pair,
        '{"first": "Acme ⟦Limited", "second": "Be|across⟧ta"}',
        {"first": ["across"], "second": ["across"]},
        [],
    ),
    "a block over an array": (
        Contract,
        '{⟦"parties": ["Acme", "Beta"]|between Acme and Beta⟧}',
        {"parties[0]": ["between Acme and Beta"], "parties[1]": ["between Acme and Beta"]},
        [],
    ),
    "list items one by one": (
        Contract,
        '{"parties": ["⟦Acme|Acme Ltd⟧", "⟦Beta|Beta AG⟧"]}',
        {"parties[0]": ["Acme Ltd"], "parties[1]": ["Beta AG"]},
        [],
    ),
    "five text blocks, two of them cited": (
        Pair,
        '{"first": "⟦Acme|Acme Ltd⟧", "second": "⟦Beta|Beta AG⟧"}',
        {"first": ["Acme Ltd"], "second": ["Beta AG"]},
        [],
    ),
    "two citations on one block": (Pair, '{"first": "⟦a|one|two⟧", "second": "b"}', {"first": ["one", "two"]}, []),
    "equal values in two fields": (Pair, '{"first": "x", "second": "⟦x|here⟧"}', {"second": ["here"]}, []),
    "a value inside another": (Person, '{"age": 5, "page": ⟦150|p. 150⟧}', {"page": ["p. 150"]}, []),
    "punctuation and keys belong to no field": (
        Pair,
        '{⟦"first"|key⟧⟦: |colon⟧"a"⟦,|comma⟧ "second": "b"⟦}|brace⟧',
        {},
        ["key", "colon", "comma", "brace"],
    ),
    "booleans and nulls": (
        Person,
        '{"age": 5, "page": 1, "active": ⟦true|is active⟧}',
        {"active": ["is active"]},
        [],
    ),
    "null": (Contract, '{"parties": [], "due_date": ⟦null|no date⟧}', {"due_date": ["no date"]}, []),
    "an empty string": (Pair, '{"first": ⟦""|blank⟧, "second": "b"}', {"first": ["blank"]}, []),
    "an empty list": (Contract, '{"parties": ⟦[]|nobody⟧}', {"parties": ["nobody"]}, []),
    "an optional field that is missing": (Contract, '{"parties": ["⟦A|A⟧"]}', {"parties[0]": ["A"]}, []),
    "dict keys": (
        Meta,
        '{"meta": {"a.b": ⟦1|one⟧, "key": ⟦2|two⟧}}',
        {'meta["a.b"]': ["one"], "meta.key": ["two"]},
        [],
    ),
    "a list at the root": (
        Lines,
        '[{"text": "a", "amount": 1}, {"text": ⟦"b"|bee⟧, "amount": 2}]',
        {"[1].text": ["bee"]},
        [],
    ),
    "aliases": (
        Renamed,
        '{"vendorName": "⟦v|V⟧", "total_amount": ⟦3|three⟧, "names": ["⟦f|F⟧"]}',
        {"vendor": ["V"], "total": ["three"], "first": ["F"]},
        [],
    ),
    "escaped quotes, line ends and letters, before and inside the cited block": (
        Pair,
        r'{"first": "a \"q\" \u00e9\n⟦e\"n\u0064|E⟧ \ud83d\ude00", "second": "⟦\ud83d|grin⟧\ude00"}',
        {"first": ["E"], "second": ["grin"]},
        [],
    ),
    "a URL with a port, names with digits and underscores": (
        Mixed,
        '{"iso_3166_code": "⟦DE|Germany⟧", "line2": "⟦b|B⟧", "url": "http://x.org:80/⟦a|path⟧?b={}"}',
        {"iso_3166_code": ["Germany"], "line2": ["B"], "url": ["path"]},
        [],
    ),
    "unions and literals": (
        Mixed,
        '{"size": ⟦12|dozen⟧, "kind": "⟦part|in part⟧"}',
        {"size": ["dozen"], "kind": ["in part"]},
        [],
    ),
    "a string of several lines": (
        Mixed,
        '{"notes": "⟦one\n|1⟧⟦two\n|2⟧", "tags": ["x"]}',
        {"notes": ["1", "2"]},
        [],
    ),
    "cite markup inside the value": (
        Pair,
        '{"first": "<cite index="1">⟦Acme|A⟧</cite>", "second": ⟦"b"|B⟧}',
        {"first": ["A"], "second": ["B"]},
        [],
    ),
    "braces in the prose before": (
        Pair,
        'As {asked} [sic]: {"first": "⟦a|A⟧", "second": "b"} {fin}',
        {"first": ["A"]},
        [],
    ),
    "a block from the prose into the first value": (
        Pair,
        '⟦The second is b. {"first": "a|A⟧", "second": "b"}',
        {"first": ["A"]},
        [],
    ),
}

THE_WHOLE_JSON: dict[str, Case] = {
    "one field gets everything": (
        RootModel[dict[str, bool]],
        '⟦{"answer": true}|The grass is green.|The sky is blue.⟧',
        {"answer": ["The grass is green.", "The sky is blue."]},
        [],
    ),
    "values decide, small numbers only beside their label": (
        Person,
        '⟦{"age": 5, "page": 150, "active": true}|age 5|5 EUR|on page 150|both 5 and 150|true or not|51501⟧',
        {"age": ["age 5"], "page": ["on page 150", "both 5 and 150"]},
        ["5 EUR", "true or not", "51501"],
    ),
    "short strings only beside their label": (
        Mixed,
        '⟦{"iso_3166_code": "DE", "line2": "No"}|No VAT|ISO-3166 code: DE, to be paid|DE 123⟧',
        {"iso_3166_code": ["ISO-3166 code: DE, to be paid"]},
        ["No VAT", "DE 123"],
    ),
    "equal values by the nearest label, with none to all": (
        Bill,
        f"⟦{EQUAL}|Net total 100.00|100 is the total|Net total: 100\nTotal: 100|EUR 100,00⟧",
        {
            "net_total": ["Net total 100.00", "Net total: 100\nTotal: 100", "EUR 100,00"],
            "total": ["100 is the total", "Net total: 100\nTotal: 100", "EUR 100,00"],
        },
        [],
    ),
    "equal values by what holds them": (
        Deal,
        f"⟦{DEAL}|Customer: Acme|Vendor name Acme, of Rome|Acme⟧",
        {
            "vendor.name": ["Vendor name Acme, of Rome", "Acme"],
            "vendor.city": ["Vendor name Acme, of Rome"],
            "customer.name": ["Customer: Acme", "Acme"],
        },
        [],
    ),
    "one party's name inside another's": (
        Contract,
        '⟦{"parties": ["Acme", "Acme Holding"]}|Acme Holding|Acme|Acme and Acme Holding⟧',
        {
            "parties[0]": ["Acme", "Acme and Acme Holding"],
            "parties[1]": ["Acme Holding", "Acme and Acme Holding"],
        },
        [],
    ),
    "other notations": (
        Contract,
        '⟦{"parties": [], "due_date": "2024-03-05"}|until 5 March 2024|05.03.2024|5 March 2023⟧',
        {"due_date": ["until 5 March 2024", "05.03.2024"]},
        ["5 March 2023"],
    ),
    "with its fence and the prose around it": (
        Pair,
        '⟦Here:\n```json\n{"first": "Acme", "second": "Beta"}\n```\n|the Beta company⟧',
        {"second": ["the Beta company"]},
        [],
    ),
}


@pytest.mark.parametrize("name", IN_THE_JSON)
def test_blocks_in_the_json(name: str) -> None:
    model, answer, by_field, unmapped = IN_THE_JSON[name]
    assert mapped(model, answer) == (by_field, unmapped)


@pytest.mark.parametrize("name", THE_WHOLE_JSON)
def test_a_block_over_the_whole_json(name: str) -> None:
    model, answer, by_field, unmapped = THE_WHOLE_JSON[name]
    assert mapped(model, answer) == (by_field, unmapped)


def test_an_answer_cut_short() -> None:
    blocks = blocks_of('{"first": "⟦Acme|A⟧", "second": "⟦Be|B⟧')
    node = locate("".join(block.text for block in blocks))
    assert node is not None
    whole = Half.model_validate(node.value)
    assigned = assign(blocks, leaves(whole, node), (node.start, node.end))
    assert (assigned.by_leaf, assigned.unmapped) == ({"first": [0]}, [1])


def test_an_answer_without_json() -> None:
    value = Pair(first="Acme", second="Beta")
    assigned = assign(blocks_of("The first is ⟦Acme|A⟧, the other ⟦Beta|B⟧."), leaves(value, None), None)
    assert (assigned.by_leaf, assigned.unmapped) == ({"first": [0]}, [1])
