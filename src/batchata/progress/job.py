"""Progress of one job on a terminal or in a notebook, and the printed form of its statistics."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from batchata.progress.screen import live_console
from batchata.types import JobSnapshot, JobStats

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Display", "print_stats", "show", "stats_lines"]


class Display(Protocol):
    """Takes what each check saw."""

    def update(self, snapshot: JobSnapshot) -> None:
        """Show the newest snapshot."""
        ...


class _Silent:
    def update(self, snapshot: JobSnapshot) -> None:
        """Nobody is looking."""


class _Bar:
    def __init__(self, progress: Progress, *, counts_live: bool) -> None:
        self._progress = progress
        self._counts_live = counts_live
        self._task = progress.add_task("waiting", total=None)

    def update(self, snapshot: JobSnapshot) -> None:
        words = f"{snapshot.provider_job_id}  {snapshot.state.value.replace('_', ' ')}"
        if snapshot.counts is None or not self._counts_live:
            self._progress.update(self._task, description=words)
            return
        counts = snapshot.counts
        self._progress.update(self._task, description=words, completed=counts.done, total=counts.total)


@contextmanager
def show(*, counts_live: bool) -> Iterator[Display]:
    """A live display while a job runs; silent where there is neither a terminal nor a notebook with widgets."""
    console = live_console(sys.stderr)
    if console is None:
        yield _Silent()
        return
    from rich.progress import (  # noqa: PLC0415  # imported where first used
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if counts_live:
        columns.insert(3, MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, counts_live=counts_live)


def print_stats(stats: JobStats, mode: str, *, is_estimate: bool) -> None:
    """The printed form of ``BatchJob.stats``: one fact a line."""
    print("\n".join(stats_lines(stats, mode, is_estimate=is_estimate)))  # noqa: T201  # the user asked for it


def stats_lines(stats: JobStats, mode: str, *, is_estimate: bool) -> list[str]:
    """The lines of the printed form."""
    results = "–"
    if stats["total_results"] is not None:
        results = f"{stats['total_results']:,} ({stats['failed_results']:,} failed)"
    return [
        "📊 Batch Statistics",
        f"   ID: {stats['batch_id']}",
        f"   Status: {stats['status']}",
        f"   Complete: {'✅' if stats['is_complete'] else '⏳'}",
        f"   Elapsed: {_seconds(stats['elapsed_time'])}",
        f"   Mode: {mode}",
        f"   Results: {results}",
        f"   Citations: {_count(stats['total_citations'])}",
        f"   Input tokens: {_count(stats['total_input_tokens'])}"
        + (f" ({stats['cached_input_tokens']:,} cached)" if stats["cached_input_tokens"] else ""),
        f"   Output tokens: {_count(stats['total_output_tokens'])}",
        f"   Total cost: {_money(stats)}{' (estimated)' if is_estimate else ''}",
        f"   Batch discount: {_share(stats['batch_discount'])}",
        f"   Raw results: {stats['raw_results_dir'] or '–'}",
    ]


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{value:.1f} s"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _money(stats: JobStats) -> str:
    cost = stats["total_cost"]
    if cost is not None:
        return f"${cost:.4f}"
    return "unknown (the cost of some entries is not known: see their cost_usd)" if stats["is_complete"] else "–"


def _share(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
