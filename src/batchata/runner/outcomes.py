"""The outcomes of a run as its user reads them: all in order, as they come, or in numbers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchata import documents
from batchata.errors import ArgumentError, ProviderError
from batchata.results import PROCESSED, fingerprints, iter_entries, job_numbers
from batchata.runner.drafting import UNREADABLE
from batchata.runner.opening import Retry
from batchata.runner.order import Order, Places
from batchata.runner.prepare import conversation
from batchata.runner.run import Watch, stats_of, working
from batchata.runner.start import connect
from batchata.runner.task import Item
from batchata.store import open_store, read_state
from batchata.types import BatchResult, JobStatus, Planned, Reason, RunInfo, RunState, RunStats

if TYPE_CHECKING:
    from pydantic import BaseModel

logger = logging.getLogger(__name__)


def finished(order: Order, places: Places, watch: Watch, *, retry: Retry | None) -> RunStats:
    """Work until nothing is left; the numbers of the run then."""
    with working(order, places, watch, retry=retry) as steps:
        for _ in steps:
            pass
    return stats_now(order, places, watch) if watch.stats is None else watch.stats


def cancel_stored(order: Order, places: Places) -> None:
    """Have the jobs canceled that the store knows to be ours, whatever may hinder going on with the run."""
    with contextlib.closing(open_store(places.state)) as store:
        state = store.load()
    live = () if state is None else state.live.values()
    ours = [job.provider_job_id for job in live if job.status is JobStatus.IN_PROGRESS and job.is_proven]
    if not ours:
        return
    provider, _ = connect(order.task)
    for job_id in ours:
        try:
            provider.cancel(str(job_id))
        except ProviderError as error:  # it may be over
            logger.warning("%s", error)


def entries_as_they_come(order: Order, places: Places, watch: Watch) -> Iterator[BatchResult[Any]]:
    """What is on disk, then what comes of each job as it ends."""
    model = order.task.response_model
    state = None if order.given.can_be_read else read_state(places.state)
    if state is not None and state.planned.is_all and not state.live:
        yield from _on_disk(places.results_dir, model)
        return
    landed: list[BatchResult[Any]] = []
    watch.on_entry = landed.append
    with working(order, places, watch) as steps:
        yield from (
            entry for entry in _on_disk(places.results_dir, model) if entry["input"]["index"] not in watch.in_jobs
        )
        for _ in steps:
            landed.sort(key=_index_of, reverse=True)
            while landed:
                yield landed.pop()


def _index_of(entry: BatchResult[Any]) -> int:
    return entry["input"]["index"]


def all_entries(order: Order, places: Places, watch: Watch | None) -> Iterator[BatchResult[Any]]:
    """One entry an input, in input order; a place is kept for what has no outcome yet."""
    if watch is None and order.given.is_lasting:
        _check_same(order, places.results_dir)
    index = 0
    for entry in _on_disk(places.results_dir, order.task.response_model):
        yield from (_pending(order.given.item(each)) for each in range(index, entry["input"]["index"]))
        yield entry
        index = entry["input"]["index"] + 1
    total = stats_now(order, places, watch)["total_items"] or 0
    yield from (_pending(order.given.item(each)) for each in range(index, total))


def _check_same(order: Order, folder: Path) -> None:
    """Raise ``ArgumentError`` if the outcomes are of other inputs; one that cannot be read any more is let pass."""
    if not (folder / PROCESSED).is_dir():
        return
    sent: dict[int, str] = {}
    for number in job_numbers(folder):
        sent.update(fingerprints(folder, number))
    count = 0
    for item in order.given.items():
        count += 1
        try:
            same = sent.get(item.index) in {None, conversation(item, order.task.prompt, documents.unopened).digest}
        except UNREADABLE:
            same = True
        if not same:
            raise ArgumentError(
                f"{str(folder)!r} holds outcomes of other inputs: {order.given.kind}[{item.index}] is not what it was. "
                f"Give the inputs of that run, in their order; or read them by load_results_from_disk."
            )
    if sent and max(sent) >= count:
        raise ArgumentError(
            f"{str(folder)!r} holds outcomes of more inputs than the {count:,} given. Give the inputs of that run; or "
            f"read them by load_results_from_disk."
        )


def stats_now(order: Order, places: Places, watch: Watch | None) -> RunStats:
    """The numbers that the loop has while it runs, else those that the store has."""
    seen = None if watch is None else watch.stats
    if watch is not None and seen is not None and watch.is_working:
        return seen
    state = read_state(places.state)
    if state is None:
        state = RunState(RunInfo("", datetime.now(UTC), {}), Planned(is_all=order.given.count == 0))
    stats = stats_of(state, places, max_cost=order.max_cost)
    if order.given.count is not None:
        stats["total_items"] = order.given.count
    if seen is not None and seen["jobs_completed"] == stats["jobs_completed"]:
        stats["total_items"] = seen["total_items"]
        stats["cost_limit_reached"] = seen["cost_limit_reached"]
        stats["items_per_minute"] = seen["items_per_minute"]
        stats["seconds_left"] = seen["seconds_left"]
    return stats


def _on_disk(folder: Path, model: type[BaseModel] | None) -> Iterator[BatchResult[Any]]:
    return iter_entries(folder, model) if (folder / PROCESSED).is_dir() else iter(())


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
        "input": {"index": item.index, "name": item.name, "source": item.source},
        "usage": None,
        "cost_usd": None,
        "cost_is_estimate": False,
        "notes": [],
    }
