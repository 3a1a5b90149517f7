"""Anthropic's batches: how they are created, shown and read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tests.wire.answers import JsonObject
from tests.wire.faults import Reply, error_reply
from tests.wire.jobs import Job, JobStore
from tests.wire.ledger import Ledger
from tests.wire.outcomes import Producer

MAX_REQUESTS = 100_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_EXPIRY = timedelta(hours=24)


class ApiError(Exception):
    """The answer is this error."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.reply: Reply = error_reply(status, type_, message)


def invalid(message: str) -> ApiError:
    return ApiError(400, "invalid_request_error", message)


def not_found(message: str) -> ApiError:
    return ApiError(404, "not_found_error", message)


class BatchStore(JobStore):
    """All batches of the workspace."""

    def __init__(self, producer: Producer, ledger: Ledger) -> None:
        super().__init__(producer, ledger, id_prefix="msgbatch")

    def create(self, body: object, version: str) -> Job:
        """Check the shape, as the API does at once, and accept."""
        requests = _check_create(body)
        return self.accept([(each["custom_id"], each["params"]) for each in requests], {"version": version})

    def results(self, batch_id: str) -> list[bytes]:
        job = self.find(batch_id)
        if job.ended_at is None:
            raise not_found(f"No results are available yet for batch {batch_id}.")
        return job.lines


def view(job: Job, base_url: str) -> JsonObject:
    """The batch as the API shows it: until its end nothing but ``processing`` is counted."""
    ended = job.ended_at is not None
    status = "ended" if ended else "canceling" if job.cancel_initiated_at else "in_progress"
    kinds = ("succeeded", "errored", "canceled", "expired")
    is_kept = ended and job.archived_at is None
    return {
        "id": job.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": {
            "processing": 0 if ended else len(job.items),
            **{kind: job.counts[kind] for kind in kinds},
        },
        "ended_at": _iso(job.ended_at),
        "created_at": _iso(job.created_at),
        "expires_at": _iso(job.created_at + _EXPIRY),
        "archived_at": _iso(job.archived_at),
        "cancel_initiated_at": _iso(job.cancel_initiated_at),
        "results_url": f"{base_url}/v1/messages/batches/{job.id}/results" if is_kept else None,
    }


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def _check_create(body: object) -> list[JsonObject]:
    """What the API refuses at once; all that is wrong inside ``params`` it finds later."""
    if not isinstance(body, dict) or not isinstance(body.get("requests"), list):
        raise invalid("requests: Field required")
    if body.keys() - {"requests"}:
        raise invalid(f"{min(body.keys() - {'requests'})}: Extra inputs are not permitted")
    requests: list[JsonObject] = body["requests"]
    if not requests:
        raise invalid("requests: List should have at least 1 item after validation, not 0")
    if len(requests) > MAX_REQUESTS:
        raise invalid(f"requests: List should have at most {MAX_REQUESTS} items after validation")
    for problem in _request_problems(requests):
        raise invalid(problem)
    return requests


def _request_problems(requests: Sequence[object]) -> Iterator[str]:
    seen: set[str] = set()
    for index, request in enumerate(requests):
        if not isinstance(request, dict) or request.keys() != {"custom_id", "params"}:
            yield f"requests.{index}: Input does not match the expected shape."
            return
        custom_id = request["custom_id"]
        if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
            yield f"requests.{index}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
        elif custom_id in seen:
            yield f"requests.{index}.custom_id: custom_id must be unique within a batch: {custom_id!r}"
        elif not isinstance(request["params"], dict):
            yield f"requests.{index}.params: Input should be an object"
        else:
            seen.add(custom_id)
