"""Errors in Google's words."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from tests.wire.answers import JsonObject
from tests.wire.faults import Reply

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_SAID = {
    500: "An internal error has occurred. Please retry or report in "
    "https://developers.generativeai.google/guide/troubleshooting",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}
_TYPE = "type.googleapis.com/google.rpc."


def error_reply(status: int, message: str, details: Sequence[JsonObject] = (), *, says: str | None = None) -> Reply:
    """``says`` is the name of the error, where the status does not tell it."""
    error: JsonObject = {"code": status, "message": message, "status": says or _STATUS[status]}
    if details:
        error["details"] = list(details)
    return Reply(status, orjson.dumps({"error": error}))


class GoogleError(Exception):
    """The answer is this error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.decode())
        self.reply = reply


def invalid(message: str) -> GoogleError:
    return GoogleError(error_reply(400, message))


def not_found(message: str) -> GoogleError:
    return GoogleError(error_reply(404, message))


def bad_key() -> GoogleError:
    """A key that is wrong is a bad request here."""
    words = "API key not valid. Please pass a valid API key."
    details: list[JsonObject] = [
        {
            "@type": f"{_TYPE}ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        },
        {"@type": f"{_TYPE}LocalizedMessage", "locale": "en-US", "message": words},
    ]
    return GoogleError(error_reply(400, words, details))


class GeminiReplies:
    """Refusals, to be set as faults."""

    def rate_limited(self, retry_after: float | None = None) -> Reply:
        """Google says how long to wait in the body."""
        words = "You exceeded your current quota, please check your plan and billing details."
        if retry_after is None:
            return error_reply(429, words)
        return error_reply(429, words, [{"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{retry_after:g}s"}])

    def server_error(self, status: int = 500) -> Reply:
        return error_reply(status, _SAID[status])

    def spend_limit(self) -> Reply:
        words = "Your project has exceeded its monthly spending cap. Please go to AI Studio to manage it."
        return error_reply(429, words)
