"""How a job stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobState(StrEnum):
    """How a job stands at the provider."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    CANCELING = "canceling"
    ENDED = "ended"
    """Results can be read, also after expiry or cancel."""
    FAILED = "failed"
    """Over, with nothing to read."""


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """How many requests of a job ended in which way, as far as the provider tells."""

    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        """All requests of the job."""
        return self.processing + self.done

    @property
    def done(self) -> int:
        """Requests that ended, in whichever way."""
        return self.succeeded + self.errored + self.canceled + self.expired


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """What ``check`` saw.

    Attributes:
        message: why it failed, or what else the provider says of it.
        is_billed: of a job that failed, whether it is billed all the same; ``None`` when nobody knows.
        is_crowded_out: it failed for want of room beside other jobs, before anything was run: it may be sent again.
    """

    provider_job_id: str
    state: JobState
    counts: RequestCounts | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    message: str | None = None
    is_billed: bool | None = None
    is_crowded_out: bool = False
