"""What must never be verified, and what is found although it is written otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pydantic import BaseModel, create_model

from batchata.citations import resolve
from batchata.jsonspans import locate
from batchata.structured import read
from batchata.types import Citation, Match, Origin, Quote, Source, TextBlock


class Field(BaseModel):
    value: str


def quoted(quote: str, *texts: str, page: int | None = None) -> Citation:
    """A quote looked up in documents of one page each, where the model may have said which page."""
    sources = [Source(f"{number}.pdf", (text,), paged=True) for number, text in enumerate(texts)]
    reading = read('{"value": "x"}', Field)
    quotes = (Quote("value", quote, page),)
    return (resolve((), reading.value, reading.node, sources, quotes).by_field or {})["value"][0]


def aligned(value: str, text: str) -> tuple[str, Match | None, bool] | None:
    """What is found of a field's value."""
    model = Field(value=value)
    found = resolve((), model, locate(model.model_dump_json()), [Source("a.txt", (text,), paged=False)])
    places = (found.by_field or {})["value"]
    return (places[0].cited_text, places[0].match, places[0].verified) if places else None


def places(pages: tuple[str, ...], /, **values: str | int | Decimal | date) -> dict[str, tuple[int, int, float]]:
    """For each field found its page, character and score."""
    model = create_model("Result", **{name: (type(value), ...) for name, value in values.items()})(**values)  # type: ignore[call-overload]  # fields by name
    node = locate(model.model_dump_json())
    found = resolve((), model, node, [Source("a.pdf", pages, paged=True)]).by_field or {}
    return {
        name: (each.start_page or 0, each.start_char or 0, round(each.score or 0, 3))
        for name, cited in found.items()
        for each in cited
    }


# --- negation ----------------------------------------------------------------------------------------

DENIED = [
    ("liable for damages", "The supplier is not liable for damages."),
    ("liable for damages", "The supplier isn't liable for damages."),
    ("liable for damages", "The supplier isn’t\nliable for damages."),
    ("liable for damages", "The supplier is never\u00a0liable for damages."),
    ("terminate the agreement", "The customer cannot terminate the agreement."),
    ("refundable", "All fees are non-refundable."),
    ("refundable", "All fees are non - refundable."),
    ("consent", "without consent of the other party"),
    ("refund", "There is no refund."),
    ("haftbar", "Der Verkäufer ist nicht haftbar."),
    ("Der Verkäufer haftet", "Der Verkäufer haftet nicht für Mängel."),
    ("Garantie", "Es besteht keine Garantie."),
    ("responsable", "Le vendeur n'est pas responsable."),
    ("garantía", "Se vende sin garantía."),
    ("aansprakelijk", "De verkoper is niet aansprakelijk."),
    ("несёт ответственность", "Продавец не несёт ответственность."),
    ("确定", "金额尚不确定。"),
    ("مسؤول", "البائع غير مسؤول"),
    ("opłat", "Konto bez opłat"),
]


@pytest.mark.parametrize(("value", "text"), DENIED)
def test_a_not_is_never_matched_to_its_absence(value: str, text: str) -> None:
    assert quoted(value, text).match is Match.NOT_FOUND
    assert aligned(value, text) is None
    plain = f"{text} {value.capitalize()}."
    assert quoted(value, plain).verified, "where it also stands undenied, that place counts"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("4711", "Invoice No 4711"),
        ("RE-4711", "Invoice no RE-4711"),
        ("ACME", "Order No ACME"),
        ("12", "No. 12"),
        ("12", "Artikel 12 nicht lieferbar"),
        ("not liable for damages", "The supplier is not liable for damages."),
        ("liable for damages", "Is he or is he not? He is liable for damages."),
        ("Notting Hill", "in Notting Hill"),
        ("Kannapolis", "in Kannapolis"),
        ("Müller", "Name: Müller\nNicht rückerstattbar"),
        ("ACME GmbH", "Skonto: ohne\nACME GmbH"),
        ("Martin", "Dupont, né Martin"),
    ],
)
def test_what_only_looks_like_a_negation(value: str, text: str) -> None:
    found = aligned(value, text)
    assert found is not None
    assert found[2]
    assert quoted(value, text).verified


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (30, "not 30 days"),
        (Decimal("0.3"), "not 30 % of it"),
        ("30%", "not 30 % of it"),
        (date(2024, 3, 5), "nicht am, nicht 05.03.2024"),
        ("2024-03-05", "never 5 March 2024"),
    ],
)
def test_a_number_that_is_denied_is_not_meant(value: str | int | Decimal | date, text: str) -> None:
    assert places((text,), value=value) == {}
    plain = text.replace("not ", "").replace("never ", "").replace("nicht ", "")
    assert list(places((plain,), value=value)) == ["value"]


# --- signs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1,234.50", "Result -1,234.50"),
        ("1,234.50", "Result \u22121,234.50"),
        ("1,234.50", "Result -$1,234.50"),
        ("$1,234.50", "Result -$1,234.50"),
        ("5 %", "-5 %"),
    ],
)
def test_a_number_is_not_found_without_its_sign(value: str, text: str) -> None:
    assert aligned(value, text) is None
    assert quoted(value, text).match is Match.NOT_FOUND


@pytest.mark.parametrize(
    ("value", "text"),
    [("77", "RE-77"), ("20", "pages 10-20"), ("4711", "(0351)-4711"), ("5 eggs", "- 5 eggs"), ("-5 %", "of -5 %")],
)
def test_a_hyphen_is_no_sign(value: str, text: str) -> None:
    assert quoted(value, text).verified


# --- dates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("05/11/2017", {date(2017, 11, 5), date(2017, 5, 11)}),
        ("05/11/2017, due 13/12/2017", {date(2017, 11, 5)}),
        ("05/11/2017, due 12-13-2017", {date(2017, 5, 11)}),
        ("05/11/2017, from 13/12/2017 or 12/13/2017", {date(2017, 11, 5), date(2017, 5, 11)}),
        ("05/11/2017, due 13.12.2017", {date(2017, 11, 5), date(2017, 5, 11)}),
    ],
)
def test_other_dates_show_whether_the_day_stands_first(text: str, meant: set[date]) -> None:
    readings = (date(2017, 11, 5), date(2017, 5, 11))
    assert {day for day in readings if places((text,), value=day)} == meant


# --- the place that is given --------------------------------------------------------------------------


def test_a_place_given_by_its_characters_is_what_the_provider_says() -> None:
    text = "The supplier is not liable."
    citation = Citation("liable", document_index=0, start_char=20, end_char=26)
    found = resolve([TextBlock("x", (citation,))], None, None, [Source("a.txt", (text,), paged=False)]).flat[0]
    assert found == replace(citation, document="a.txt", match=Match.EXACT, verified=True, score=1.0)


# --- roughly the same --------------------------------------------------------------------------------

CLAUSE = (
    "The Supplier shall deliver the 120 machines to the Customer’s plant in Leeds within 30 days of 5 March 2024."
)


@pytest.mark.parametrize(
    "quote",
    [
        "The Supplier shall deliver the 120 machines to the customer plant in Leeds within 30 days of 5 March 2024.",
        "The Suplier shall deliver the 120 machines to the Customer's plant in Leeds within 30 days of 5 March 2024.",
        "Supplier shall deliver 120 machines to the Customer's plant in Leeds within 30 days of 5 March 2024",
    ],
)
def test_roughly_the_same_is_found_and_not_verified(quote: str) -> None:
    found = quoted(quote, f"Preamble.\n{CLAUSE}\nMore.", page=1)
    assert (found.match, found.verified, found.start_page) == (Match.FUZZY, False, 1)
    assert found.score is not None
    assert 0.85 <= found.score < 1


@pytest.mark.parametrize(
    "quote",
    [
        "The Suplier shall deliver the 121 machines to the customer plant in Leeds within 30 days of 5 March 2024.",
        "The Suplier shall deliver the 120 machines to the customer plant in Leeds within 3.0 days of 5 March 2024.",
        "The Suplier shall deliver the 120 machines to the customer plant in Leeds within 30 days of 5 May 2024.",
        "The Suplier shall not deliver the 120 machines to the customer plant in Leeds within 30 days of 5 March 2024.",
        "The Suplier shall deliver the machines to the customer plant in Leeds within 30 days of 5 March 2024.",
        "The Suplier shall deliver the 120 million machines to the customer plant in Leeds in 30 days of 5 March 2024.",
        "The Suplier shall deliver the (120 machines to the customer plant in Leeds within 30 days of 5 March 2024.",
        "The Buyer must collect the 120 engines at the works in York before 30 days from 5 March 2024 have passed.",
    ],
)
def test_another_number_date_or_not_is_no_likeness(quote: str) -> None:
    assert quoted(quote, f"Preamble.\n{CLAUSE}\nMore.", page=1).match is Match.NOT_FOUND


def test_words_for_numbers_are_numbers() -> None:
    clause = "The term of this agreement is three years from its signature by both parties."
    assert quoted(clause.replace("agreement", "agrement"), clause).match is Match.FUZZY
    assert quoted(clause.replace("agreement", "agrement").replace("three", "five"), clause).match is Match.NOT_FOUND


def test_short_texts_are_never_rough() -> None:
    assert quoted("Acme Ldt", "by Acme Ltd").match is Match.NOT_FOUND
    assert aligned("Leds", "in Leeds") is None


def test_the_likeliest_of_several_rough_places() -> None:
    near = "The goods were shipped from the harbour of Rotterdam to the buyer."
    far = "The goods were shipped from the harbours of Antwerpen to a buyer."
    found = quoted("The goods were shiped from the harbour of Rotterdam to the buyer.", f"{far}\n{near}\n{far}")
    assert (found.cited_text, found.match) == (
        "The goods were shiped from the harbour of Rotterdam to the buyer.",
        Match.FUZZY,
    )
    assert found.start_char == len(far) + 1


def test_rough_places_share_the_score() -> None:
    near = "The goods were shipped from the harbour of Rotterdam to the buyer."
    found = quoted(
        "The goods were shiped from the harbour of Rotterdam to the buyer.", f"{near}\nAnd again:\n{near}"
    )
    assert (found.match, found.start_char) == (Match.FUZZY, 0)
    assert found.score == pytest.approx(0.496, abs=0.001)


def test_chinese_needs_no_spaces_to_be_rough() -> None:
    assert (
        quoted("归属于上市公司股东的净利闰大幅增长", "本期归属于上市公司股东的净利润大幅增长。").match
        is Match.FUZZY
    )


@pytest.mark.parametrize(
    "text",
    ["un-\nbefristet", "un\u00adbefristet", "un\u0002\nbefristet", "un\u200bbefristet", "un\u00ad\nbefristet"],
)
def test_half_of_a_parted_word_is_no_word(text: str) -> None:
    assert not quoted("befristet", f"Der Vertrag ist {text}.").verified
    assert quoted("unbefristet", f"Der Vertrag ist {text}.").verified
    assert quoted("Schmidt", "Herr Müller-\nSchmidt").verified


# --- inside words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("Manning", "Mannings Team", ("Manning", Match.FUZZY, False)),
        ("غورو", "مدرسة بـــغورو", ("غورو", Match.EXACT, True)),
        ("مدينة", "في المدينة", ("مدينة", Match.EXACT, True)),
        ("مدينة", "في والمدينة", ("مدينة", Match.EXACT, True)),
        # A first letter may be one of the word itself: only looked at, not believed.
        ("رشليم", "الى برشليم", ("رشليم", Match.FUZZY, False)),
        ("refundable", "nonrefundable", None),
        ("total", "subtotal", None),
        ("age", "page", None),
        ("5", "150", None),
    ],
)
def test_values_inside_words(value: str, text: str, expected: tuple[str, Match, bool] | None) -> None:
    assert aligned(value, text) == expected


# --- written otherwise -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("マクロ経済変数", "これはマクロ経\n済変数である"),
        ("归属于股东的净利润", "本期归属于股东\r\n  的净利润增长"),
        ("مدرسة", "مدرســـة"),
        ("Straße", "STRASSE"),
        ("Betriebshaftpflicht", "die Betriebs-\nhaftpflicht"),
        ("final offer", "a ﬁnal\u00a0offer"),
        ("José", "JOSE\u0301"),
        ("“quoted”", '"quoted"'),
    ],
)
def test_typography_is_no_difference(value: str, text: str) -> None:
    found = aligned(value, text)
    assert found is not None
    assert found[1:] == (Match.NORMALISED, True)


# --- documents and pages -----------------------------------------------------------------------------


def test_a_quote_is_looked_up_in_every_document() -> None:
    found = quoted("Leeds Works", "York Works", "Leeds Works")
    assert (found.document, found.document_index, found.score) == ("1.pdf", 1, 1.0)
    assert quoted("Works", "York Works", "Leeds Works").score == 0.5
    nowhere = quoted("Hull Works", "York Works", "Leeds Works", page=1)
    assert (nowhere.document, nowhere.document_index, nowhere.start_page) == (None, None, 1)


def test_a_quote_may_run_over_the_end_of_the_page_it_names() -> None:
    source = Source("a.pdf", ("One. The sky is", "blue today. Two.", "Two."), paged=True)
    reading = read('{"value": "blue"}', Field)

    def found(quote: str, page: int) -> tuple[Match | None, int | None, int | None]:
        cited = resolve((), reading.value, reading.node, [source], (Quote("value", quote, page),)).flat[0]
        return cited.match, cited.start_page, cited.end_page

    assert found("The sky is blue today.", 1) == (Match.NORMALISED, 1, 2)
    assert found("blue today.", 1) == (Match.NOT_FOUND, 1, 1)
    assert found("Two.", 3) == (Match.EXACT, 3, 3)
    assert found("Two.", 4) == (Match.NOT_FOUND, 4, 4)


def test_what_stands_elsewhere_is_said_beside_what_is_wrong() -> None:
    source = Source("a.pdf", ("Contents", "Two places: here", "and here"), paged=True)
    reading = read('{"value": "here"}', Field)
    cited = resolve((), reading.value, reading.node, [source], (Quote("value", "here", 1),)).by_field or {}
    assert [(each.origin, each.start_page, each.match, each.score) for each in cited["value"]] == [
        (Origin.QUOTED, 1, Match.NOT_FOUND, 0.0),
        (Origin.ALIGNED, 2, Match.EXACT, 0.5),
    ]


# --- several places ----------------------------------------------------------------------------------


class Sums(BaseModel):
    subtotal: str
    total: str


SUMS = "Subtotal:  100.00\nVAT:  0.00\nTotal:       100.00\n"


@pytest.mark.parametrize("is_quoted", [True, False])
def test_of_several_places_each_field_has_its_own(is_quoted: bool) -> None:
    model = Sums(subtotal="100.00", total="100.00")
    node = locate(model.model_dump_json())
    quotes = [Quote(field, "100.00", 1) for field in ("subtotal", "total")] if is_quoted else []
    found = resolve((), model, node, [Source("a.pdf", (SUMS,), paged=True)], quotes)
    assert {
        path: [(each.start_char, each.score) for each in places] for path, places in (found.by_field or {}).items()
    } == {
        "subtotal": [(SUMS.index("100"), 0.75)],
        "total": [(SUMS.rindex("100"), 0.75)],
    }


def test_a_longer_label_is_not_the_shorter_one() -> None:
    text = "Net total 100\nTax 0\nTotal 100"
    assert places((text,), total=100, net_total=100) == {"total": (1, 26, 0.75), "net_total": (1, 10, 0.75)}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("phone_numbers", "555\nPhone number: 555"),
        ("phone_number", "555\nPhone numbers 555"),
        ("phone_number", "555\nphone_number=555"),
        ("phoneNumber", "555\nphoneNumber 555"),
        ("E-Mail", "555\nemail 555"),
        ("金額", "555\n合計金額 555"),
    ],
)
def test_a_label_written_a_little_otherwise(field: str, text: str) -> None:
    assert places((text,), **{field: "555"}) == {field: (1, text.rindex("555"), 0.75)}


def test_labels_at_several_places_decide_nothing() -> None:
    pages = ("Invoice number AB-1", "Invoice number AB-1", "see AB-1")
    assert places(pages, invoice_number="AB-1") == {"invoice_number": (1, 15, 0.417)}
    assert places(pages[:2], invoice_number="AB-1") == {"invoice_number": (1, 15, 0.5)}


def test_among_equal_labels_the_siblings_decide() -> None:
    pages = ("Total 100", "Total 100, for Smith Ltd")
    assert places(pages, total=100, customer="Smith Ltd")["total"] == (2, 6, 0.5)


def test_the_label_is_found_behind_any_number_of_places() -> None:
    pages = (*["Item 2 and 2 and 2 and 2 and 2."] * 100, "Pages: 2.")
    assert places(pages, pages=2) == {"pages": (101, 7, 0.501)}
