"""What goes wrong on the way: by exact call number, or by seeded chance. Off until a test asks for it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar

import orjson

from tests.wire.answers import JsonObject

F = TypeVar("F")


class Endpoint(StrEnum):
    """The calls that can be made to fail."""

    CREATE = "create"
    RETRIEVE = "retrieve"
    LIST = "list"
    RESULTS = "results"
    CANCEL = "cancel"
    DELETE = "delete"
    COUNT_TOKENS = "count_tokens"
    MODELS = "models"
    MESSAGES = "messages"
    UPLOAD = "upload"
    FILE = "file"


# --- faults of a call --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP; as a fault, the one given instead of the real one (nothing is done)."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    on_send: Callable[[], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset and nothing is done, before the body is read or after."""

    body_read: bool = False


@dataclass(frozen=True, slots=True)
class DropAnswer:
    """Everything is done, a batch is created and will be billed, and the answer is never sent."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer stops in the middle of a line: by a broken connection, or ``silent``, as if that were all."""

    fraction: float = 0.5
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """The answer is right, and late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Late:
    """The request is read at once and acted on later, whether or not the client is still there."""

    seconds: float


CallFault: TypeAlias = Reply | Reset | DropAnswer | Cut | Delay | Late


def error_reply(
    status: int,
    type_: str,
    message: str,
    *,
    details: JsonObject | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Reply:
    """An error as the API words it; the server fills in the request id."""
    error: JsonObject = {"type": type_, "message": message}
    if details is not None:
        error["details"] = details
    body = orjson.dumps({"type": "error", "error": error, "request_id": None})
    return Reply(status, body, headers=tuple(headers))


def rate_limited(retry_after: float | None = None) -> Reply:
    message = "This request would exceed your organization's rate limit. Please try again later."
    return error_reply(429, "rate_limit_error", message, headers=_retry_after(retry_after))


def ramp_limited(retry_after: float) -> Reply:
    """Traffic grew too fast: wait."""
    return error_reply(
        429,
        "rate_limit_error",
        "This request would exceed your organization's acceleration limit.",
        details={"error_code": "ramp_limit_exceeded"},
        headers=_retry_after(retry_after),
    )


def spend_limit_reached() -> Reply:
    """A limit that the provider set: a 429 that no waiting helps."""
    return error_reply(
        429,
        "rate_limit_error",
        "Your organization has reached its monthly spend limit.",
        details={"error_code": "enforced_spend_limit_reached"},
    )


def own_spend_limit_reached() -> Reply:
    """A limit that the user set, which the API reports as a bad request."""
    message = "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
    return error_reply(400, "invalid_request_error", message)


def server_error(status: int = 500) -> Reply:
    type_, message = {
        500: ("api_error", "Internal server error"),
        503: ("api_error", "Service unavailable"),
        504: ("timeout_error", "Request timed out"),
        529: ("overloaded_error", "Overloaded"),
    }[status]
    return error_reply(status, type_, message)


def too_large() -> Reply:
    """413 as the edge says it, before the API sees the request: not JSON."""
    page = (
        b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n"
        b"<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(413, page, content_type="text/html")


def _retry_after(seconds: float | None) -> list[tuple[str, str]]:
    return [] if seconds is None else [("retry-after", f"{seconds:g}")]


# --- faults of an item -------------------------------------------------------------------------------


class ItemFault(StrEnum):
    """How the result of one request goes wrong. Refused, truncated and malformed ones are billed."""

    EXPIRED = "expired"
    CANCELED = "canceled"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    MISSING = "missing"  # counted as succeeded, no line, not billed
    DUPLICATE = "duplicate"  # its line comes twice, billed once
    STRANGER = "stranger"  # a line of a custom_id that nobody sent comes with it


@dataclass(frozen=True, slots=True)
class Errored:
    """An errored result, with any inner type of providers.md 1.3."""

    type: str = "api_error"
    message: str = "Internal server error"


AnyItemFault: TypeAlias = ItemFault | Errored


class Faults:
    """The switches. Chance depends on the seed and on the call or item alone, so a run can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.calls: Counter[Endpoint] = Counter()
        self._at: dict[tuple[Endpoint, int], CallFault] = {}
        self._rates: list[tuple[Endpoint | None, float, CallFault]] = []
        self._items: list[tuple[float, AnyItemFault]] = []
        self._lock = threading.Lock()

    def at(self, endpoint: Endpoint, calls: int | Iterable[int], fault: CallFault) -> None:
        """At these calls to the endpoint, counted from 1 since the server's start."""
        for number in [calls] if isinstance(calls, int) else calls:
            self._at[endpoint, number] = fault

    def next(self, endpoint: Endpoint, fault: CallFault) -> None:
        """At the next call to the endpoint."""
        self.at(endpoint, self.calls[endpoint] + 1, fault)

    def rate(self, endpoint: Endpoint | None, rate: float, fault: CallFault) -> None:
        """At this share of the calls to the endpoint; ``None``: to every endpoint."""
        self._rates.append((endpoint, rate, fault))

    def items(self, rate: float, fault: AnyItemFault) -> None:
        """To this share of the items; rates of several faults add up, no item has two."""
        self._items.append((rate, fault))

    def clear(self) -> None:
        """Everything right again; calls are still counted."""
        self._at.clear()
        self._rates.clear()
        self._items.clear()

    def for_call(self, endpoint: Endpoint) -> CallFault | None:
        """Count a call and say what befalls it."""
        with self._lock:
            self.calls[endpoint] += 1
            number = self.calls[endpoint]
        fault = self._at.get((endpoint, number))
        if fault is not None:
            return fault
        chosen = [(rate, fault) for where, rate, fault in self._rates if where in {None, endpoint}]
        return _draw(f"{self.seed}:{endpoint}:{number}", chosen)

    def for_item(self, content: str, attempt: int) -> AnyItemFault | None:
        """What befalls this content when it is asked for the ``attempt``-th time."""
        return _draw(f"{self.seed}:{content}:{attempt}", self._items)


def _draw(key: str, chances: Iterable[tuple[float, F]]) -> F | None:
    at = random.Random(key).random()  # noqa: S311  # repeatable, not secret
    for rate, fault in chances:
        if at < rate:
            return fault
        at -= rate
    return None
