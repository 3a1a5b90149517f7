"""A job as Mistral shows it, as a snapshot. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from mistralai.client.models import BatchJob

from batchata.errors import ProviderError
from batchata.types import JobSnapshot, JobState, RequestCounts


def snapshot(job: BatchJob) -> JobSnapshot:
    """How the job stands. Raises ``ProviderError`` for a state that nobody knows."""
    state = _state(job)
    completed, total = job.succeeded_requests, job.total_requests
    left = max(0, total - completed - job.failed_requests)
    is_over = state in {JobState.ENDED, JobState.FAILED}
    is_late = job.status == "TIMEOUT_EXCEEDED"
    counts = RequestCounts(
        processing=0 if is_over else left,
        succeeded=completed,
        errored=job.failed_requests,
        canceled=left if is_over and not is_late else 0,
        expired=left if is_late else 0,
    )
    return JobSnapshot(
        provider_job_id=job.id,
        state=state,
        counts=counts if total else None,
        created_at=datetime.fromtimestamp(job.created_at, UTC),
        ended_at=datetime.fromtimestamp(job.completed_at, UTC) if job.completed_at else None,
        message="; ".join(f"{error.message} ({error.count} times)" for error in job.errors) or None,
    )


def _state(job: BatchJob) -> JobState:
    match job.status:
        case "QUEUED":
            return JobState.PENDING
        case "RUNNING":
            return JobState.IN_PROGRESS
        case "CANCELLATION_REQUESTED":
            return JobState.CANCELING
        case "SUCCESS" | "TIMEOUT_EXCEEDED" | "CANCELLED":
            return JobState.ENDED
        case "FAILED":  # what it has to read was run, and may be billed
            return JobState.ENDED if job.output_file or job.error_file else JobState.FAILED
        case unknown:
            raise ProviderError(
                f"Mistral reports the state {str(unknown)!r} for {job.id!r}, which this version does not know. Update "
                f"batchata.",
                provider="mistral",
            )
