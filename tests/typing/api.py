"""Type-checked by `make types`, never run: what a user's type checker sees."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_type

from pydantic import BaseModel

from batchata import (
    BatchJob,
    BatchManager,
    BatchResult,
    Citation,
    Estimate,
    JobStats,
    RunStats,
    RunSummary,
    batch,
    load_results_from_disk,
)


class Invoice(BaseModel):
    total: Decimal


def with_a_model() -> None:
    job = batch("claude-haiku-5-5", files=["a.pdf"], prompt="?", response_model=Invoice)
    assert_type(job, BatchJob[Invoice])
    entry = job.results()[0]
    assert_type(entry, BatchResult[Invoice])
    assert_type(entry["result"], Invoice | None)
    assert_type(entry["cost_usd"], Decimal | None)
    assert_type(entry["citations"], dict[str, list[Citation]] | list[Citation] | None)


def without_a_model() -> None:
    job = batch("claude-haiku-5-5", messages=[[{"role": "user", "content": "Hi"}]])
    assert_type(job, BatchJob[str])
    assert_type(job.results(timeout=1.5)[0]["result"], str | None)
    assert_type(job.stats(), JobStats)
    assert_type(job.wait(), BatchJob[str])


def attached() -> None:
    assert_type(BatchJob.attach("id", model="claude-haiku-5-5", response_model=Invoice), BatchJob[Invoice])


async def awaited() -> None:
    job = batch("claude-haiku-5-5", files=[b"%PDF-"], prompt="?", response_model=Invoice)
    assert_type(await job, list[BatchResult[Invoice]])


def large_runs() -> None:
    run = BatchManager(files=(f"{index}.pdf" for index in range(9)), prompt="?", model="m", response_model=Invoice)
    assert_type(run, BatchManager[Invoice])
    assert_type(run.run(), RunSummary)
    assert_type(run.retry_failed(everything=True), RunSummary)
    assert_type(run.results(), list[BatchResult[Invoice]])
    assert_type(next(run.iter_results())["result"], Invoice | None)
    assert_type(run.stats, RunStats)
    assert_type(run.estimate(), Estimate)
    assert_type(BatchManager(messages=[], model="m", max_cost="0.5"), BatchManager[str])
    assert_type(load_results_from_disk("out", Invoice), list[BatchResult[Invoice]])
