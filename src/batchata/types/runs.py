"""A run and its jobs, as the state file knows them: no bodies, no answers, no keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class JobStatus(StrEnum):
    """How far a job of a run has come."""

    PLANNED = "planned"
    """Its items are chosen and its worst cost is reserved."""
    SUBMITTING = "submitting"
    """It may or may not exist at the provider: only ``find`` can tell."""
    IN_PROGRESS = "in_progress"
    """It exists, under ``provider_job_id``."""
    ENDED = "ended"
    """Its answers can be read."""
    COLLECTED = "collected"
    """Every item has its outcome on disk, and the cost is settled."""
    REJECTED = "rejected"
    """The provider refused it: nothing was bought. It is tried again when the run is taken up again."""


MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    # Straight to collected: none of its items could be read, so nothing is sent.
    JobStatus.PLANNED: frozenset({JobStatus.SUBMITTING, JobStatus.COLLECTED}),
    # Back to planned: it was looked for, and nothing was made.
    JobStatus.SUBMITTING: frozenset({JobStatus.IN_PROGRESS, JobStatus.REJECTED, JobStatus.PLANNED}),
    # Back to planned: what was taken for it proved to be somebody else's.
    JobStatus.IN_PROGRESS: frozenset({JobStatus.ENDED, JobStatus.PLANNED}),
    JobStatus.ENDED: frozenset({JobStatus.COLLECTED, JobStatus.PLANNED}),
    JobStatus.COLLECTED: frozenset(),
    JobStatus.REJECTED: frozenset({JobStatus.PLANNED}),
}
"""The legal moves of a job."""

OVER = frozenset({JobStatus.COLLECTED})
"""Nothing happens to the job any more."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job of a run.

    Attributes:
        number: from 0, in the order of planning; retries are new jobs.
        status: how far it has come.
        items: indexes of its items, ascending.
        inputs: digest of its items' contents.
        is_retry: whether its items failed in earlier jobs.
        unsent: index and reason of items that could not be read: they are in no request.
        max_tokens: most tokens of one of its answers.
        reserved_usd: the most it can cost; ``None`` where no cap was set and no price is known.
        submitting_at: when the last attempt to create it began.
        provider_job_id: the provider's id.
        rivals: other jobs at the provider that may be this one instead; only their answers can tell.
        is_proven: whether ``provider_job_id`` is known to be ours.
        completed: items with a result.
        failed: items without.
        cost_usd: what its items cost, as far as that is known.
        unknown_costs: items whose cost is not known.
        cost_is_estimate: whether the cost rests on a documented factor.
        message: why it was refused, if it was.
    """

    number: int
    status: JobStatus
    items: tuple[int, ...]
    inputs: str
    is_retry: bool = False
    unsent: tuple[tuple[int, str], ...] = ()
    reserved_usd: Decimal | None = None
    submitting_at: datetime | None = None
    provider_job_id: str | None = None
    rivals: tuple[str, ...] = ()
    is_proven: bool = True
    completed: int = 0
    failed: int = 0
    cost_usd: Decimal = Decimal(0)
    unknown_costs: int = 0
    cost_is_estimate: bool = False
    message: str | None = None
    max_tokens: int | None = None

    @property
    def request_count(self) -> int:
        """How many of its items are sent."""
        return len(self.items) - len(self.unsent)

    @property
    def held_usd(self) -> Decimal:
        """What it may have cost beyond ``cost_usd``, where some items' cost will never be known."""
        if self.reserved_usd is None or not self.unknown_costs:
            return Decimal(0)
        return max(Decimal(0), self.reserved_usd - self.cost_usd)

    def moved(self, status: JobStatus, **changes: Any) -> JobRecord:
        """The job in its next status. Raises ``ValueError`` for a move that is not in ``MOVES``."""
        if status not in MOVES[self.status]:
            raise ValueError(f"job {self.number} cannot go from {self.status} to {status}")
        return replace(self, status=status, **changes)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run is, fixed when it starts.

    Attributes:
        run_id: part of every custom_id.
        created_at: when it began.
        arguments: name of each argument that must stay the same → its value, or a digest of it, as text.
    """

    run_id: str
    created_at: datetime
    arguments: dict[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """How much of the inputs went into jobs so far.

    Attributes:
        items: how many, from the first.
        digest: of their contents, in order.
        is_all: whether there are no more.
    """

    items: int = 0
    digest: str = ""
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the jobs that are over.

    Attributes:
        cost_usd: what is known to be billed; leaves out the ``unknown_costs`` items whose cost is not known.
        held_usd: the most that those may have cost, so that a cap counts them.
        unheld_costs: those of them of which that is not known either: no cap was set.
    """

    jobs: int = 0
    completed: int = 0
    failed: int = 0
    cost_usd: Decimal = Decimal(0)
    unknown_costs: int = 0
    held_usd: Decimal = Decimal(0)
    unheld_costs: int = 0
    has_estimates: bool = False

    def plus(self, job: JobRecord) -> Totals:
        """With one more job that is over. What a retry settles does not count as failed any more."""
        again = len(job.items) if job.is_retry else 0
        return Totals(
            jobs=self.jobs + 1,
            completed=self.completed + job.completed,
            failed=self.failed + job.failed - again,
            cost_usd=self.cost_usd + job.cost_usd,
            unknown_costs=self.unknown_costs + job.unknown_costs,
            held_usd=self.held_usd + job.held_usd,
            unheld_costs=self.unheld_costs + (job.unknown_costs if job.reserved_usd is None else 0),
            has_estimates=self.has_estimates or job.cost_is_estimate,
        )


@dataclass(frozen=True, slots=True)
class RunState:
    """All that a store remembers of a run.

    Attributes:
        live: the jobs that are not over, by number.
        over: numbers of the jobs that are, ascending.
    """

    run: RunInfo
    planned: Planned = Planned()
    live: dict[int, JobRecord] = field(default_factory=dict)
    over: tuple[int, ...] = ()
    totals: Totals = Totals()

    @property
    def next_number(self) -> int:
        """Of the next new job."""
        return max([-1, *self.over[-1:], *self.live]) + 1


def to_ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers as ``"0-9,14"``: a million of them in a few characters."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in ranges)


def from_ranges(text: str) -> tuple[int, ...]:
    """The inverse of ``to_ranges``. Raises ``ValueError`` for anything else."""
    numbers: list[int] = []
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        begin, end = int(first), int(last if dash else first)
        if end < begin:
            raise ValueError(f"{part!r} is no range")
        numbers.extend(range(begin, end + 1))
    return tuple(numbers)
