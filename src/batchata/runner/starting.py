"""The next job of a run: drafted, weighed against the budget, and saved as about to be sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from batchata.plan import Budget, Step, next_step
from batchata.runner.drafting import Draft, Drafter
from batchata.runner.inputs import Chain, Inputs, joined
from batchata.runner.live import Live
from batchata.store import Store
from batchata.types import JobRecord, JobStatus, Planned, Totals


@dataclass(slots=True)
class Progress:
    """How far a run has come: what the store knows, kept beside it.

    Attributes:
        chain: of what is planned.
        next_number: of the next new job.
        cap_usd: the most that may be billed.
        cost_limit_reached: the cap keeps items from being sent.
        room: how many jobs the provider was seen to have room for; ``None`` while it took them all.
        live: jobs that are at the provider, or on their way.
        waiting: jobs that are surely not, to be sent again as they were.
        aside: jobs that are left to another process.
    """

    planned: Planned
    chain: Chain
    totals: Totals
    next_number: int
    cap_usd: Decimal | None
    cost_limit_reached: bool = False
    room: int | None = None
    live: dict[int, Live] = field(default_factory=dict)
    waiting: deque[Live] = field(default_factory=deque)
    aside: dict[int, JobRecord] = field(default_factory=dict)

    @property
    def reserved_usd(self) -> Decimal:
        """The most that jobs in flight may still cost, as far as that was worked out."""
        return sum((live.record.reserved_usd or Decimal(0) for live in self.live.values()), Decimal(0))

    @property
    def budget(self) -> Budget:
        """What may still be spent."""
        return Budget(self.cap_usd, self.totals.cost_usd + self.totals.held_usd, self.reserved_usd)


class Starter:
    """Starts the jobs of a run, one after the other.

    Args:
        inputs: what is not in a job yet.
        is_retry: whether these failed in earlier jobs.
    """

    def __init__(
        self, *, progress: Progress, store: Store, drafter: Drafter, inputs: Inputs, is_retry: bool
    ) -> None:
        self._progress = progress
        self._store = store
        self._drafter = drafter
        self._inputs = inputs
        self._is_retry = is_retry
        self._next: Draft | None = None
        self.begun_items = 0
        """Items that went into new jobs."""
        self._is_done = False

    def start(self, now: float) -> Live | None:
        """The next job, saved as about to be submitted; ``None`` if none can start now.

        A job without anything to send comes back as ``planned``.
        """
        progress = self._progress
        while progress.waiting:
            live = progress.waiting[0]
            live.draft = live.draft or self._drafter.again(live.items, live.record.number)
            # Its items are fixed, so it fits whole or not.
            step, _ = next_step(live.draft.candidates, progress.budget)
            if step in {Step.WAIT, Step.START}:
                return self._revive(live, live.draft, now) if step is Step.START else None
            progress.waiting.popleft().close()
            progress.aside[live.record.number] = live.record
            progress.cost_limit_reached = True
        return None if self._is_done else self._start_next(now)

    def _start_next(self, now: float) -> Live | None:
        draft = self._next or self._drafter.next(self._inputs, self._progress.next_number)
        self._next = None
        if draft is None:
            self._is_done = True
            return None
        step, count = next_step(draft.candidates, self._progress.budget)
        if step is Step.WAIT:
            self._next = draft
            return None
        if step is Step.STOP:
            self._stop(draft)
            return None
        if step is Step.SHRINK:
            self._inputs.give_back(draft.cut(count))
        return self._begin(draft, now)

    def close(self) -> None:
        """Give back what was drafted and not sent."""
        draft, self._next = self._next, None
        if draft is not None:
            draft.close()

    def _stop(self, draft: Draft) -> None:
        self._inputs.give_back(draft.items)
        draft.close()
        self._progress.cost_limit_reached = self._is_done = True

    def _begin(self, draft: Draft, now: float) -> Live:
        indexes = tuple(item.index for item in draft.items)
        digests = _digests(draft)
        record = JobRecord(
            number=draft.number,
            status=JobStatus.PLANNED,
            items=indexes,
            inputs=joined(digests),
            is_retry=self._is_retry,
            unsent=tuple(draft.unsent.items()),
            max_tokens=draft.max_tokens,
            reserved_usd=draft.worst_usd,
        )
        live = Live(record, draft.items, draft.digests, now, draft=draft)
        planned, chain = self._planned(digests)
        if draft.candidates:
            live.record = record.moved(JobStatus.SUBMITTING, submitting_at=datetime.now(UTC))
        self._next = draft  # until it is saved, so that it is closed
        self._store.save(live.record, planned)
        self._next = None
        self.begun_items += len(draft.items)
        self._progress.planned, self._progress.chain = planned, chain
        self._progress.next_number += 1
        self._progress.live[draft.number] = live
        return live

    def _planned(self, digests: Sequence[str]) -> tuple[Planned, Chain]:
        """What is planned with a job of these inputs."""
        planned, chain = self._progress.planned, self._progress.chain
        if self._is_retry:
            return planned, chain
        chain = chain.copy()
        chain.add(digests)
        more = Planned(
            items=planned.items + len(digests),
            digest=chain.digest,
            is_all=not self._inputs.has_more(),
        )
        return more, chain

    def _revive(self, live: Live, draft: Draft, now: float) -> Live:
        """Send a job again that could not be sent before: as it is today, so what it can cost is as of today too."""
        progress, record = self._progress, live.record
        if record.status is JobStatus.REJECTED:
            record = record.moved(JobStatus.PLANNED)
        live.digests = draft.digests
        live.record = replace(
            record,
            inputs=joined(_digests(draft)),
            unsent=tuple(draft.unsent.items()),
            max_tokens=draft.max_tokens,
            reserved_usd=draft.worst_usd,
            message=None,
        )
        live.must_look, live.failures, live.next_at = False, 0, now
        if draft.candidates:
            live.record = live.record.moved(JobStatus.SUBMITTING, submitting_at=datetime.now(UTC))
        self._store.save(live.record, progress.planned)
        progress.waiting.popleft()
        live.began_at = live.heard_at = now
        progress.live[record.number] = live
        return live


def _digests(draft: Draft) -> list[str]:
    """What was read of each item; nothing of one that cannot be sent."""
    return [draft.digests.get(item.index, "") for item in draft.items]
