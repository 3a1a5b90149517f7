"""Ours, with everything on: a state that is saved at every step, answers on disk raw and validated, costs, order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from batchata import BatchManager
from benchmarks.speed.work import MAX_TOKENS, MODEL, PROMPT, Answer, Asked, asked, conversation, measure, pdf_files


def scores(given: Asked) -> Iterator[int]:
    """The answers as they come; inputs are read as they are needed."""
    with tempfile.TemporaryDirectory(prefix="batchata-speed-") as folder:
        yield from _scores(given, Path(folder))


def _scores(given: Asked, folder: Path) -> Iterator[int]:
    files = None if given.pdfs is None else pdf_files(given.pdfs, given.items)
    run = BatchManager(
        messages=(conversation(item) for item in range(given.items)) if files is None else None,
        files=files,
        prompt=None if files is None else PROMPT,
        model=MODEL,
        response_model=Answer,
        enable_citations=given.citations,
        citation_mode="aligned" if given.citations else "auto",
        items_per_job=given.per_job,
        max_parallel_jobs=given.parallel,
        max_tokens=MAX_TOKENS,
        state_path=folder / "state.json",
        results_dir=folder / "results",
    )
    for entry in run.iter_results():
        answer = entry["result"]
        if answer is None:
            raise RuntimeError(str(entry["error"]))
        yield answer.score


if __name__ == "__main__":
    work = asked()
    os.environ |= {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_BASE_URL": work.url}
    measure(scores, work)
