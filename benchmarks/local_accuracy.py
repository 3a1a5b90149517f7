"""How many fields of real invoices the local engine gets right: ``python -m benchmarks.local_accuracy``.

Reads ``../shared/data/invoices`` (invoice2data and zugferd; not part of the project) through the public API, and
prints accuracy by field, how many of the values returned are verified at their place, and every wrong value with
``--verbose``. With ``--examples 3`` three ZUGFeRD invoices are shown as worked examples and left out of the test.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from batchata import BatchResult, batch

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "invoices"
EXAMPLES = (
    "zugferd_2p0_EXTENDED_Kostenrechnung.pdf",
    "Facture_FR_BASICWL.pdf",
    "zugferd_2p0_BASIC_Taxifahrt.pdf",
)
PROMPT = "Extract the invoice's number, date, seller, currency and total."


class Invoice(BaseModel):
    """Five fields that every invoice has."""

    invoice_number: str
    issue_date: date
    seller_name: str
    currency: str
    grand_total: Decimal


def truth() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each file, and what its own project expects of it."""
    for path in sorted((DATA / "invoice2data").glob("*.json")):
        (told,) = json.loads(path.read_text())
        file = next(found for found in (path.with_suffix(".pdf"), path.with_suffix(".txt")) if found.exists())
        names = {"invoice_number": "invoice_number", "date": "issue_date", "issuer": "seller_name"}
        names |= {"currency": "currency", "amount": "grand_total"}
        yield file, {ours: told[theirs] for theirs, ours in names.items() if theirs in told}
    for line in (DATA / "zugferd" / "expected.jsonl").read_text().splitlines():
        told = json.loads(line)
        yield (
            DATA / "zugferd" / told["file"],
            {
                name: told["expected"][name]
                for name in Invoice.model_fields
                if told["expected"].get(name) is not None
            },
        )


def is_right(field: str, value: object, expected: object) -> bool:
    """Amounts and dates by value, texts without case and punctuation."""
    if field == "grand_total":
        return Decimal(str(value)) == Decimal(str(expected))
    plain = [re.sub(r"[\W_]+", "", str(text)).casefold() for text in (value, expected)]
    return plain[0] == plain[1]


def score(
    entries: Sequence[BatchResult[Invoice]], told: Sequence[dict[str, Any]], *, verbose: bool
) -> tuple[Counter[str], Counter[str]]:
    """Fields right, and fields asked for; a failed item has none right."""
    right, asked = Counter[str](), Counter[str]()
    for entry, expected in zip(entries, told, strict=True):
        for field, value in expected.items():
            got = None if entry["result"] is None else getattr(entry["result"], field)
            asked[field] += 1
            right[field] += got is not None and is_right(field, got, value)
            if verbose and (got is None or not is_right(field, got, value)):
                print(f"  {entry['input']['name']}: {field} is {got!r}, expected {value!r}")
    return right, asked


def verified(entries: Sequence[BatchResult[Invoice]]) -> tuple[int, int]:
    """Values whose citation is verified with page, and all values returned."""
    good = total = 0
    for entry in entries:
        cited = entry["citations"]
        if isinstance(cited, dict):
            total += len(cited)
            good += sum(any(place.verified for place in places) for places in cited.values())
    return good, total


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="local/smollm2-135m")
    parser.add_argument("--examples", type=int, default=0, choices=range(len(EXAMPLES) + 1))
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if not DATA.exists():
        print("../shared/data is not here: nothing to measure")
        return 0
    shown = EXAMPLES[: options.examples]
    pairs = list(truth())
    examples = [(path, expected) for path, expected in pairs if path.name in shown]
    asked_of = [(path, expected) for path, expected in pairs if path.name not in shown]
    began = time.monotonic()
    job = batch(
        options.model,
        files=[path for path, _ in asked_of],
        prompt=PROMPT,
        response_model=Invoice,
        enable_citations=True,
        max_tokens=512,
        examples=examples,
    )
    entries = job.results()
    seconds = time.monotonic() - began
    right, asked = score(entries, [expected for _, expected in asked_of], verbose=options.verbose)
    failed = [entry for entry in entries if entry["error"] is not None]
    for entry in failed:
        print(f"  {entry['input']['name']}: {entry['error']}")
    for field in asked:
        print(f"| {field} | {right[field]} of {asked[field]} |")
    good, total = verified(entries)
    print(f"| all | {right.total()} of {asked.total()} |")
    print(f"{len(entries)} documents, {len(failed)} failed, {options.examples} examples, {seconds:.0f} s")
    print(f"{good} of {total} values returned are verified at their place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
