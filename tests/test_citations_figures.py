"""Figures in documents: what a number, amount, date or time verifies, and what it must not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from batchata import documents
from batchata.citations import resolve
from batchata.jsonspans import locate
from batchata.types import Citation, Source


def found(value: Any, source: Source | str) -> Citation | None:
    """The citation of a one-field model with that value."""
    model = create_model("Figure", value=(type(value), ...))(value=value)
    at = Source("a.txt", (source,), paged=False) if isinstance(source, str) else source
    places = (resolve((), model, locate(model.model_dump_json()), [at]).by_field or {})["value"]
    return places[0] if places else None


GERMAN = "Nettobetrag: 12.500 €\nMwSt: 2.375,00 €\nSumme 14.875,00 €"

STANDS: list[tuple[Any, str, str, float]] = [
    (Decimal(12500), GERMAN, "12.500", 1),
    (Decimal("12.500"), "Gewicht 12,500 kg zu 14.875,00 €", "12,500", 1),
    (Decimal("1.234"), "of 1.234 kg", "1.234", 0.5),  # as written, though it may be thousands
    (-1234, "Net income (1,234)", "(1,234)", 1),
    (12, "See note (12) below", "(12)", 1),
    (-12, "Loss\t(12)\n", "(12)", 0.5),
    (30, "thirty (30) days", "(30)", 1),
    (Decimal("-5.00"), "Rabatt: - 5,00 €", "- 5,00", 1),
    (12_300_000, "$12.3\nmillion", "12.3\nmillion", 1),
    (30_000, "共3万元", "3万", 1),
    (500_000, "Umsatz TEUR 500", "500", 1),
    (5200, "Widget 5 200.00", "5 200.00", 0.5),
    ("$1,234.50", "Total 1.234,50 $", "1.234,50", 1),
    ("1234.50", "Total 1.234,50 €", "1.234,50", 1),
    ("100 EUR", "Total €100.00", "100.00", 1),
    (250, "Pos 1:250,00", "250,00", 1),
    (1200, "FY24 1200 1300 1400", "1200", 1),
    (date(2024, 3, 5), "Date: 05/03/2024", "05/03/2024", 0.5),
    (date(2024, 3, 5), "Date: 05/03/2024, due 31/03/2024", "05/03/2024", 1),
    (datetime(2024, 3, 5, 15, 30), "5 March 2024, 3:30 PM", "5 March 2024, 3:30 PM", 1),  # noqa: DTZ001  # as a document writes it
    (datetime(2024, 3, 5, 14, 30, tzinfo=UTC), "2024-03-05T14:30:00Z", "2024-03-05T14:30:00Z", 1),
    ("5", "150 " * 6000 + "Pages: 5", "5", 1),
    ("삼성전자", "삼성전자는 서울에 있다", "삼성전자", 1),
]


@pytest.mark.parametrize(("value", "text", "cited", "score"), STANDS)
def test_what_stands(value: Any, text: str, cited: str, score: float) -> None:
    citation = found(value, text)
    assert citation is not None
    assert (citation.cited_text, citation.verified, citation.score) == (cited, True, score)


DOES_NOT: list[tuple[Any, str]] = [
    (Decimal("12.5"), GERMAN),
    (Decimal("12.5"), "Net amount $12,500\nTotal $14,875.00"),
    (Decimal("73.26"), "of 73,260 units"),
    (1234, "Net income (1,234)"),
    (-12, "See note (12) below"),
    (Decimal("5.00"), "Rabatt: - 5,00 €"),
    (5, "minus 5"),
    (1234, "△1,234"),
    ("5.00", "Rabatt -€ 5.00"),
    ("5.00", "Rabatt -EUR 5.00"),
    (Decimal("12.3"), "$12.3\nmillion"),
    (Decimal("12.3"), "12,3 млн руб."),
    (3, "共3万元"),
    (500, "Umsatz TEUR 500"),
    (10, "10M €"),
    ("ISO 9001", "We sold 9001 units."),
    ("$100.00", "Total: €100.00"),
    ("100 USD", "Total: 100 EUR"),
    ("2.10", "version 2.1 of"),
    ("234,50 €", "Total 1\u00a0234,50 €"),
    (date(2024, 5, 3), "Date: 05/03/2024, due 31/03/2024"),
    (date(2024, 3, 5), "see section 5.3.24 of the manual"),
    (date(2020, 4, 3), "Version 3.4.20"),
    (datetime(2024, 3, 5, 3, 30), "5 March 2024, 3:30 PM"),  # noqa: DTZ001  # as a document writes it
    (datetime(2024, 3, 5), "5 March 2024 at 2 pm"),  # noqa: DTZ001  # as above
    (datetime(2024, 3, 5, 14, 30, 59), "2024-03-05 14:30:00"),  # noqa: DTZ001  # as above
    (datetime(2024, 3, 5, 14, 30, tzinfo=UTC), "2024-03-05T14:30:00+02:00"),
]


@pytest.mark.parametrize(("value", "text"), DOES_NOT)
def test_what_does_not_stand(value: Any, text: str) -> None:
    citation = found(value, text)
    assert citation is None or not citation.verified


@pytest.mark.parametrize(
    ("name", "data", "stand", "do_not"),
    [
        ("a.csv", b"Name,Price,Qty\nWidget,250,300\nGadget,3,4.50\n", [250, 300, 3, Decimal("4.50")], [250300]),
        ("a.csv", b'Name,Price,Qty\nWidget,"1,250.50",300\n', [Decimal("1250.50"), 300], [50300]),
        ("a.csv", b"Name;Price\nWidget;1,5\nGadget;2,5\n", [Decimal("1.5"), Decimal("2.5")], [15]),
        ("a.json", b'{"a": [1.5,2.5], "b": [3,4]}', [Decimal("1.5"), 3, 4], [Decimal("3.4"), 34]),
    ],
)
def test_commas_part_the_values_of_tables(name: str, data: bytes, stand: list[Any], do_not: list[Any]) -> None:
    source = documents.source(documents.load(data, name=name))
    for value in stand:
        citation = found(value, source)
        assert citation is not None, value
        assert citation.verified
    assert [found(value, source) for value in do_not] == [None] * len(do_not)


class Row(BaseModel):
    desc: str
    quantity: int
    unit: str
    price: Decimal


class Table(BaseModel):
    rows: list[Row]


@pytest.mark.parametrize("gap", [" ", "\n"])
def test_equal_values_in_many_rows_each_stand_in_their_own(gap: str) -> None:
    rows = [Row(desc=f"Item {number:03} x", quantity=1, unit="pcs", price=Decimal("9.99")) for number in range(200)]
    lines = [gap.join((row.desc, "1", "pcs", "9.99")) for row in rows]
    text = "\n".join(lines)
    table = Table(rows=rows)
    cited = resolve((), table, locate(table.model_dump_json()), [Source("a", (text,), paged=False)]).by_field or {}
    for number, line in enumerate(lines):
        start = text.index(line)
        places = [cited[f"rows[{number}].{field}"][0].start_char or 0 for field in Row.model_fields]
        assert all(start <= place < start + len(line) for place in places), (number, places, start)


def test_the_context_of_decimal_arithmetic_changes_nothing() -> None:
    import decimal  # noqa: PLC0415  # its context is the point here

    with decimal.localcontext(prec=6, traps=[decimal.Inexact]):  # type: ignore[arg-type]  # lists work too
        citation = found(Decimal("-1234567.89"), "x -1,234,567.89 y")
    assert citation is not None
    assert citation.verified
