"""Results directories for tests of the report, from real documents, with citations that were really looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from batchata import documents
from batchata.citations import resolve
from batchata.demo.task import DOCUMENTS, BusinessDocument
from batchata.jsonspans import locate
from batchata.results import ResultsDir, kept
from batchata.runner.prepare import conversation
from batchata.runner.task import Item
from batchata.types import BatchResult, Citation, ErrorInfo, InputInfo, Source, TextBlock

PROMPT = "Extract the sender, the reference, the date of issue and the total due."
ANSWERS = {
    "harrow-pike-invoice.pdf": '{"sender": "Harrow & Pike Joinery", "reference": "HP-2026-0417", '
    '"issued": "2026-04-01", "total_due": "2418.60"}',
    "quillbrook-invoice.pdf": '{"sender": "Quillbrook Lab Supply, Inc.", "reference": "QB-20931", '
    '"issued": "2026-03-12", "total_due": "7325.15"}',
    "tannwald-rechnung.pdf": '{"sender": "Elektro Tannwald GmbH", "reference": "RE-26/00318", '
    '"issued": "2026-03-05", "total_due": "1221.31"}',
}
"""The last one gives a total that its document does not hold."""


def about(index: int, path: Path | None, name: str | None = None) -> InputInfo:
    return {
        "index": index,
        "name": name or (path and path.name) or None,
        "source": None if path is None else str(path),
    }


def entry(said: InputInfo, **changes: Any) -> BatchResult[Any]:
    """A result without anything, but for what is given."""
    made: BatchResult[Any] = {
        "result": None,
        "citations": None,
        "unmapped_citations": [],
        "error": None,
        "input": said,
        "usage": {
            "input_tokens": 1200,
            "output_tokens": 80,
            "cached_input_tokens": 200,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
        },
        "cost_usd": Decimal("0.00125"),
        "cost_is_estimate": False,
        "notes": [],
    }
    return made | changes  # type: ignore[return-value]  # the same keys


def failed(said: InputInfo, error: ErrorInfo) -> BatchResult[Any]:
    return entry(said, error=error, usage=None, cost_usd=Decimal(0))


def traced(said: InputInfo, answer: str, model: type[BaseModel], path: Path) -> BatchResult[Any]:
    """An answer, with each of its values looked up in the document."""
    value = model.model_validate_json(answer)
    source: Source = documents.source(documents.load(path))
    found = resolve([TextBlock(answer)], value, locate(answer), [source])
    return entry(said, result=value, citations=found.by_field, unmapped_citations=found.unmapped)


def in_words(said: InputInfo, answer: str, quotes: Iterable[str], path: Path) -> BatchResult[Any]:
    """An answer without a response model, with what it cites."""
    cited = tuple(Citation(quote, document_index=0) for quote in quotes)
    source = documents.source(documents.load(path))
    return entry(said, result=answer, citations=resolve([TextBlock(answer, cited)], None, None, [source]).flat)


def demo_entries() -> list[BatchResult[Any]]:
    """Three documents of the demo, and one that failed."""
    made = [
        traced(about(index, DOCUMENTS / name), answer, BusinessDocument, DOCUMENTS / name)
        for index, (name, answer) in enumerate(ANSWERS.items())
    ]
    error: ErrorInfo = {
        "reason": "invalid_output",
        "message": "issued: Input should be a valid date",
        "retryable": True,
        "raw_text": '{"sender": "Penhallow", "issued": "someday"}',
    }
    return [*made, failed(about(3, DOCUMENTS / "penhallow-scan.pdf"), error)]


def write_results(folder: Path, entries: Iterable[BatchResult[Any]], *, jobs: int = 1) -> Path:
    """A results directory as a run leaves it, over so many jobs."""
    made = list(entries)
    directory = ResultsDir.open(folder, run_id="bt0123456789ab", raw_files=False)
    directory.write_run(
        {"model": "claude-haiku-5-5", "prompt": PROMPT, "inputs": "files", "citation_mode": "native"}
    )
    size = -(-len(made) // jobs)
    for number in range(jobs):
        part = made[number * size : (number + 1) * size]
        digests = _digests(part)
        lines = [kept(each, digests.get(each["input"]["index"]), None)[1] for each in part]
        directory.write_job(number, [each["input"]["index"] for each in part], lines)
    return folder


def _digests(entries: Iterable[BatchResult[Any]]) -> Mapping[int, str]:
    return {
        each["input"]["index"]: conversation(
            Item(each["input"]["index"], file=each["input"]["source"]), PROMPT, documents.unopened
        ).digest
        for each in entries
        if each["input"]["source"] is not None
    }
