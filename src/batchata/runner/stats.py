"""A job in numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from batchata import costs
from batchata.runner.job import RunningJob
from batchata.runner.poll import OVER
from batchata.runner.task import Task
from batchata.types import BatchResult, JobSnapshot, JobState, JobStats


def stats_of(job: RunningJob) -> JobStats:
    """What is known by now; reads the answers if the job has ended and they were not read yet."""
    snapshot = job.check()
    return _stats(job, snapshot, job.collect(None) if snapshot.state is JobState.ENDED else None)


def mode_of(task: Task) -> str:
    """What kind of answers the task asks for, in the words of the printed form."""
    if task.response_model is not None:
        return "Structured Only" if task.citations is None else "Structured + Field Citations"
    return "Plain Text" if task.citations is None else "Text + Citations"


def _stats(job: RunningJob, snapshot: JobSnapshot, entries: list[BatchResult[Any]] | None) -> JobStats:
    task, provider = job.context.task, job.context.provider
    elapsed = None
    if snapshot.created_at is not None:
        elapsed = ((snapshot.ended_at or datetime.now(UTC)) - snapshot.created_at).total_seconds()
    used = [entry["usage"] for entry in entries or () if entry["usage"] is not None]
    is_known = entries is not None and not any(_is_usage_unknown(entry) for entry in entries)
    return {
        "batch_id": job.public_id,
        "status": snapshot.state.value,
        "is_complete": snapshot.state in OVER,
        "elapsed_time": elapsed,
        "total_results": None if entries is None else len(entries),
        "failed_results": None if entries is None else sum(entry["error"] is not None for entry in entries),
        "total_citations": None if entries is None else sum(_cited(entry) for entry in entries),
        "total_input_tokens": sum(usage["input_tokens"] for usage in used) if is_known else None,
        "total_output_tokens": sum(usage["output_tokens"] for usage in used) if is_known else None,
        "cached_input_tokens": sum(usage["cached_input_tokens"] for usage in used) if is_known else None,
        "total_cost": None if entries is None else _total_cost(entries),
        "currency": "USD",
        "service_tier": job.service_tier,
        "batch_discount": costs.batch_discount(
            provider.name, task.model, at=snapshot.created_at, prices=task.prices
        ),
        "raw_results_dir": None if job.context.raw_dir is None else str(job.context.raw_dir),
    }


def _cited(entry: BatchResult[Any]) -> int:
    cited = entry["citations"]
    if isinstance(cited, dict):
        return sum(len(places) for places in cited.values()) + len(entry["unmapped_citations"])
    return len(cited or ())


def _is_usage_unknown(entry: BatchResult[Any]) -> bool:
    return entry["usage"] is None and entry["cost_usd"] is None


def _total_cost(entries: list[BatchResult[Any]]) -> Decimal | None:
    """``None`` as soon as one cost is not known: a sum that leaves something out would be a guess."""
    total = Decimal(0)
    for entry in entries:
        if entry["cost_usd"] is None:
            return None
        total += entry["cost_usd"]
    return total
