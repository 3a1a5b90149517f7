"""From inputs to jobs that are ready to be sent: read, encoded, spooled, and with the most that they can cost."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from decimal import Decimal

from batchata import costs
from batchata.errors import ConversationError, DocumentError, LimitError, ProviderError
from batchata.plan import Candidate, JobLimits
from batchata.providers import Provider
from batchata.runner.inputs import Inputs
from batchata.runner.prepare import Prepared, Preparer
from batchata.runner.task import Item, Task, custom_id
from batchata.spool import Lines
from batchata.types import Request, TokenCount

UNREADABLE = (DocumentError, LimitError, ConversationError)
"""What is wrong with one item alone; everything else is wrong with the task."""

_COUNTED_AHEAD = 32
"""Requests that are kept in memory while the provider counts their tokens."""


@dataclass(slots=True)
class Draft:
    """A job before it is sent.

    Attributes:
        number: of the job.
        max_tokens: most tokens of one answer.
        items: all of them.
        digests: by item, what was read; only of items that can be sent.
        unsent: by item, why it cannot be sent.
        candidates: the items that can be sent.
        lines: their encoded requests, in the same order.
    """

    number: int
    max_tokens: int
    items: list[Item] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)
    unsent: dict[int, str] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)

    def refuse(self, refused: Mapping[int, str]) -> None:
        """Leave out requests that turned out not to be sendable; by position, why."""
        if not refused:
            return
        for position, words in refused.items():
            index = self.candidates[position].index
            self.unsent[index] = words
            del self.digests[index]
        self.candidates = [each for at, each in enumerate(self.candidates) if at not in refused]
        self.lines.leave_out(refused)

    @property
    def worst_usd(self) -> Decimal | None:
        """The most that it can cost; ``None`` if that was not worked out, or no price is known."""
        total = Decimal(0)
        for candidate in self.candidates:
            if candidate.worst_usd is None:
                return None
            total += candidate.worst_usd
        return total

    def cut(self, count: int) -> list[Item]:
        """Keep the first ``count`` requests and what could not be sent before them; returns the other items."""
        first_out = self.candidates[count].index
        position = next(at for at, item in enumerate(self.items) if item.index == first_out)
        rest, self.items = self.items[position:], self.items[:position]
        self.candidates = self.candidates[:count]
        self.lines.leave_out(range(count, self.lines.count))
        for item in rest:
            self.digests.pop(item.index, None)
            self.unsent.pop(item.index, None)
        return rest

    def close(self) -> None:
        """Give the temporary file back."""
        self.lines.close()


class Appraiser:
    """Works out the most that a request can cost; asks the provider for its count where a price hangs on it."""

    def __init__(self, provider: Provider, task: Task) -> None:
        self._provider = provider
        self._task = task
        probe = self._worst(TokenCount(1_000_000, exact=False), task.max_tokens, caches=True)
        self.has_price = probe is not None
        self.prices_cache = costs.prices_cache(provider.name, task.model, task.prices)
        self._is_free = probe == 0

    def worst(self, request: Request, max_tokens: int | None) -> Decimal | None:
        """Dollars; ``None`` without a known price.

        ``max_tokens`` is that of a request sent earlier: what it asked of the cache may differ too, so it is taken to
        have asked for all; ``None`` for one that is sent now.
        """
        if self._is_free or not self.has_price:
            return Decimal(0) if self._is_free else None
        asked = max_tokens is not None and bool(request.examples) and self._provider.limits.marks_cache
        caches = request.cache_prefix or asked
        most = request.max_tokens if max_tokens is None else max_tokens
        return self._worst(self._provider.count_tokens(request), most, caches=caches)

    def _worst(self, tokens: TokenCount, max_tokens: int, *, caches: bool) -> Decimal | None:
        task = self._task
        return costs.worst(self._provider.name, task.model, tokens, max_tokens, caches=caches, prices=task.prices)


class Drafter:
    """Makes the drafts of one run.

    Args:
        limits: how much goes into one job.
        appraiser: for the cost of requests; ``None`` where nobody asks for it.
        pool: for what the provider is asked meanwhile.
    """

    def __init__(
        self,
        preparer: Preparer,
        *,
        run_id: str,
        max_tokens: int,
        limits: JobLimits,
        appraiser: Appraiser | None,
        pool: Executor,
    ) -> None:
        self._preparer = preparer
        self._max_tokens = max_tokens
        self._run_id = run_id
        self._limits = limits
        self._appraiser = appraiser
        self._pool = pool
        # What is not priced is not asked for where a cap must hold.
        self._marks_cache = limits.items > 1 and (appraiser is None or appraiser.prices_cache)

    def next(self, inputs: Inputs, number: int) -> Draft | None:
        """As many of the next inputs as go into one job; ``None`` if there is none left.

        Raises ``ProviderError``, with all inputs given back, where tokens cannot be counted.
        """
        if not inputs.has_more():
            return None
        taken: list[Item] = []
        try:
            draft = self._made(number, self._taken(inputs, taken), is_fixed=False)
        except ProviderError:
            inputs.give_back(taken)
            raise
        inputs.give_back(taken[len(draft.items) :])
        return draft

    def again(self, items: Iterable[Item], number: int, *, sent_with: int | None = None) -> Draft:
        """The draft of a job whose items are fixed; ``sent_with``: the ``max_tokens`` of one that was sent earlier."""
        return self._made(number, iter(items), is_fixed=True, sent_with=sent_with)

    def _taken(self, inputs: Inputs, taken: list[Item]) -> Iterator[Item]:
        for _ in range(self._limits.items):
            item = inputs.take()
            if item is None:
                return
            taken.append(item)
            yield item

    def _made(self, number: int, items: Iterator[Item], *, is_fixed: bool, sent_with: int | None = None) -> Draft:
        """Unless the items are fixed, the draft ends before the first that has no room any more."""
        with contextlib.ExitStack() as undo:
            draft = Draft(number, self._max_tokens)
            undo.callback(draft.close)
            self._fill(draft, items, is_fixed=is_fixed, sent_with=sent_with)
            undo.pop_all()
            return draft

    def _fill(self, draft: Draft, items: Iterator[Item], *, is_fixed: bool, sent_with: int | None) -> None:
        counts = None if self._appraiser is None else _Counts(self._appraiser, self._pool, sent_with)
        for item in items:
            prepared = self._prepared(item, draft)
            if prepared is not None:
                more = len(prepared.line) + 1
                if not is_fixed and not self._limits.has_room(draft.lines.count, draft.lines.size, more):
                    break
                draft.lines.add(prepared.line)
                draft.digests[item.index] = prepared.fingerprint
                draft.candidates.append(Candidate(item.index, more, None))
                if counts is not None:
                    counts.ask(prepared.request)
            draft.items.append(item)
        draft.lines.flush()
        if counts is not None:
            told, refused = counts.answers()
            for candidate, worst_usd in zip(draft.candidates, told, strict=True):
                candidate.worst_usd = worst_usd
            draft.refuse(refused)

    def _prepared(self, item: Item, draft: Draft) -> Prepared | None:
        request_id = custom_id(self._run_id, draft.number, item.index)
        try:
            return self._preparer.prepare(item, request_id, cache_prefix=self._marks_cache)
        except UNREADABLE as error:
            draft.unsent[item.index] = str(error)
            return None


class _Counts:
    """What requests cost at most, asked for a few at a time; in the order of asking."""

    def __init__(self, appraiser: Appraiser, pool: Executor, sent_with: int | None) -> None:
        self._appraiser = appraiser
        self._sent_with = sent_with
        self._pool = pool
        self._asked: deque[Future[Decimal | None]] = deque()
        self._told: list[Decimal | None] = []
        self._refused: dict[int, str] = {}

    def ask(self, request: Request) -> None:
        if len(self._asked) >= _COUNTED_AHEAD:
            self._hear()
        self._asked.append(self._pool.submit(self._appraiser.worst, request, self._sent_with))

    def answers(self) -> tuple[list[Decimal | None], dict[int, str]]:
        """What each can cost; and by position, why the provider would refuse it."""
        while self._asked:
            self._hear()
        return self._told, self._refused

    def _hear(self) -> None:
        try:
            self._told.append(self._asked.popleft().result())
        except UNREADABLE as error:
            self._refused[len(self._told)] = str(error)
            self._told.append(None)
