"""What a run would take, before anything is paid for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path

from batchata import costs
from batchata.plan import JobLimits
from batchata.providers import Provider
from batchata.results import PROCESSED, iter_entries
from batchata.runner.drafting import UNREADABLE
from batchata.runner.opening import job_limits
from batchata.runner.order import Order, Places
from batchata.runner.prepare import Prepared, Preparer
from batchata.runner.start import connect
from batchata.runner.task import Item, Task, custom_id, new_run_id
from batchata.types import Estimate, TokenCount, Usage

_COUNTED = 500
"""Requests whose tokens are counted; the rest is projected from their bytes."""
_COUNTED_AHEAD = 32
_LIKELY_SHARE = 4
"""Of ``max_tokens``, before any answer is known."""


@dataclass(slots=True)
class _Sums:
    """What was seen so far: of all requests, and of those whose tokens were counted."""

    items: int = 0
    unreadable: int = 0
    jobs: int = 0
    size: int = 0
    counted: int = 0
    counted_size: int = 0
    tokens: int = 0
    is_exact: bool = True
    likely_usd: Decimal | None = Decimal(0)
    worst_usd: Decimal | None = Decimal(0)

    @property
    def asked(self) -> int:
        """Requests."""
        return self.items - self.unreadable

    @property
    def is_whole(self) -> bool:
        """Whether every request was counted."""
        return self.counted == self.asked

    def projected(self, usd: Decimal | None) -> Decimal | None:
        """Of all requests, from the counted ones by their bytes."""
        if usd is None or self.is_whole or not self.counted_size:
            return usd
        return usd * self.size / self.counted_size


def estimate(order: Order, places: Places) -> Estimate:
    """Read every input once, count the tokens of some, and price the whole."""
    items = order.given.items()
    first = next(items, None)
    if first is None:
        return _told(_Sums(), 0, is_assumed=False)
    provider, task = connect(order.task)
    preparer = Preparer(provider, provider.describe(task.model), task)
    sums, limits = _Sums(), job_limits(order, provider)
    output_tokens, is_assumed = _likely_output(task, places.results_dir)
    every = -(-(order.given.count or 0) // _COUNTED) or 1
    counter = _Counter(provider, task, sums, output_tokens)
    with ThreadPoolExecutor(8, thread_name_prefix="batchata") as pool:
        for number, prepared in enumerate(_prepared(chain([first], items), limits, preparer, sums)):
            if number % every == 0 and counter.asked < _COUNTED:
                counter.ask(pool, prepared)
        counter.hear(left=0)
    return _told(sums, output_tokens * sums.asked, is_assumed=is_assumed)


class _Counter:
    """Has requests counted, a few at a time, and prices each: prices may step with a request's size."""

    def __init__(self, provider: Provider, task: Task, sums: _Sums, output_tokens: int) -> None:
        self._provider = provider
        self._task = task
        self._sums = sums
        self._output_tokens = output_tokens
        self._waiting: deque[tuple[Future[TokenCount], int]] = deque()
        self.asked = 0

    def ask(self, pool: Executor, prepared: Prepared) -> None:
        self.asked += 1
        self._waiting.append((pool.submit(self._provider.count_tokens, prepared.request), len(prepared.line)))
        self.hear(left=_COUNTED_AHEAD)

    def hear(self, *, left: int) -> None:
        """Take note of the counts, until so many are still waited for."""
        while len(self._waiting) > left:
            answer, size = self._waiting.popleft()
            try:
                count = answer.result()
            except UNREADABLE:
                self._sums.unreadable += 1
                self._sums.size -= size
            else:
                self._price(count, size)

    def _price(self, count: TokenCount, size: int) -> None:
        sums, task, name = self._sums, self._task, self._provider.name
        sums.counted += 1
        sums.counted_size += size
        sums.tokens += count.tokens
        sums.is_exact = sums.is_exact and count.exact
        usage = Usage(count.tokens, self._output_tokens)
        likely = costs.price(name, task.model, usage, prices=task.prices).usd
        caches = bool(task.examples) and self._provider.limits.marks_cache
        worst = costs.worst(name, task.model, count, task.max_tokens, caches=caches, prices=task.prices)
        sums.likely_usd = None if likely is None or sums.likely_usd is None else sums.likely_usd + likely
        sums.worst_usd = None if worst is None or sums.worst_usd is None else sums.worst_usd + worst


def _prepared(items: Iterable[Item], limits: JobLimits, preparer: Preparer, sums: _Sums) -> Iterator[Prepared]:
    """Every request, split into jobs on the way."""
    run_id = new_run_id()  # for its length
    in_job = size = 0
    for item in items:
        sums.items += 1
        try:
            prepared = preparer.prepare(item, custom_id(run_id, 0, item.index), cache_prefix=limits.items > 1)
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
    if (folder / PROCESSED).is_dir():
        for entry in iter_entries(folder, None):
            if entry["usage"] is not None:
                told += 1
                tokens += entry["usage"]["output_tokens"]
    return (tokens // told, False) if told else (max(1, task.max_tokens // _LIKELY_SHARE), True)


def _told(sums: _Sums, output_tokens: int, *, is_assumed: bool) -> Estimate:
    return {
        "total_items": sums.items,
        "unreadable_items": sums.unreadable,
        "jobs": sums.jobs,
        "input_tokens": int(sums.projected(Decimal(sums.tokens)) or 0),
        "input_tokens_are_exact": sums.is_exact and sums.is_whole,
        "output_tokens": output_tokens,
        "output_tokens_are_assumed": is_assumed,
        "likely_cost": sums.projected(sums.likely_usd),
        "worst_cost": sums.projected(sums.worst_usd),
    }
