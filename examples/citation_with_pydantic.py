"""Field citations: every leaf field of the object, also the nested ones, with its place in the PDF.

``citations`` is a dict from field path to places, for example ``"invoice.number"``. ``verified`` means that the
cited text stands in the document at the place named, ``holds_value`` that the field's value stands in that text;
neither, that it is the right one of the values that stand there.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel

from batchata import batch
from examples._common import DOCUMENTS, chosen_model


class Invoice(BaseModel):
    """The document itself; nested in the next, to show paths."""

    number: str
    date_of_issue: date


class Claim(BaseModel):
    """What is asked of each file."""

    sender: str
    invoice: Invoice
    total_due: Decimal


EXAMPLE = Claim(
    sender="Fernleigh Garden Services",
    invoice=Invoice(number="FG-1188", date_of_issue=date(2026, 2, 2)),
    total_due=Decimal("331.20"),
)


def main() -> None:
    """Read two invoices, one of two pages, and print where each value stands."""
    job = batch(
        model=chosen_model(__doc__),
        files=[DOCUMENTS / "harrow-pike-invoice.pdf", DOCUMENTS / "quillbrook-invoice.pdf"],
        prompt="Extract the sender, the number and date of the invoice, and the total due.",
        response_model=Claim,
        enable_citations=True,
        max_tokens=200,
        examples=[(DOCUMENTS / "example-invoice.pdf", EXAMPLE)],
    )
    for entry in job.results():
        print(f"\n{entry['input']['name']}\n  {entry['result'] or entry['error']!r}")
        citations = entry["citations"]
        if not isinstance(citations, dict):
            continue
        for path, places in citations.items():
            print(f"  {path}" + ("" if places else ": not found in the document"))
            for place in places:
                where = "".join(f", {box.left:.0f}|{box.top:.0f} pt" for box in place.boxes[:1])
                mark = "✓" if place.verified and place.holds_value is not False else "✗"
                print(f"    {mark} {place.cited_text!r} on page {place.start_page}{where} ({place.match})")


if __name__ == "__main__":
    main()
