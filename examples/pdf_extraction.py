"""Structured data from PDFs: one call, one validated Pydantic object a file, and what it cost.

``enable_citations=True`` also traces each value to its page. On the local engine it does more: each value can only
be taken from the document's own words, without which a model this small invents most of them. The last file is a
scan without a text layer, and the local engine reads text only: that one entry carries an error and the others are
untouched. A model that sees pages (``--model claude-haiku-5-5``) reads it as well.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel

from batchata import batch
from examples._common import DOCUMENTS, WORKED_EXAMPLES, chosen_model

FILES = [DOCUMENTS / name for name in ("harrow-pike-invoice.pdf", "tannwald-rechnung.pdf", "penhallow-scan.pdf")]


class Invoice(BaseModel):
    """What is asked of each file."""

    sender: str
    reference: str
    issued: date
    total_due: Decimal


def main() -> None:
    """Read the files, print one object each, and the statistics."""
    job = batch(
        model=chosen_model(__doc__),
        files=FILES,
        prompt="Extract the sender, the reference, the date of issue and the total due.",
        response_model=Invoice,
        enable_citations=True,
        max_tokens=200,
        examples=WORKED_EXAMPLES[:2],  # one English, one German
    )
    for entry in job.results():
        print(entry["input"]["name"])
        if entry["result"] is not None:
            print(entry["result"].model_dump_json(indent=2), "\n")
        elif entry["error"] is not None:
            print(f"  {entry['error']['reason']}: {entry['error']['message']}\n")
    job.stats(print_stats=True)


if __name__ == "__main__":
    main()
