"""Numbers and dates: tables of notations, and that no text takes long."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchata.notation import dates, numbers

NUMBERS: list[tuple[str, list[tuple[str, list[str]]]]] = [
    ("1.234,50 €", [("1.234,50", ["1234.50"])]),
    ("$1,234.50", [("1,234.50", ["1234.50"])]),
    ("EUR 1,234.00", [("1,234.00", ["1234.00"])]),
    ("100,00EUR", [("100,00", ["100.00"])]),
    ("Rs.500", [("500", ["500"])]),
    ("1'234.50", [("1'234.50", ["1234.50"])]),
    ("1’234’567", [("1’234’567", ["1234567"])]),
    ("1,23,456.78", [("1,23,456.78", ["123456.78"])]),
    ("1.234.567", [("1.234.567", ["1234567"])]),
    ("12,345,678", [("12,345,678", ["12345678"])]),
    ("0.123", [("0.123", ["0.123"])]),
    (".50", [(".50", ["0.50"])]),
    ("0,5", [("0,5", ["0.5"])]),
    ("100.", [("100", ["100"])]),
    ("Total:100.", [("100", ["100"])]),
    # several readings
    ("1.234", [("1.234", ["1234", "1.234"])]),
    ("1,234", [("1,234", ["1234", "1.234"])]),
    ("19 %", [("19 %", ["19", "0.19"])]),
    ("3.5%", [("3.5%", ["3.5", "0.035"])]),
    ("10k", [("10k", ["10", "10000"])]),
    ("1 234,50", [("1", ["1"]), ("1 234,50", ["1234.50"]), ("234,50", ["234.50"])]),
    ("2 100,00", [("2", ["2"]), ("2 100,00", ["2100.00"]), ("100,00", ["100.00"])]),
    ("1\u00a0234,50", [("1\u00a0234,50", ["1234.50"])]),
    ("12\u202f345\u202f678", [("12\u202f345\u202f678", ["12345678"])]),
    # signs
    ("-5", [("-5", ["-5"])]),
    ("−5 °C", [("−5", ["-5"])]),
    ("-$5.00", [("-$5.00", ["-5.00"])]),
    ("$-5", [("-5", ["-5"])]),
    ("1.234,50-", [("1.234,50-", ["-1234.50"])]),
    ("- 5", [("5", ["5"])]),
    ("(1,234.50)", [("(1,234.50)", ["-1234.50", "1234.50"])]),
    ("(1,234)", [("(1,234)", ["-1234", "-1.234", "1234", "1.234"])]),
    ("(12)", [("(12)", ["12", "-12"])]),
    ("10-20", [("10", ["10"]), ("20", ["20"])]),
    ("5–10", [("5", ["5"]), ("10", ["10"])]),  # a range is written with an en dash
    # scales and units
    ("12.3 million", [("12.3 million", ["12300000.0"])]),
    ("12,3 Mio. €", [("12,3 Mio", ["12300000.0"])]),
    ("$12.3M", [("12.3M", ["12300000.0"])]),
    ("€5bn", [("5bn", ["5000000000"])]),
    ("5 billion", [("5 billion", ["5000000000"])]),
    ("3 Milliarden", [("3 Milliarden", ["3000000000"])]),
    ("5kg", [("5", ["5"])]),
    ("3rd", [("3", ["3"])]),
    ("10-year", [("10", ["10"])]),
    # lists and neighbours
    ("1,2,3", [("1", ["1"]), ("2", ["2"]), ("3", ["3"])]),
    ("item 5, 6 and 7", [("5", ["5"]), ("6", ["6"]), ("7", ["7"])]),
    ("1/2", [("1", ["1"]), ("2", ["2"])]),
    ("#5", [("5", ["5"])]),
    ("共5人", [("5", ["5"])]),
    # no numbers
    ("RE-2024-77", []),
    ("DE89 3704 0044 0532 0130 00", []),
    ("USt-IdNr. DE123456789", []),
    ("v1.2", []),
    ("1.2.3", []),
    ("192.168.1.10", []),
    ("A4", []),
    ("COVID-19", []),
    ("10:30", []),
    ("http://example.com:8080/a/1", []),
    ("05.03.2024", []),
    ("2024-03-05T10:00:00", []),
    ("1e5", []),
    ("1" * 41, []),
    # the year of a written date is a number, the day is not
    ("5 March 2024", [("2024", ["2024"])]),
]

DATES: list[tuple[str, list[tuple[str, list[str]]]]] = [
    ("2024-03-05", [("2024-03-05", ["2024-03-05"])]),
    ("2024/3/5", [("2024/3/5", ["2024-03-05"])]),
    ("2024-03-05T10:00", [("2024-03-05", ["2024-03-05"])]),
    ("Date: 05.03.2024.", [("05.03.2024", ["2024-03-05"])]),
    ("5.3.24", [("5.3.24", ["2024-03-05"])]),
    ("5. 3. 1989", [("5. 3. 1989", ["1989-03-05"])]),
    ("5.3.89", [("5.3.89", ["1989-03-05"])]),
    ("05.03.2024-07.03.2024", [("05.03.2024", ["2024-03-05"]), ("07.03.2024", ["2024-03-07"])]),
    ("03/04/2024", [("03/04/2024", ["2024-04-03", "2024-03-04"])]),
    ("03-04-2024", [("03-04-2024", ["2024-04-03", "2024-03-04"])]),
    ("13/04/2024", [("13/04/2024", ["2024-04-13"])]),
    ("04/13/2024", [("04/13/2024", ["2024-04-13"])]),
    ("03.04.2024", [("03.04.2024", ["2024-04-03"])]),
    ("5 March 2024", [("5 March 2024", ["2024-03-05"])]),
    ("March 5, 2024", [("March 5, 2024", ["2024-03-05"])]),
    ("Mar 5 2024", [("Mar 5 2024", ["2024-03-05"])]),
    ("Sept. 5, 2024", [("Sept. 5, 2024", ["2024-09-05"])]),
    ("May 5th, 2024", [("May 5th, 2024", ["2024-05-05"])]),
    ("5th of March, 2024", [("5th of March, 2024", ["2024-03-05"])]),
    ("2024 March 5", [("2024 March 5", ["2024-03-05"])]),
    ("5-Mar-2024", [("5-Mar-2024", ["2024-03-05"])]),
    ("05 MAR 24", [("05 MAR 24", ["2024-03-05"])]),
    ("5. März 2024", [("5. März 2024", ["2024-03-05"])]),
    ("18 april 2014", [("18 april 2014", ["2014-04-18"])]),
    ("12 maart 2024", [("12 maart 2024", ["2024-03-12"])]),
    ("1er janvier 2024", [("1er janvier 2024", ["2024-01-01"])]),
    ("14 août 2023", [("14 août 2023", ["2023-08-14"])]),
    ("5 de marzo de 2024", [("5 de marzo de 2024", ["2024-03-05"])]),
    ("5 de março de 2024", [("5 de março de 2024", ["2024-03-05"])]),
    ("2 giugno 2022", [("2 giugno 2022", ["2022-06-02"])]),
    ("3 października 2023", [("3 października 2023", ["2023-10-03"])]),
    ("2024年4月18日", [("2024年4月18日", ["2024-04-18"])]),
    ("31.02.2024", []),
    ("1.2.3.4", []),
    ("1.05.03.2024", []),
    ("20240305", []),
    ("5 Items 2024", []),
]


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_numbers(text: str, expected: list[tuple[str, list[str]]]) -> None:
    found = numbers(text)
    assert [(token.text, [str(value) for value in token.values]) for token in found] == expected
    assert all(text[token.start : token.end] == token.text for token in found)


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_dates(text: str, expected: list[tuple[str, list[str]]]) -> None:
    found = dates(text)
    assert [(token.text, [value.isoformat() for value in token.values]) for token in found] == expected
    assert all(text[token.start : token.end] == token.text for token in found)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1,",
        "1.",
        "1 234 ",
        "1-",
        "1/",
        "(",
        "12 ",
        "AB12 ",
        "1 a ",
        "1 Mar ",
        "1.1.",
        " ",
        "a",
        "1'",
        "-",
        "http://",
    ],
)
def test_time_is_linear(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    started = time.perf_counter()
    numbers(text)
    dates(text)
    assert time.perf_counter() - started < 5


@given(st.integers(-(10**12), 10**12), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_an_amount_is_read_in_every_notation(whole: int, cents: int) -> None:
    sign = "-" if whole < 0 else ""
    grouped = f"{abs(whole):,}"
    expected = Decimal(f"{sign}{abs(whole)}.{cents:02}")
    for comma, point in ((",", "."), (".", ","), ("'", "."), ("\u00a0", ",")):
        text = f"Total: {sign}{grouped.replace(',', comma)}{point}{cents:02} EUR"
        assert [token.values for token in numbers(text)] == [(expected,)]


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
@settings(max_examples=100, deadline=None)
def test_a_date_is_read_in_every_notation(day: date) -> None:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y", "%d/%m/%Y", "%m/%d/%Y"):
        text = f"on {day.strftime(form)}, we"
        assert [day in token.values for token in dates(text)] == [True], text
