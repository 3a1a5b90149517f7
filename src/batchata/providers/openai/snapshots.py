"""A batch object as OpenAI and its followers show it, as a snapshot. Pure."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from batchata.errors import ProviderError
from batchata.types import JobSnapshot, JobState, RequestCounts

logger = logging.getLogger(__name__)

_STATES = {
    "validating": JobState.PENDING,
    "in_progress": JobState.IN_PROGRESS,
    "finalizing": JobState.IN_PROGRESS,
    "cancelling": JobState.CANCELING,
    "completed": JobState.ENDED,
    "expired": JobState.ENDED,
    "cancelled": JobState.ENDED,
    "failed": JobState.FAILED,
}
_FOLLOWERS = {
    "created": JobState.PENDING,
    "pending": JobState.PENDING,
    "queued": JobState.PENDING,
    "scheduling": JobState.PENDING,
    "processing": JobState.IN_PROGRESS,
    "running": JobState.IN_PROGRESS,
    "finalized": JobState.ENDED,
    "canceling": JobState.CANCELING,
    "canceled": JobState.ENDED,
    "succeeded": JobState.ENDED,
    "success": JobState.ENDED,
    "done": JobState.ENDED,
    "error": JobState.FAILED,
}
"""What servers that follow OpenAI were seen to say besides, in any case of letters."""

_ENDS = ("completed_at", "failed_at", "expired_at", "cancelled_at")
_YEAR_5138 = 10**11
"""In seconds; in thousandths of them it is 1973, so nothing else is meant by more."""
_NEVER = 10**20
_SHOWN_ERRORS = 3
_QUEUE_FULL = "enqueued token limit"
"""How OpenAI says that all the jobs of a model together wait for more tokens than it lets wait."""


def snapshot(batch: dict[str, Any], provider: str, *, lenient: bool = False) -> JobSnapshot:
    """How the batch stands. Raises ``ProviderError`` for a state that nobody knows.

    Args:
        batch: as the server shows it.
        provider: who, for errors.
        lenient: the server only follows OpenAI: a state in other words or none at all is judged by whether there
            are results.
    """
    state = _lenient_state(batch) if lenient else _STATES.get(batch["status"])
    if state is None:
        raise ProviderError(
            f"{provider} reports the state {batch['status']!r} for {batch['id']!r}, which this version does not know. "
            f"Update batchata.",
            provider=provider,
        )
    ended_at = next((batch[key] for key in _ENDS if batch.get(key)), None)
    return JobSnapshot(
        provider_job_id=batch["id"],
        state=state,
        counts=_counts(batch.get("request_counts"), is_over=state in {JobState.ENDED, JobState.FAILED}),
        created_at=time_of(batch.get("created_at")),
        ended_at=time_of(ended_at),
        expires_at=time_of(batch.get("expires_at")),
        message=_message(batch),
        # OpenAI's jobs fail while they are validated, before anything is run.
        is_billed=False if state is JobState.FAILED and not lenient else None,
        is_crowded_out=state is JobState.FAILED and _QUEUE_FULL in str(batch.get("errors")).lower(),
    )


def result_files(batch: dict[str, Any]) -> list[str]:
    """The files that hold results: answers and errors apart, or together, or none."""
    return [batch[key] for key in ("output_file_id", "error_file_id") if batch.get(key)]


def time_of(told: object) -> datetime | None:
    """A time since 1970, in seconds or in thousandths and so on of them, or in ISO form; ``None`` where it is neither.

    0 is no time either: some servers write it for what has not been yet.
    """
    if isinstance(told, str) and told.isdecimal():
        told = int(told)
    if isinstance(told, int | float):
        return _since_1970(told)
    try:
        when = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _since_1970(told: float) -> datetime | None:
    if not 0 < told < _NEVER:
        return None
    while told > _YEAR_5138:
        told /= 1000
    return datetime.fromtimestamp(told, UTC)


def _lenient_state(batch: dict[str, Any]) -> JobState:
    status = str(batch.get("status")).lower()
    state = _STATES.get(status) or _FOLLOWERS.get(status)
    has_results = bool(result_files(batch))
    if state is None:
        state = JobState.ENDED if has_results else JobState.IN_PROGRESS
        logger.warning("the job %s has the unknown state %r: taken as %s", batch.get("id"), status, state)
    return JobState.ENDED if state is JobState.FAILED and has_results else state


def _counts(raw: dict[str, Any] | None, *, is_over: bool) -> RequestCounts | None:
    """``None`` also while the server has not counted yet."""
    if not raw or not raw.get("total"):
        return None
    completed, failed = raw.get("completed") or 0, raw.get("failed") or 0
    left = max(0, raw["total"] - completed - failed)
    return RequestCounts(
        processing=0 if is_over else left,
        succeeded=completed,
        errored=failed,
        canceled=left if is_over else 0,
    )


def _message(batch: dict[str, Any]) -> str | None:
    errors = batch.get("errors")
    told = errors.get("data") if isinstance(errors, dict) else errors
    if not told:
        return None
    if not isinstance(told, list):
        return str(told)
    words = [_error(each) for each in told[:_SHOWN_ERRORS]]
    more = f" (and {len(told) - _SHOWN_ERRORS} more)" if len(told) > _SHOWN_ERRORS else ""
    return "; ".join(words) + more


def _error(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    line = "" if error.get("line") is None else f" (line {error['line']})"
    return f"{error.get('code') or 'error'}: {error.get('message') or 'no explanation'}{line}"
