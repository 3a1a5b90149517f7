"""What the examples share: the model to use, and documents to read."""

from __future__ import annotations

import argparse
from pathlib import Path

import batchata.demo

DOCUMENTS = Path(batchata.demo.__file__).parent / "documents"

WORKED_EXAMPLES = [
    (
        DOCUMENTS / "example-invoice.pdf",
        {
            "sender": "Fernleigh Garden Services",
            "reference": "FG-1188",
            "issued": "2026-02-02",
            "total_due": "331.20",
        },
    ),
    (
        DOCUMENTS / "example-rechnung.pdf",
        {
            "sender": "Malerbetrieb Quendelau",
            "reference": "M-2026/77",
            "issued": "2026-02-11",
            "total_due": "2142.00",
        },
    ),
    (
        DOCUMENTS / "example-letter.pdf",
        {
            "sender": "Thistlemere Mutual Insurance",
            "reference": "TMI-99812",
            "issued": "2026-03-03",
            "total_due": "1240.00",
        },
    ),
]
"""Documents that no example asks about, and what stands in them: a small model needs to be shown."""


def chosen_model(description: str | None) -> str:
    """The model from the command line; the local engine, which needs no key and no network, by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="local/smollm2-135m", help="default: %(default)s")
    return str(parser.parse_args().model)
