"""The outcomes of a run as its user reads them: all in order, as they come, or in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchata.results import iter_entries, read_job
from batchata.runner.opening import Retry
from batchata.runner.order import Order, Places
from batchata.runner.run import Watch, stats_of, working
from batchata.runner.task import Item
from batchata.store import read_state
from batchata.types import BatchResult, Planned, Reason, RunInfo, RunState, RunStats

if TYPE_CHECKING:
    from pydantic import BaseModel


def finished(order: Order, places: Places, watch: Watch, *, retry: Retry | None) -> RunStats:
    """Work until nothing is left; the numbers of the run then."""
    with working(order, places, watch, retry=retry) as steps:
        for _ in steps:
            pass
    return stats_now(order, places, watch)


def entries_as_they_come(order: Order, places: Places, watch: Watch) -> Iterator[BatchResult[Any]]:
    """What is on disk, then what comes of each job as it ends."""
    model = order.task.response_model
    state = read_state(places.state)
    if state is not None and state.planned.is_all and not state.live:
        yield from _on_disk(places.results_dir, model)
        return
    with working(order, places, watch) as steps:
        yield from _on_disk(places.results_dir, model)
        for job in steps:
            yield from read_job(places.results_dir, job.number, model)


def all_entries(order: Order, places: Places, watch: Watch | None) -> Iterator[BatchResult[Any]]:
    """One entry an input, in input order; a place is kept for what has no outcome yet."""
    index = 0
    for entry in _on_disk(places.results_dir, order.task.response_model):
        yield from (_pending(order.given.item(each)) for each in range(index, entry["input"]["index"]))
        yield entry
        index = entry["input"]["index"] + 1
    total = stats_now(order, places, watch)["total_items"] or 0
    yield from (_pending(order.given.item(each)) for each in range(index, total))


def stats_now(order: Order, places: Places, watch: Watch | None) -> RunStats:
    """The numbers that this process has, else those that the store has."""
    if watch is not None and watch.stats is not None:
        return watch.stats
    state = read_state(places.state)
    if state is None:
        state = RunState(RunInfo("", datetime.now(UTC), {}), Planned(is_all=order.given.count == 0))
    stats = stats_of(state, places, max_cost=order.max_cost)
    if order.given.count is not None:
        stats["total_items"] = order.given.count
    return stats


def _on_disk(folder: Path, model: type[BaseModel] | None) -> Iterator[BatchResult[Any]]:
    return iter_entries(folder, model) if (folder / "processed").is_dir() else iter(())


def _pending(item: Item) -> BatchResult[Any]:
    return {
        "result": None,
        "citations": None,
        "unmapped_citations": [],
        "error": {
            "reason": Reason.PENDING.value,
            "message": "no outcome yet: not started, or still at the provider. run() goes on with it",
            "retryable": True,
            "raw_text": None,
        },
        "input": {"index": item.index, "name": item.name},
        "usage": None,
        "cost_usd": None,
        "cost_is_estimate": False,
        "notes": [],
    }
