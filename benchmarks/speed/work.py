"""The same work for everybody who is measured, and how it is measured."""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import BaseModel

MODEL = "claude-haiku-5-5"
PROMPT = "What is this document?"
MAX_TOKENS = 100
DISTINCT_FILES = 100
WARM_UP = 20


class Answer(BaseModel):
    """What is asked for."""

    label: str
    score: int


SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string"}, "score": {"type": "integer"}},
    "required": ["label", "score"],
    "additionalProperties": False,
}
"""The same, as JSON Schema."""


def conversation(item: int) -> list[dict[str, str]]:
    """A small request."""
    return [{"role": "user", "content": f"Say something about item {item}."}]


def pdf_files(folder: Path, count: int) -> list[Path]:
    """So many paths of PDFs; after 100 they come again."""
    made = sorted(folder.glob("*.pdf"))
    return [made[index % len(made)] for index in range(count)]


def make_pdfs(folder: Path, kilobytes: int) -> None:
    """A hundred PDFs of so many kB: a page of text, and a picture that cannot be compressed."""
    for number in range(DISTINCT_FILES):
        (folder / f"{number:03d}.pdf").write_bytes(_pdf(f"Document {number}", os.urandom(kilobytes * 1_000)))


def _pdf(words: str, padding: bytes) -> bytes:
    text = f"BT /F1 24 Tf 72 700 Td ({words}: label item, score 7) Tj ET".encode()
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(padding), padding),
    ]
    whole, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(whole))
    return whole + head + table + tail


@dataclass(frozen=True, slots=True)
class Asked:
    """What to do.

    Attributes:
        pdfs: a folder of PDFs to ask about; ``None`` asks small questions.
        citations: where each value comes from is wanted, too.
    """

    url: str
    items: int
    per_job: int
    parallel: int
    pdfs: Path | None
    citations: bool


def asked() -> Asked:
    """From the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--per-job", type=int, default=10_000)
    parser.add_argument("--parallel", type=int, default=5)
    parser.add_argument("--pdfs", type=Path)
    parser.add_argument("--citations", action="store_true")
    given = parser.parse_args()
    return Asked(given.url, given.items, given.per_job, given.parallel, given.pdfs, given.citations)


@dataclass(frozen=True, slots=True)
class Measured:
    """What it took.

    Attributes:
        checksum: of all answers, so that none is left out.
        cpu_seconds: of the process with all its threads, after a few items.
        peak_mb: the most memory that it had, imports included.
    """

    items: int
    checksum: int
    cpu_seconds: float
    wall_seconds: float
    peak_mb: float


def measure(scores: Callable[[Asked], Iterator[int]], given: Asked) -> None:
    """Do the work and print what it took as a line of JSON.

    A few items go before it, so that what is imported or connected when it is first needed is there by then.
    """
    for _ in scores(replace(given, items=WARM_UP)):
        pass
    cpu, wall = time.process_time(), time.perf_counter()
    count = total = 0
    for score in scores(given):
        count += 1
        total += score
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    found = Measured(count, total, time.process_time() - cpu, time.perf_counter() - wall, peak)
    print(json.dumps(asdict(found)))
