"""Jobs as any provider keeps them: created, looked at, canceled, ended, read, deleted."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from tests.wire.answers import JsonObject
from tests.wire.ledger import Ledger
from tests.wire.outcomes import Item, Produced, Producer, content_hash, new_id, shuffled


@dataclass(frozen=True, slots=True)
class Checks:
    """A batch ends at this check (``GET`` of the batch or of a list with it, counted from 1)."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Seconds:
    """A batch ends this long after its creation."""

    seconds: float


NEVER = Seconds(math.inf)
EndsAfter: TypeAlias = Checks | Seconds


@dataclass(slots=True)
class Job:
    """One batch, the ``number``-th; ``counts`` and ``produced`` are there once it ended.

    Attributes:
        given: what the protocol keeps of its creation (its version, metadata, name, files).
        expired_at: when it ended because its time was over.
        archived_at: since when its results are not kept any more.
    """

    id: str
    number: int
    created_at: datetime
    given: JsonObject
    items: list[Item] = field(repr=False)
    checks: int = 0
    cancel_initiated_at: datetime | None = None
    ended_at: datetime | None = None
    expired_at: datetime | None = None
    archived_at: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)
    produced: list[tuple[Item, Produced]] = field(default_factory=list, repr=False)
    lines: list[bytes] = field(default_factory=list, repr=False)


class UnknownJobError(Exception):
    """There is no job with this id."""


class TooLateError(Exception):
    """The job is over, or is not: the call does not fit."""


class JobStore:
    """All jobs of the workspace.

    Attributes:
        ends_after: when batches end; by default at the first look.
        done_at_cancel: share of the requests that were done when a cancel came.
        shuffle: whether results come in another order than the requests, as they do.
        producer: the model.
        ledger: what was bought.
    """

    def __init__(self, producer: Producer, ledger: Ledger, *, id_prefix: str) -> None:
        self.ends_after: EndsAfter = Checks(1)
        self.done_at_cancel = 0.0
        self.shuffle = True
        self.producer = producer
        self.ledger = ledger
        self._id_prefix = id_prefix
        self._jobs: dict[str, Job] = {}
        self._attempts: Counter[str] = Counter()
        self._lock = threading.RLock()

    def accept(self, requests: Sequence[tuple[str, JsonObject]], given: JsonObject) -> Job:
        """A job of these custom_ids and params, whose shape was checked; from now on it is bought."""
        hashes = [content_hash(params) for _, params in requests]
        with self._lock:
            items = []
            for (custom_id, params), content in zip(requests, hashes, strict=True):
                self._attempts[content] += 1
                items.append(Item(custom_id, params, content, self._attempts[content]))
            number = len(self.ledger.created) + 1
            job = Job(
                new_id(self._id_prefix, f"{number}:{time.time_ns()}"), number, datetime.now(UTC), given, items
            )
            self._jobs[job.id] = job
            self.ledger.record_created(job.id, [item.custom_id for item in items], hashes)
        return job

    def check(self, job_id: str) -> Job:
        """A look at the job, which may find it ended."""
        with self._lock:
            return self._looked_at(self.find(job_id))

    def newest_first(self) -> list[Job]:
        with self._lock:
            return [self._looked_at(job) for job in list(self._jobs.values())[::-1]]

    def cancel(self, job_id: str) -> Job:
        """The next look finds it ended."""
        with self._lock:
            job = self.find(job_id)
            if job.ended_at is not None:
                raise TooLateError(f"Batch {job_id} cannot be canceled because it has already ended.")
            job.cancel_initiated_at = job.cancel_initiated_at or datetime.now(UTC)
            return job

    def delete(self, job_id: str) -> None:
        with self._lock:
            if self.find(job_id).ended_at is None:
                raise TooLateError(f"Batch {job_id} cannot be deleted while it is in progress.")
            del self._jobs[job_id]

    def settle(self) -> None:
        """End every open batch now, so that all that was accepted is billed."""
        with self._lock:
            for job in self._jobs.values():
                if job.ended_at is None:
                    self._end(job)

    def expire(self, *, done: float = 0.0) -> None:
        """The time of every open batch is over, when this share of its requests was done."""
        with self._lock:
            for job in self._jobs.values():
                if job.ended_at is None:
                    job.expired_at = datetime.now(UTC)
                    self._end(job, done=done)

    def archive(self) -> None:
        """Weeks later: every batch is over, and its results are not kept any more."""
        self.settle()
        with self._lock:
            for job in self._jobs.values():
                job.archived_at = datetime.now(UTC)

    def find(self, job_id: str) -> Job:
        """The job, unlooked at."""
        with self._lock:
            if job_id not in self._jobs:
                raise UnknownJobError(f"Batch not found: {job_id}")
            return self._jobs[job_id]

    def _looked_at(self, job: Job) -> Job:
        job.checks += 1
        if job.ended_at is None and self._is_due(job):
            self._end(job, done=1.0 if job.cancel_initiated_at is None else self.done_at_cancel)
        return job

    def _is_due(self, job: Job) -> bool:
        if job.cancel_initiated_at is not None:
            return True
        match self.ends_after:
            case Checks(number):
                return job.checks >= number
            case Seconds(seconds):
                return (datetime.now(UTC) - job.created_at).total_seconds() >= seconds

    def _end(self, job: Job, *, done: float | None = None) -> None:
        if done is None:
            done = 1.0 if job.cancel_initiated_at is None else self.done_at_cancel
        kind = "expired" if job.expired_at is not None else "canceled"
        for index, item in enumerate(job.items):
            is_done = index < int(len(job.items) * done)
            produced = self.producer.produce(item, job.given) if is_done else self.producer.unanswered(item, kind)
            job.counts[produced.kind] += 1
            job.produced.append((item, produced))
            job.lines += produced.lines
            if produced.usage is not None:
                self.ledger.record_billed(
                    batch_id=job.id,
                    custom_id=item.custom_id,
                    content=item.content,
                    model=self.producer.model_of(item, job.given),
                    usage=produced.usage,
                )
        if self.shuffle:
            seed = f"{self.producer.faults.seed}:{job.number}"
            shuffled(job.lines, seed)
            shuffled(job.produced, seed)
        job.ended_at = datetime.now(UTC)
