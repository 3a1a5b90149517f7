"""Citations looked up in the documents, and values without a citation found there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, RootModel, create_model

from batchata.citations import Resolved, resolve
from batchata.citations.index import fold
from batchata.jsonspans import locate
from batchata.structured import read
from batchata.types import Box, Citation, Match, Origin, Source, TextBlock


def cite(text: str, **place: Any) -> Citation:
    return Citation(text, document_index=0, **place)


class Line(BaseModel):
    text: str
    amount: Decimal


class Lines(RootModel[list[Line]]):
    pass


class Pair(BaseModel):
    first: str
    second: str


class Person(BaseModel):
    age: int
    page: int


# --- grounding ---------------------------------------------------------------------------------------

PAGES = (
    "Acme Ltd\r\nInvoice RE-2024-77\r\nof 5 March 2024\r\n",
    "The quick brown fox jumps over the la\u0002\r\nzy dog. It's the “ﬁnal” well-\r\nknown price:\r\n1.234,50 €",
    "",
)


def _boxes(page: int, start: int, end: int) -> tuple[Box, ...]:
    return (Box(page, start, 0, end, 1),)


PAPER = Source("paper.pdf", PAGES, paged=True, boxes=_boxes)


def ground(citation: Citation, *sources: Source | None) -> Citation:
    return resolve([TextBlock("x", (citation,))], None, None, sources or (PAPER,)).flat[0]


def test_exact() -> None:
    found = ground(cite("Invoice RE-2024-77 ", start_page=1, end_page=1))
    assert (found.match, found.verified, found.score, found.document) == (Match.EXACT, True, 1.0, "paper.pdf")
    assert (found.start_page, found.end_page, found.start_char, found.end_char) == (1, 1, 10, 28)
    assert found.boxes == (Box(1, 10, 0, 28, 1),)
    assert found.cited_text == "Invoice RE-2024-77 "


@pytest.mark.parametrize(
    "quote",
    [
        "quick  brown\nfox",
        "QUICK BROWN FOX",
        "the lazy dog",
        'It’s the "final"',
        "well-known price: 1.234,50",
        "wellknown price",
        "quick brown fox jumps over the la\nzy dog",
    ],
)
def test_normalised(quote: str) -> None:
    found = ground(cite(quote, start_page=2, end_page=2))
    assert (found.match, found.verified, found.start_page) == (Match.NORMALISED, True, 2)


def test_a_space_within_a_line_may_part_other_words() -> None:
    found = ground(cite("quick brown fox jumps overthe lazy dog", start_page=2, end_page=2))
    assert (found.match, found.verified) == (Match.FUZZY, False)


@pytest.mark.parametrize(
    ("quote", "page"),
    [
        ("quick brown cat", 2),
        ("quick brown fox", 1),
        ("Acme Ltd", 3),
        ("Acme Ltd", 9),
        ("1.234,60", 2),
        ("over thelazy", 2),
        ("1.234,5", 2),
        ("ick brown fo", 2),
    ],
)
def test_not_found_where_it_should_stand(quote: str, page: int) -> None:
    found = ground(cite(quote, start_page=page, end_page=page))
    assert (found.match, found.verified, found.score, found.boxes) == (Match.NOT_FOUND, False, 0.0, ())
    assert (found.start_page, found.end_page) == (page, page)


def test_a_quote_over_two_pages() -> None:
    found = ground(cite("of 5 March 2024 The quick brown", start_page=1, end_page=2))
    assert (found.match, found.start_page, found.end_page, found.start_char, found.end_char) == (
        Match.NORMALISED,
        1,
        2,
        30,
        15,
    )
    assert found.boxes == (Box(1, 30, 0, 47, 1), Box(2, 0, 0, 15, 1))


def test_a_quote_that_stands_twice_is_less_sure() -> None:
    found = ground(cite("same"), Source("s", ("same and same",), paged=False))
    assert (found.match, found.score) == (Match.EXACT, 0.5)


@pytest.mark.parametrize(
    ("start", "end", "match"),
    [(4, 10, Match.EXACT), (3, 11, Match.NORMALISED), (0, 6, Match.NOT_FOUND), (40, 46, Match.NOT_FOUND)],
)
def test_offsets_are_checked_at_the_place(start: int, end: int, match: Match) -> None:
    source = Source("s.txt", ("The agency said.",), paged=False)
    found = ground(cite("agency", start_char=start, end_char=end), source)
    assert (found.match, found.start_char, found.end_char, found.start_page) == (match, start, end, None)


@pytest.mark.parametrize("index", [None, 1, 7])
def test_without_the_document_nothing_is_claimed(index: int | None) -> None:
    citation = replace(cite("anything"), document_index=index)
    assert ground(citation, PAPER, None) == citation
    assert (citation.match, citation.verified, citation.score) == (None, False, None)


def test_the_document_is_the_one_named() -> None:
    first, second = Source("a", ("alpha",), paged=False), Source("b", ("beta",), paged=False)
    assert ground(replace(cite("beta"), document_index=1), first, second).document == "b"
    assert ground(replace(cite("beta"), document_index=0), first, second).match == Match.NOT_FOUND


def test_folding() -> None:
    assert (
        fold("A\u00adb ﬁ 10² ½ “x” e\u0301 \u00e9 −5 co-\n  op").text == 'ab fi 10² ½ "x" e\u0301 e\u0301 -5 coop'
    )


# --- aligned -----------------------------------------------------------------------------------------


class Facts(BaseModel):
    vendor: str | None = None
    total: Decimal | None = None
    when: date | datetime | str | None = None
    rate: float | None = None
    ok: bool | None = None


def align(source: Source | tuple[Source, ...], **values: Any) -> dict[str, Any]:
    """What was found for each field: text, match, verified."""
    value = Facts(**values)
    text = value.model_dump_json(exclude_unset=True)
    resolved = resolve([TextBlock(text)], value, locate(text), source if isinstance(source, tuple) else (source,))
    assert resolved.by_field is not None
    assert all(citation.origin is Origin.ALIGNED for citation in resolved.flat)
    return {
        path: [(each.cited_text, each.match) for each in cited]
        for path, cited in resolved.by_field.items()
        if cited
    }


def doc(text: str) -> Source:
    return Source("d", (text,), paged=False)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("by Acme Ltd.", {"vendor": "Acme Ltd"}, {"vendor": [("Acme Ltd", Match.EXACT)]}),
        ("by ACME\nLTD.", {"vendor": "Acme Ltd"}, {"vendor": [("ACME\nLTD", Match.NORMALISED)]}),
        ("by Acme Ltdx", {"vendor": "Acme Ltd"}, {"vendor": [("Acme Ltd", Match.FUZZY)]}),
        ("use it", {"vendor": "IT"}, {}),
        ("José and Jose\u0301", {"vendor": "Jose"}, {}),
        ("JOSE\u0301", {"vendor": "José"}, {"vendor": [("JOSE\u0301", Match.NORMALISED)]}),
        ("Voß", {"vendor": "VOSS"}, {"vendor": [("Voß", Match.NORMALISED)]}),
        ("Voß", {"vendor": "VOS"}, {}),
        ("150", {"total": 5}, {}),
        ("5.3 or 5,3 or RE-5", {"total": 5}, {}),
        ("Total 1.234,50 €", {"total": "1234.5"}, {"total": [("1.234,50", Match.NUMERIC)]}),
        ("Total 1234.50", {"total": "1234.50"}, {"total": [("1234.50", Match.EXACT)]}),
        ("Total (1,234)", {"total": -1234}, {"total": [("(1,234)", Match.NUMERIC)]}),
        ("12.3 million", {"total": 12300000}, {"total": [("12.3 million", Match.NUMERIC)]}),
        ("12.3 million", {"total": "12.3"}, {}),
        ("19 % VAT", {"rate": 0.19}, {"rate": [("19 %", Match.NUMERIC)]}),
        ("19 % VAT", {"rate": 19.0}, {"rate": [("19 %", Match.NUMERIC)]}),
        ("1.234,60", {"total": "1234.50"}, {}),
        ("on 05.03.2024", {"when": date(2024, 3, 5)}, {"when": [("05.03.2024", Match.NUMERIC)]}),
        ("on 5 March 2024", {"when": "2024-03-05"}, {"when": [("5 March 2024", Match.NUMERIC)]}),
        ("on 2024-03-05", {"when": date(2024, 3, 5)}, {"when": [("2024-03-05", Match.EXACT)]}),
        ("on 05.04.2024", {"when": date(2024, 3, 5)}, {}),
        ("5.3.2024, 10:30", {"when": datetime(2024, 3, 5, 10, 30)}, {"when": [("5.3.2024, 10:30", Match.NUMERIC)]}),  # noqa: DTZ001  # documents name no zone
        ("5.3.2024, 10:31", {"when": datetime(2024, 3, 5, 10, 30)}, {}),  # noqa: DTZ001  # documents name no zone
        ("1.234,50 EUR", {"vendor": "€1234.50"}, {"vendor": [("1.234,50", Match.NUMERIC)]}),
        ("item 123", {"vendor": "00123"}, {}),
        ("item 123", {"vendor": "123"}, {"vendor": [("123", Match.EXACT)]}),
        ("true, none, null", {"ok": True, "vendor": None}, {}),
        ("", {"vendor": "Acme", "total": 5, "when": date(2024, 3, 5)}, {}),
        ("Αθήνα 東京都です", {"vendor": "東京"}, {"vendor": [("東京", Match.EXACT)]}),
    ],
)
def test_aligned(text: str, values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert align(doc(text), **values) == expected


def test_aligned_on_a_page_and_in_the_second_document() -> None:
    value = Facts(total=Decimal("1234.50"))
    text = '{"total": "1234.50"}'
    resolved = resolve([TextBlock(text)], value, locate(text), (doc("nothing"), PAPER))
    assert resolved.by_field is not None
    (found,) = resolved.by_field["total"]
    assert (found.document, found.document_index, found.start_page, found.end_page) == ("paper.pdf", 1, 2, 2)
    assert (found.match, found.verified, found.score, found.origin) == (Match.NUMERIC, True, 1.0, Origin.ALIGNED)
    assert found.boxes == (Box(2, found.start_char or 0, 0, found.end_char or 0, 1),)
    assert resolved.flat == [found]


def resolved_without_citations(model: type[BaseModel], text: str, source: Source) -> Resolved:
    reading = read(text, model)
    return resolve([TextBlock(text)], reading.value, reading.node, [source])


def test_of_several_places_the_one_near_the_label() -> None:
    source = doc("Age limit 18. Page 7 of 7.\nName: Bob\nAge: 7\n")
    found = resolved_without_citations(Person, '{"age": 7, "page": 7}', source).by_field
    assert found is not None
    assert [each.start_char for each in found["age"]] == [42]
    assert [each.start_char for each in found["page"]] == [19]
    assert [each.score for each in found["age"] + found["page"]] == pytest.approx([2 / 3, 2 / 3])


def test_of_several_places_the_one_near_the_siblings() -> None:
    source = doc("Item  Amount\nBolt  10,00\nNut  20,00\nScrew  10,00\n")
    text = '[{"text": "Bolt", "amount": 10}, {"text": "Screw", "amount": 10}]'
    found = resolved_without_citations(Lines, text, source).by_field
    assert found is not None
    assert [(each.start_char, each.score) for each in found["[0].amount"]] == [(19, 0.5)]
    assert [(each.start_char, each.score) for each in found["[1].amount"]] == [(43, 0.5)]


def test_a_cited_field_is_not_aligned_too() -> None:
    blocks = [TextBlock('{"first": "'), TextBlock("Acme", (cite("Acme Ltd"),)), TextBlock('", "second": "Rome"}')]
    reading = read("".join(block.text for block in blocks), Pair)
    found = resolve(blocks, reading.value, reading.node, [doc("Acme Ltd, Rome. Acme")]).by_field
    assert found is not None
    assert [(each.origin, each.cited_text) for each in found["first"]] == [(Origin.PROVIDER, "Acme Ltd")]
    assert [(each.origin, each.cited_text) for each in found["second"]] == [(Origin.ALIGNED, "Rome")]


def test_without_a_model_the_citations_are_a_list() -> None:
    blocks = [TextBlock("It says "), TextBlock("Acme", (cite("Acme Ltd"),)), TextBlock(".")]
    found = resolve(blocks, None, None, [doc("Acme Ltd")])
    assert found.by_field is None
    assert [(each.cited_text, each.match) for each in found.flat] == [("Acme Ltd", Match.EXACT)]
    assert found.unmapped == []


def test_many_citations_in_a_long_document() -> None:
    fields: dict[str, Any] = {f"f{number}": (str, ...) for number in range(40)}
    model = create_model("Wide", **fields)
    page = "Lorem ipsum dolor sit amet 1.234,50 on 5 March 2024. " * 50
    source = Source("long.pdf", tuple(f"{page} value {number} here" for number in range(300)), paged=True)
    values = [
        (f"value {number}", cite(f"value {number} here", start_page=number + 1, end_page=number + 1))
        for number in range(40)
    ]
    blocks = [TextBlock("{")]
    for number, (value, citation) in enumerate(values):
        blocks += [
            TextBlock(f'{", " if number else ""}"f{number}": "'),
            TextBlock(value, (citation,) * 8),
            TextBlock('"'),
        ]
    blocks.append(TextBlock("}"))
    reading = read("".join(block.text for block in blocks), model)
    without = resolve(blocks, reading.value, reading.node, [])
    found = resolve(blocks, reading.value, reading.node, [source])
    assert len(without.flat) == len(found.flat) == 320
    assert all(each.verified for each in found.flat)
