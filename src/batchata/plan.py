"""Which items go into the next job, and whether the budget allows it. Pure: no file, clock or network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

__all__ = ["Budget", "Candidate", "JobLimits", "Step", "count_that_fit", "next_step"]


@dataclass(frozen=True, slots=True)
class JobLimits:
    """How much goes into one job: the user's wish and the provider's limits, whichever is less."""

    items: int
    bytes: int

    def has_room(self, items: int, size: int, more: int) -> bool:
        """Whether an item of ``more`` bytes goes into a job of ``items`` items and ``size`` bytes.

        The first item always does: one that no job can hold was refused before.
        """
        return items == 0 or (items < self.items and size + more <= self.bytes)


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class Candidate:
    """An item ready to be sent, and the most it can cost; ``None`` without a known price."""

    index: int
    size: int
    worst_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Budget:
    """Dollars: what may be billed in all, what was, and what jobs in flight may still cost.

    ``cap_usd`` is ``None`` without a cap.
    """

    cap_usd: Decimal | None
    spent_usd: Decimal
    reserved_usd: Decimal

    @property
    def room_usd(self) -> Decimal | None:
        """What may still be reserved; ``None`` without a cap, never below 0."""
        if self.cap_usd is None:
            return None
        return max(Decimal(0), self.cap_usd - self.spent_usd - self.reserved_usd)


class Step(Enum):
    """What to do with the next job."""

    START = "start"
    WAIT = "wait"
    """It does not fit now; jobs in flight may give room back."""
    SHRINK = "shrink"
    """Only the first items of it will ever fit."""
    STOP = "stop"
    """Nothing of it will ever fit."""


def count_that_fit(candidates: Sequence[Candidate], room_usd: Decimal | None) -> int:
    """How many of the candidates, from the first, can be paid in the worst case.

    An item without a known price fits only where there is no cap.
    """
    if room_usd is None:
        return len(candidates)
    total = Decimal(0)
    for number, candidate in enumerate(candidates):
        if candidate.worst_usd is None or total + candidate.worst_usd > room_usd:
            return number
        total += candidate.worst_usd
    return len(candidates)


def next_step(candidates: Sequence[Candidate], budget: Budget) -> tuple[Step, int]:
    """What to do with the next job, and with how many of its items.

    Jobs in flight mostly cost less than was reserved for them, so a job is shrunk only when none is left to wait
    for.
    """
    fitting = count_that_fit(candidates, budget.room_usd)
    if fitting == len(candidates):
        return Step.START, fitting
    if budget.reserved_usd > 0:
        return Step.WAIT, 0
    return (Step.SHRINK, fitting) if fitting else (Step.STOP, 0)
