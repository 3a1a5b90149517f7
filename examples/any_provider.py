"""The same lines with any provider: change the model's name, and nothing else.

Try ``--model claude-haiku-5-5``, ``gpt-6-luna``, ``gemini-3.5-flash-lite``, ``mistral-small-2603`` or
``compatible/NAME`` (with COMPATIBLE_BASE_URL set); each takes its key from its own variable or from ``.env``. Where a
provider cites places in documents itself, it is asked to; elsewhere the model is asked for a verbatim quote with each
value. Either way each is looked up in the document: ✓ stands there, ✗ does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table

from batchata import BatchResult, batch
from examples._common import DOCUMENTS, WORKED_EXAMPLES, chosen_model

FILES = ["harrow-pike-invoice.pdf", "quillbrook-invoice.pdf", "tannwald-rechnung.pdf"]


class BusinessDocument(BaseModel):
    """What is asked of each file."""

    sender: str
    reference: str
    issued: date
    total_due: Decimal


def main() -> None:
    """Read three documents, and print every value with its place."""
    model = chosen_model(__doc__)
    job = batch(
        model=model,
        files=[DOCUMENTS / name for name in FILES],
        prompt="Extract the sender, the reference, the date of issue and the total due.",
        response_model=BusinessDocument,
        enable_citations=True,
        max_tokens=400,
        examples=WORKED_EXAMPLES,
    )
    table = Table("file", "field", "value", "page", "cited by", "", title=model, box=box.SIMPLE)
    for entry in job.results():
        for row in rows(entry):
            table.add_row(*row)
    Console(width=100).print(table)
    stats = job.stats()
    cost = "unknown" if stats["total_cost"] is None else f"${stats['total_cost']:.6f}"
    print(f"{stats['total_input_tokens']} tokens in, {stats['total_output_tokens']} out, cost {cost}")


def rows(entry: BatchResult[BusinessDocument]) -> Iterator[tuple[str, ...]]:
    """A row for each field: what it says, and the first place that is cited for it."""
    name, result, citations = entry["input"]["name"] or "", entry["result"], entry["citations"]
    if result is None or not isinstance(citations, dict):
        yield name, "", str(entry["error"]), "", "", "✗"
        return
    for field, value in result.model_dump().items():
        place = next(iter(citations[field]), None)
        if place is None:
            yield name, field, str(value), "", "", "✗"
        else:
            yield name, field, str(value), str(place.start_page), place.origin, "✓" if place.verified else "✗"


if __name__ == "__main__":
    main()
