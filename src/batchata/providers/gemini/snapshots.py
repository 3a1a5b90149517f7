"""A batch as Gemini's REST API shows it, as a snapshot. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from batchata.errors import ProviderError
from batchata.types import JobSnapshot, JobState

EXPIRES = timedelta(hours=48)
_EXPIRED = "it was not done within 48 hours: Gemini returns nothing of it, not even what was finished"


def snapshot(batch: dict[str, Any]) -> JobSnapshot:
    """How the batch stands. Raises ``ProviderError`` for a state that nobody knows."""
    about = batch.get("metadata") or {}
    created_at = _time(about.get("createTime"))
    return JobSnapshot(
        provider_job_id=batch["name"],
        state=_state(batch),
        created_at=created_at,
        ended_at=_time(about.get("endTime")),
        expires_at=None if created_at is None else created_at + EXPIRES,
        message=_message(batch),
    )


def is_told_by_state(batch: dict[str, Any]) -> bool:
    """Whether the state alone says how it stands; with the others it matters whether there are results."""
    return word_of(batch) not in {"FAILED", "CANCELLED"}


def word_of(batch: dict[str, Any]) -> str:
    """The state without the prefix, which REST and SDK spell differently."""
    told = str((batch.get("metadata") or {}).get("state"))
    return told.removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")


def display_name(batch: dict[str, Any]) -> str | None:
    """What ``submit`` called it."""
    name: str | None = (batch.get("metadata") or {}).get("displayName")
    return name


def created_at(batch: dict[str, Any]) -> datetime | None:
    """By Gemini's clock."""
    return _time((batch.get("metadata") or {}).get("createTime"))


def output_of(batch: dict[str, Any]) -> dict[str, Any]:
    """Where the results are: ``responsesFile`` or ``inlinedResponses``; empty where there are none."""
    return (batch.get("metadata") or {}).get("output") or batch.get("response") or {}


def _state(batch: dict[str, Any]) -> JobState:
    match word_of(batch):
        case "QUEUED" | "PENDING":
            return JobState.PENDING
        case "RUNNING" | "UPDATING" | "PAUSED":
            return JobState.IN_PROGRESS
        case "CANCELLING":
            return JobState.CANCELING
        case "SUCCEEDED" | "PARTIALLY_SUCCEEDED":
            return JobState.ENDED
        case "FAILED" | "CANCELLED":
            return JobState.ENDED if output_of(batch) else JobState.FAILED
        case "EXPIRED":
            return JobState.FAILED
        case unknown:
            raise ProviderError(
                f"Gemini reports the state {unknown!r} for {batch['name']!r}, which this version does not know. "
                f"Update batchata.",
                provider="gemini",
            )


def _message(batch: dict[str, Any]) -> str | None:
    if word_of(batch) == "EXPIRED":
        return _EXPIRED
    if word_of(batch) == "CANCELLED" and not output_of(batch):
        return "it was canceled, and Gemini returns nothing of it"
    if batch.get("error"):
        error = batch["error"]
        return f"error {error.get('code')}: {error.get('message') or 'no explanation'}"
    return None


def _time(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
