"""What a run would take, before anything is paid for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path

from batchata import costs
from batchata.plan import JobLimits
from batchata.providers import Provider
from batchata.results import iter_entries
from batchata.runner.drafting import UNREADABLE
from batchata.runner.opening import job_limits
from batchata.runner.order import Order, Places
from batchata.runner.prepare import Prepared, Preparer
from batchata.runner.start import connect
from batchata.runner.task import Item, Task, custom_id
from batchata.types import Estimate, TokenCount, Usage

_COUNTED = 100
"""Requests whose tokens are counted; the rest is projected from their bytes."""
_LIKELY_SHARE = 4
"""Of ``max_tokens``, before any answer is known."""


@dataclass(slots=True)
class _Sums:
    items: int = 0
    unreadable: int = 0
    jobs: int = 0
    size: int = 0
    counted: int = 0
    counted_size: int = 0
    tokens: int = 0
    is_exact: bool = True

    @property
    def asked(self) -> int:
        return self.items - self.unreadable

    @property
    def input_tokens(self) -> int:
        """Of all requests; projected by bytes where only some were counted."""
        if self.counted == self.asked or not self.counted_size:
            return self.tokens
        return self.tokens * self.size // self.counted_size


def estimate(order: Order, places: Places) -> Estimate:
    """Read every input once, count the tokens of some, and price the whole."""
    items = order.given.items()
    first = next(items, None)
    if first is None:
        return _priced(_Sums(), None, order.task, output_tokens=0, is_assumed=False)
    provider, task = connect(order.task)
    preparer = Preparer(provider, provider.describe(task.model), task)
    sums, limits = _Sums(), job_limits(order, provider)
    every = max(1, (order.given.count or 0) // _COUNTED)
    with ThreadPoolExecutor(8, thread_name_prefix="batchata") as pool:
        counts: list[Future[TokenCount]] = []
        for prepared in _prepared(chain([first], items), limits, preparer, sums):
            if sums.asked % every == 0 and sums.counted < _COUNTED:
                sums.counted += 1
                sums.counted_size += len(prepared.line)
                counts.append(pool.submit(provider.count_tokens, prepared.request))
        for count in (future.result() for future in counts):
            sums.tokens += count.tokens
            sums.is_exact = sums.is_exact and count.exact
    likely, is_assumed = _likely_output(task, places.results_dir)
    return _priced(sums, provider, task, output_tokens=likely * sums.asked, is_assumed=is_assumed)


def _prepared(items: Iterable[Item], limits: JobLimits, preparer: Preparer, sums: _Sums) -> Iterator[Prepared]:
    """Every request, split into jobs on the way."""
    in_job = size = 0
    for item in items:
        sums.items += 1
        try:
            request_id = custom_id("bt000000000000", 0, item.index)
            prepared = preparer.prepare(item, request_id, cache_prefix=limits.items > 1)
        except UNREADABLE:
            sums.unreadable += 1
            continue
        more = len(prepared.line) + 1
        if in_job == 0 or not limits.has_room(in_job, size, more):
            sums.jobs += 1
            in_job = size = 0
        in_job += 1
        size += more
        sums.size += len(prepared.line)
        yield prepared


def _likely_output(task: Task, folder: Path) -> tuple[int, bool]:
    """Tokens of one answer: the mean of those on disk, else a share of the most; and whether that is assumed."""
    told = 0
    tokens = 0
    if (folder / "processed").is_dir():
        for entry in iter_entries(folder, None):
            if entry["usage"] is not None:
                told += 1
                tokens += entry["usage"]["output_tokens"]
    return (tokens // told, False) if told else (max(1, task.max_tokens // _LIKELY_SHARE), True)


def _priced(
    sums: _Sums, provider: Provider | None, task: Task, *, output_tokens: int, is_assumed: bool
) -> Estimate:
    likely: Decimal | None = Decimal(0)
    worst: Decimal | None = Decimal(0)
    if provider is not None and sums.asked:
        mean = Usage(-(-sums.input_tokens // sums.asked), output_tokens // sums.asked)
        each = costs.price(provider.name, task.model, mean, prices=task.prices).usd
        most = costs.worst(
            provider.name,
            task.model,
            TokenCount(mean.input_tokens, exact=True),
            task.max_tokens,
            caches=bool(task.examples),
            prices=task.prices,
        )
        likely = None if each is None else each * sums.asked
        worst = None if most is None else most * sums.asked
    return {
        "total_items": sums.items,
        "unreadable_items": sums.unreadable,
        "jobs": sums.jobs,
        "input_tokens": sums.input_tokens,
        "input_tokens_are_exact": sums.is_exact and sums.counted == sums.asked,
        "output_tokens": output_tokens,
        "output_tokens_are_assumed": is_assumed,
        "likely_cost": likely,
        "worst_cost": worst,
    }
