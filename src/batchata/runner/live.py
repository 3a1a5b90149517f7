"""A job that is not over, and what the provider is asked about it: calls that take values and return values."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from batchata.errors import ProviderError
from batchata.providers import Provider
from batchata.runner.answers import Fetched, fetch
from batchata.runner.drafting import Draft
from batchata.runner.poll import poll_seconds
from batchata.runner.submit import Creation, Submitted, backoff_seconds
from batchata.runner.task import Item
from batchata.types import JobRecord, JobSnapshot, JobStatus

logger = logging.getLogger(__name__)

Answer: TypeAlias = Submitted | JobSnapshot | Mapping[str, JobSnapshot] | Fetched | None
"""What a call came back with: snapshots of several jobs by id; ``None`` from looking for one that does not exist."""

_NOT_FOUND = 404
_YOUNG_SECONDS = 60.0
"""A new job may be unknown to some of the provider's machines for a moment."""


@dataclass(slots=True, eq=False)
class Live:
    """A job between its first step and its last.

    Attributes:
        record: as the store has it, but for steps that need not be saved.
        items: its items.
        digests: by item, what was read.
        draft: while it may have to be sent.
        must_look: it may exist at the provider; it is looked for before it is sent.
        is_new: it was just created, so that not being known at first means nothing.
        is_alone: a call about several jobs did not tell of it.
        late_until: it may still turn up there until then, though it is not found.
        others: ids at the provider that proved not to be it.
        snapshot: what the last check saw.
        call: what the provider is being asked.
        next_at: when to ask next.
        began_at: since when it is waited for.
        heard_at: when the provider last answered.
        failures: calls in a row that failed.
    """

    record: JobRecord
    items: list[Item]
    digests: Mapping[int, str]
    began_at: float
    draft: Draft | None = None
    must_look: bool = False
    late_until: float = 0.0
    is_new: bool = False
    is_alone: bool = False
    others: set[str] = field(default_factory=set)
    snapshot: JobSnapshot | None = None
    call: Future[Answer] | None = None
    next_at: float = 0.0
    heard_at: float = 0.0
    failures: int = 0

    def __post_init__(self) -> None:
        self.heard_at = self.began_at

    def close(self) -> None:
        """Give temporary files back, which are not needed any more."""
        draft, self.draft = self.draft, None
        if draft is not None:
            draft.close()
        if self.call is not None:
            self.call.add_done_callback(_close_answer)

    def rest(self, now: float) -> None:
        """Set the time of the next check: later the older the job is, and not all jobs at once."""
        self.next_at = now + poll_seconds(now - self.began_at) * random.uniform(0.9, 1.1)  # noqa: S311  # not secret

    def failed(self, error: ProviderError, now: float) -> None:
        """Set the time of the next attempt."""
        self.failures += 1
        self.next_at = now + backoff_seconds(self.failures, error.retry_after)

    def heard(self, now: float) -> None:
        """The provider answered."""
        self.heard_at, self.failures = now, 0

    def is_patient_with(self, error: ProviderError, now: float) -> bool:
        """Whether a check that failed may be tried again."""
        is_young = self.is_new and error.status_code == _NOT_FOUND and now - self.began_at < _YOUNG_SECONDS
        return error.retryable or is_young


@dataclass(frozen=True, slots=True)
class Calls:
    """Everything that is asked of the provider about a job of one run."""

    provider: Provider
    run_id: str

    def next(self, live: Live, known: Collection[str]) -> Callable[[], Answer]:
        """The call that brings a job forward. ``known``: jobs at the provider that are surely others."""
        match live.record.status:
            case JobStatus.SUBMITTING:
                creation = self._creation(live, known)
                draft = live.draft
                if live.must_look or draft is None:
                    return creation.look
                return lambda: Submitted(self.provider.submit(draft.lines, tag=creation.tag))
            case JobStatus.IN_PROGRESS:
                job_id = job_id_of(live)
                return lambda: self.provider.check(job_id)
            case JobStatus.ENDED:
                return self._reading(live)
            case status:
                raise AssertionError(f"nothing is asked of a job that is {status}")

    def check_all(self, lives: Sequence[Live]) -> Callable[[], Answer]:
        """One call for several jobs."""
        ids = [job_id_of(live) for live in lives]
        return lambda: self.provider.check_many(ids)

    def cancel(self, live: Live) -> None:
        """Ask for the job's end; where that cannot be had, it is waited for."""
        try:
            self.provider.cancel(job_id_of(live))
        except ProviderError as error:
            logger.warning("%s", error)

    def _creation(self, live: Live, known: Collection[str]) -> Creation:
        record = live.record
        since = record.submitting_at
        return Creation(
            self.provider,
            f"{self.run_id}-{record.number}",
            datetime.now(UTC) if since is None else since,
            live.record.request_count,
            lambda job_id: job_id in known or job_id in live.others,
        )

    def _reading(self, live: Live) -> Callable[[], Answer]:
        counts = None if live.snapshot is None else live.snapshot.counts
        expected = live.record.request_count if counts is None else counts.total
        job_id = job_id_of(live)
        return lambda: fetch(self.provider, job_id, expected)


def _close_answer(call: Future[Answer]) -> None:
    if not call.cancelled() and call.exception() is None:
        answer = call.result()
        if isinstance(answer, Fetched):
            answer.close()


def job_id_of(live: Live) -> str:
    """The provider's id of a job that has one."""
    if live.record.provider_job_id is None:
        raise AssertionError(f"job {live.record.number} is {live.record.status} without an id")
    return live.record.provider_job_id
