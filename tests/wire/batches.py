"""Batches as the provider keeps them: created, checked, canceled, ended, read, deleted."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from tests.wire.answers import JsonObject
from tests.wire.faults import Reply, error_reply
from tests.wire.ledger import Ledger
from tests.wire.outcomes import Item, Producer, content_hash, ended_without_answer, new_id, shuffled

MAX_REQUESTS = 100_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_EXPIRY = timedelta(hours=24)


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


class ApiError(Exception):
    """The answer is this error."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.reply: Reply = error_reply(status, type_, message)


def invalid(message: str) -> ApiError:
    return ApiError(400, "invalid_request_error", message)


def not_found(message: str) -> ApiError:
    return ApiError(404, "not_found_error", message)


@dataclass(slots=True)
class Batch:
    """One batch, the ``number``-th; ``lines`` and ``counts`` are there once it ended."""

    id: str
    number: int
    version: str
    created_at: datetime
    items: list[Item] = field(repr=False)
    checks: int = 0
    cancel_initiated_at: datetime | None = None
    ended_at: datetime | None = None
    archived_at: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[bytes] = field(default_factory=list, repr=False)

    def view(self, base_url: str) -> JsonObject:
        """The batch as the API shows it: until its end nothing but ``processing`` is counted."""
        ended = self.ended_at is not None
        status = "ended" if ended else "canceling" if self.cancel_initiated_at else "in_progress"
        kinds = ("succeeded", "errored", "canceled", "expired")
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {
                "processing": 0 if ended else len(self.items),
                **{kind: self.counts[kind] for kind in kinds},
            },
            "ended_at": _iso(self.ended_at),
            "created_at": _iso(self.created_at),
            "expires_at": _iso(self.created_at + _EXPIRY),
            "archived_at": _iso(self.archived_at),
            "cancel_initiated_at": _iso(self.cancel_initiated_at),
            "results_url": f"{base_url}/v1/messages/batches/{self.id}/results"
            if ended and self.archived_at is None
            else None,
        }


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


class BatchStore:
    """All batches of the workspace.

    Attributes:
        ends_after: when batches end; by default at the first look.
        done_at_cancel: share of the requests that were done when a cancel came.
        shuffle: whether results come in another order than the requests, as they do.
    """

    def __init__(self, producer: Producer, ledger: Ledger) -> None:
        self.ends_after: EndsAfter = Checks(1)
        self.done_at_cancel = 0.0
        self.shuffle = True
        self._producer = producer
        self._ledger = ledger
        self._batches: dict[str, Batch] = {}
        self._attempts: Counter[str] = Counter()
        self._lock = threading.RLock()

    def create(self, body: object, version: str) -> Batch:
        """Check the shape, as the API does at once, and accept."""
        requests = _check_create(body)
        hashes = [content_hash(request["params"]) for request in requests]
        with self._lock:
            items = []
            for request, content in zip(requests, hashes, strict=True):
                self._attempts[content] += 1
                items.append(Item(request["custom_id"], request["params"], content, self._attempts[content]))
            number = len(self._ledger.created) + 1
            batch_id = new_id("msgbatch", f"{number}:{time.time_ns()}")
            batch = Batch(batch_id, number, version, datetime.now(UTC), items)
            self._batches[batch.id] = batch
            self._ledger.record_created(batch.id, [item.custom_id for item in items], hashes)
        return batch

    def check(self, batch_id: str) -> Batch:
        """A look at the batch, which may find it ended."""
        with self._lock:
            batch = self._find(batch_id)
            batch.checks += 1
            if batch.ended_at is None and self._is_due(batch):
                self._end(batch)
            return batch

    def newest_first(self) -> list[Batch]:
        with self._lock:
            batches = list(self._batches.values())[::-1]
            for batch in batches:
                batch.checks += 1
                if batch.ended_at is None and self._is_due(batch):
                    self._end(batch)
            return batches

    def cancel(self, batch_id: str) -> Batch:
        """The next look finds it ended."""
        with self._lock:
            batch = self._find(batch_id)
            if batch.ended_at is not None:
                raise invalid(f"Batch {batch_id} cannot be canceled because it has already ended.")
            batch.cancel_initiated_at = batch.cancel_initiated_at or datetime.now(UTC)
            return batch

    def delete(self, batch_id: str) -> None:
        with self._lock:
            if self._find(batch_id).ended_at is None:
                raise invalid(f"Batch {batch_id} cannot be deleted while it is in progress.")
            del self._batches[batch_id]

    def results(self, batch_id: str) -> list[bytes]:
        with self._lock:
            batch = self._find(batch_id)
            if batch.ended_at is None:
                raise not_found(f"No results are available yet for batch {batch_id}.")
            return batch.lines

    def settle(self) -> None:
        """End every open batch now, so that all that was accepted is billed."""
        with self._lock:
            for batch in self._batches.values():
                if batch.ended_at is None:
                    self._end(batch)

    def archive(self) -> None:
        """Twenty-nine days later: every batch is over, and its results are not kept any more."""
        self.settle()
        with self._lock:
            for batch in self._batches.values():
                batch.archived_at = datetime.now(UTC)

    def _find(self, batch_id: str) -> Batch:
        batch = self._batches.get(batch_id)
        if batch is None:
            raise not_found(f"Batch not found: {batch_id}")
        return batch

    def _is_due(self, batch: Batch) -> bool:
        if batch.cancel_initiated_at is not None:
            return True
        match self.ends_after:
            case Checks(number):
                return batch.checks >= number
            case Seconds(seconds):
                return (datetime.now(UTC) - batch.created_at).total_seconds() >= seconds

    def _end(self, batch: Batch) -> None:
        done = len(batch.items)
        if batch.cancel_initiated_at is not None:
            done = int(done * self.done_at_cancel)
        for index, item in enumerate(batch.items):
            if index >= done:
                produced = ended_without_answer(item, "canceled")
            else:
                produced = self._producer.produce(item, batch.version)
            batch.counts[produced.kind] += 1
            batch.lines += produced.lines
            if produced.usage is not None:
                self._ledger.record_billed(
                    batch_id=batch.id,
                    custom_id=item.custom_id,
                    content=item.content,
                    model=item.params["model"],
                    usage=produced.usage,
                )
        if self.shuffle:
            shuffled(batch.lines, f"{self._producer.faults.seed}:{batch.number}")
        batch.ended_at = datetime.now(UTC)


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
