"""A run from its opening to its numbers: what every public method of ``BatchManager`` comes down to."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event
from typing import Any

from batchata.errors import BatchataError
from batchata.runner.collector import unhurried_collector
from batchata.runner.inputs import Inputs
from batchata.runner.live import Calls
from batchata.runner.loop import Loop
from batchata.runner.opening import OpenRun, Retry, open_run
from batchata.runner.order import Order, Places
from batchata.runner.recorder import Recorder
from batchata.runner.resume import take_up
from batchata.runner.starting import Progress, Starter
from batchata.types import BatchResult, JobRecord, Planned, RunInfo, RunState, RunStats, RunSummary

_PACE_AFTER_SECONDS = 5.0
"""Jobs that an earlier process left may all be over by now, which says nothing of the rest."""


@dataclass(slots=True)
class Watch:
    """How a run stands, for whoever looks at it from outside the loop, and their wish to have it canceled.

    Attributes:
        on_entry: gets each entry of a job, by item, as it is written.
        stats: of the last change; ``None`` before the first.
        in_jobs: items of jobs that an earlier process left at the provider.
        retry_count: items that are tried again.
        canceled: set to have the jobs in flight canceled.
        is_working: whether the loop runs.
    """

    on_change: Callable[[RunStats], None] = lambda _: None
    on_entry: Callable[[BatchResult[Any]], None] = lambda _: None
    stats: RunStats | None = None
    in_jobs: frozenset[int] = frozenset()
    retry_count: int = 0
    canceled: Event = field(default_factory=Event)
    is_working: bool = False


@contextlib.contextmanager
def working(
    order: Order, places: Places, watch: Watch, *, retry: Retry | None = None
) -> Iterator[Iterator[JobRecord]]:
    """Take a run up; gives what goes on with it until nothing is left or the budget stops it: each job as it is over.

    With ``retry`` nothing new is started but the items that failed. Whatever stops it says how to go on.
    """
    watch.is_working = True
    try:
        with open_run(order, places, retry=retry) as opened, unhurried_collector():
            if opened is None:
                watch.stats = _empty(order, places)
                yield iter(())
            else:
                watch.in_jobs = frozenset(
                    index
                    for job in opened.state.live.values()
                    if not opened.results.has_job(job.number)
                    for index in job.items
                )
                steps = _steps(opened, order, places, watch, is_retry=retry is not None)
                with contextlib.closing(steps):
                    yield steps
    except (BatchataError, KeyboardInterrupt) as error:
        if watch.stats is not None:
            error.add_note(_way_on(watch.stats))
        raise
    finally:
        watch.is_working = False


def _steps(opened: OpenRun, order: Order, places: Places, watch: Watch, *, is_retry: bool) -> Generator[JobRecord]:
    progress = take_up(opened, order.max_cost, time.monotonic())
    in_jobs = {index for live in [*progress.live.values(), *progress.waiting] for index in live.record.items}
    again = [opened.verified.items[index] for index in sorted(opened.failed - in_jobs)]
    view = _View(opened, progress, order, places)

    def changed() -> None:
        watch.stats = view.stats()
        watch.on_change(watch.stats)

    starter = Starter(
        progress=progress,
        store=opened.store,
        drafter=opened.drafter,
        inputs=Inputs(again) if is_retry else opened.inputs,
        is_retry=is_retry,
    )
    loop = Loop(
        progress=progress,
        starter=starter,
        recorder=Recorder(progress=progress, store=opened.store, settler=opened.settler, on_change=changed),
        calls=Calls(opened.provider, opened.state.run.run_id),
        pool=opened.pool,
        max_parallel_jobs=order.max_parallel_jobs,
        deadline=None if order.max_wait_seconds is None else time.monotonic() + order.max_wait_seconds,
        canceled=watch.canceled,
        on_change=changed,
    )
    opened.settler.on_entry = watch.on_entry
    changed()
    try:
        yield from loop.steps()
        view.count_all()
    finally:
        watch.retry_count = starter.begun_items if is_retry else 0
        changed()


class _View:
    """The numbers of a run while one process works on it."""

    def __init__(self, opened: OpenRun, progress: Progress, order: Order, places: Places) -> None:
        self._opened = opened
        self._progress = progress
        self._order = order
        self._places = places
        self._before = progress.totals
        self._began = time.monotonic()
        self._pace_after = _PACE_AFTER_SECONDS if progress.live else 0.0
        self._total = order.given.count

    def count_all(self) -> None:
        """Count the inputs that were not read, where their number is not known."""
        if self._total is None:
            self._total = self._progress.planned.items + self._opened.inputs.count_rest()

    def stats(self) -> RunStats:
        """Everything, now."""
        progress, order = self._progress, self._order
        done, before = progress.totals, self._before
        total = self._total
        if total is None and progress.planned.is_all:
            total = progress.planned.items
        seconds = time.monotonic() - self._began
        over = done.completed + done.failed - before.completed - before.failed
        pace = over / seconds * 60 if over > 0 and seconds > self._pace_after else None
        left = None if total is None else total - done.completed - done.failed
        stats = stats_of(
            RunState(
                self._opened.state.run,
                progress.planned,
                progress.aside
                | {live.record.number: live.record for live in [*progress.waiting, *progress.live.values()]},
                totals=done,
            ),
            self._places,
            max_cost=order.max_cost,
        )
        stats["total_items"] = total
        stats["cost_limit_reached"] = progress.cost_limit_reached
        stats["items_per_minute"] = pace
        stats["seconds_left"] = None if pace is None or left is None else left / pace * 60
        return stats


def stats_of(state: RunState, places: Places, *, max_cost: Decimal | None) -> RunStats:
    """The numbers of a run that the store knows; ``total_items`` is ``None`` unless all inputs are in jobs."""
    totals, live = state.totals, state.live.values()
    reserved = [job.reserved_usd for job in live]
    known = [each for each in reserved if each is not None]
    return {
        "total_items": state.planned.items if state.planned.is_all else None,
        "completed_items": totals.completed,
        "failed_items": totals.failed,
        "total_cost": None if totals.unknown_costs else totals.cost_usd,
        "known_cost": totals.cost_usd,
        "unknown_costs": totals.unknown_costs,
        "cost_is_estimate": totals.has_estimates,
        "reserved_cost": sum(known, Decimal(0)) if len(known) == len(reserved) else None,
        "max_cost": max_cost,
        "cost_limit_reached": False,
        "jobs_completed": totals.jobs,
        "jobs": dict(Counter(job.status.value for job in live)),
        "elapsed_time": (datetime.now(UTC) - state.run.created_at).total_seconds(),
        "items_per_minute": None,
        "seconds_left": None,
        "results_dir": str(places.results_dir),
        "state_path": str(places.state),
    }


def summary_of(stats: RunStats) -> RunSummary:
    """The short form."""
    total = stats["total_items"]
    return {
        "total_items": stats["completed_items"] + stats["failed_items"] if total is None else total,
        "completed_items": stats["completed_items"],
        "failed_items": stats["failed_items"],
        "total_cost": stats["total_cost"],
        "jobs_completed": stats["jobs_completed"],
        "cost_limit_reached": stats["cost_limit_reached"],
    }


def _empty(order: Order, places: Places) -> RunStats:
    state = RunState(RunInfo("", datetime.now(UTC), {}), Planned(is_all=True))
    return stats_of(state, places, max_cost=order.max_cost)


def _way_on(stats: RunStats) -> str:
    flying = sum(stats["jobs"].values())
    flight = f" {flying:,} jobs go on at the provider." if flying else ""
    return (
        f"Everything so far is kept.{flight} To go on, make the same BatchManager with state_path="
        f"{stats['state_path']!r} and results_dir={stats['results_dir']!r}, and call run() again."
    )
