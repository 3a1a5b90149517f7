"""The SDK's exceptions as ours, and the retries that the SDK leaves out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import httpx2
from google.genai.errors import APIError

from batchata.errors import BatchataError, ConversationError, ProviderError
from batchata.providers.patience import patiently
from batchata.providers.refusals import Refusal, Wording, seconds_of

T = TypeVar("T")

NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)
"""Failures before a byte of the request left."""

NOT_READABLE = (ValueError, TypeError, KeyError, AttributeError)
"""What the SDK raises, and what we do, for an answer that is not what is expected: no JSON, or of another shape."""

GEMINI = Wording(
    "gemini",
    "Gemini",
    advice={
        401: "Check GEMINI_API_KEY: it is set, but Gemini does not accept it.",
        403: "The key may not do this; check its project and restrictions.",
        404: "The id may belong to another project or have been deleted (files are kept for 48 hours).",
        413: "Send fewer or smaller items in one job.",
    },
    spend_advice="Raise the project's spend cap or add credit in Google AI Studio.",
)
_BAD_KEY = replace(GEMINI, advice={400: GEMINI.advice[401]})
_KEY_REASONS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED"})
_OUT_OF_MONEY = ("spending cap", "spend cap", "credits are depleted")


def asked(doing: str, call: Callable[[], T]) -> T:
    """The answer of a call that is safe to repeat. Raises ``ProviderError`` when there is none after all."""
    return patiently(lambda: asked_once(doing, call))


def asked_once(doing: str, call: Callable[[], T]) -> T:
    """The same for a call that is not repeated."""
    try:
        return call()
    except BatchataError:
        raise
    except APIError as error:
        raise _wording(error).refused(refusal_of(error), doing) from error
    except httpx2.HTTPError as error:
        raise GEMINI.unreachable(_cause(error), doing) from error
    except httpx2.InvalidURL as error:
        raise GEMINI.unaskable(error, doing) from error
    except NOT_READABLE as error:
        raise GEMINI.unreachable(f"an answer that cannot be read: {error}", doing) from error


def refusing_requests(call: Callable[[], T]) -> T:
    """Raise ``ConversationError`` for what the API finds wrong with one request, and not with the account."""
    try:
        return call()
    except APIError as error:
        if error.status == "INVALID_ARGUMENT" and _reason(error) not in _KEY_REASONS:
            raise ConversationError(f"Gemini would refuse it: {refusal_of(error).said}") from error
        raise


def submit_error(error: Exception) -> ProviderError:
    """Whether a failed create is a clear no, or leaves it in doubt whether the job exists."""
    if isinstance(error, APIError):
        return _wording(error).create_refused(refusal_of(error))
    if isinstance(error, NOT_SENT):
        return GEMINI.unreachable(_cause(error), "creating the job")
    return GEMINI.create_unanswered(_cause(error))


def refusal_of(error: APIError) -> Refusal:
    """What Gemini said."""
    words = " ".join(str(error.message or "no explanation").split())[:1000]
    headers = getattr(error.response, "headers", None) or {}
    return Refusal(
        error.code,
        f"{error.status}: {words}" if error.status else words,
        retry_after=_retry_after(error, headers.get("retry-after")),
        is_spend_limit=any(sign in words.lower() for sign in _OUT_OF_MONEY),
    )


def _retry_after(error: APIError, header: str | None) -> float | None:
    """From the header; Google itself says it in the body, as ``"38s"``."""
    for detail in _details(error):
        if "retryDelay" in detail:
            return seconds_of(str(detail["retryDelay"]).removesuffix("s"))
    return seconds_of(header)


def _reason(error: APIError) -> str | None:
    return next((detail["reason"] for detail in _details(error) if "reason" in detail), None)


def _details(error: APIError) -> list[dict[str, Any]]:
    body = error.details if isinstance(error.details, dict) else {}
    inner = body.get("error", body)
    details = inner.get("details") if isinstance(inner, dict) else None
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []


def _wording(error: APIError) -> Wording:
    return _BAD_KEY if _reason(error) in _KEY_REASONS else GEMINI


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
