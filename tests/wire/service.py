"""What a protocol has to be for the loopback server: a function from a request to a reply; no sockets here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from tests.wire.answers import JsonObject
from tests.wire.faults import Endpoint, Reply


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, read; ``path_id`` is the id in its path."""

    path_id: str | None
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    base_url: str = ""


class Service(Protocol):
    """One provider's API for one key."""

    def route(self, method: str, path: str) -> tuple[Endpoint, str | None] | None:
        """The endpoint of a path, and the id in it; ``None``: there is none."""
        ...

    def handle(self, endpoint: Endpoint, call: Call) -> Reply:
        """The reply to a call, errors included."""
        ...

    def max_bytes(self, endpoint: Endpoint) -> int:
        """What the edge lets through."""
        ...

    def nowhere(self) -> Reply:
        """The reply where there is no endpoint."""
        ...

    def too_large(self) -> Reply:
        """The reply of the edge to a body over ``max_bytes``."""
        ...

    def stamped(self, reply: Reply, request_id: str) -> Reply:
        """The reply with its request id where this provider puts it."""
        ...


class Replies(Protocol):
    """What a provider answers when it does not do what it is asked, in its own words."""

    def rate_limited(self, retry_after: float | None = None) -> Reply: ...

    def server_error(self, status: int = 500) -> Reply: ...

    def spend_limit(self) -> Reply:
        """The account's money is used up: no waiting helps."""
        ...


def ok(body: JsonObject) -> Reply:
    return Reply(200, orjson.dumps(body))
