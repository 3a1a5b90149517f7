"""The main job on documents of our own: no key, no network, a small real model on the CPU."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from batchata.api import batch
from batchata.demo import screen
from batchata.demo.fields import BusinessDocument
from batchata.demo.task import PROMPT, copy_documents, copy_fields, expected, worked_examples, write_results
from batchata.errors import MissingExtraError
from batchata.runner.report import write_report
from batchata.types import BatchResult

__all__ = ["run"]

MODEL = "local/smollm2-135m"
FIELDS = "fields.py"


def run(folder: Path, *, model: str = MODEL, console: Console | None = None) -> None:
    """Read six documents with one call, and print every field with its place in the source.

    Args:
        folder: made if needed; gets the documents, the raw answers, ``results.jsonl``, the fields as ``fields.py``,
            and ``report.html`` where its packages are installed. Nothing is deleted.
        model: any model this library can call.
        console: where to print; standard output if not given, 100 columns wide where it is no terminal.

    Raises:
        BatchataError: as ``batch`` and ``BatchJob.results`` do; ``MissingWeightsError`` without the small model.
    """
    if console is None:
        console = Console()
        console = console if console.is_terminal else Console(width=100)
    files = copy_documents(folder / "documents")
    screen.introduce(console, files, model)
    job = batch(
        model=model,
        files=files,
        prompt=PROMPT,
        response_model=BusinessDocument,
        enable_citations=True,
        max_tokens=200,
        raw_results_dir=folder / "raw",
        examples=worked_examples(),
    )
    entries = job.wait().results()
    write_results(folder / "results.jsonl", entries)
    copy_fields(folder / FIELDS)
    report = _report(entries, folder / "report.html")
    truth = expected()
    screen.print_fields(console, entries, truth)
    screen.print_failures(console, entries)
    screen.print_score(console, entries, truth, model)
    screen.print_costs(console, entries, job.stats())
    screen.print_folder(console, folder)
    screen.print_next(console, folder / FIELDS, report)


def _report(entries: list[BatchResult[BusinessDocument]], path: Path) -> Path | None:
    """``None`` where the report's packages are not installed."""
    try:
        return write_report(entries, path)
    except MissingExtraError:
        return None
