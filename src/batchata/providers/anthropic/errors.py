"""The SDK's exceptions as ours, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anthropic
import httpx2

from batchata.errors import ConversationError, ProviderError, SubmissionInDoubtError

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)
"""Failures before a byte of the request left."""

_BAD_REQUEST = frozenset({400, 413, 422})
_UNCLEAR_STATUS = 408
_SERVER_ERROR = 500


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """Raise the SDK's exceptions as ``ProviderError`` while ``doing`` something that is safe to repeat."""
    try:
        yield
    except anthropic.APIError as error:
        raise _provider_error(error, doing) from error


@contextmanager
def refusing_requests() -> Iterator[None]:
    """Raise ``ConversationError`` for what the API finds wrong with one request, and not with the account."""
    try:
        yield
    except anthropic.APIStatusError as error:
        if error.status_code in _BAD_REQUEST and not _is_spend_limit(error):
            raise ConversationError(f"Anthropic would refuse it: {_said(error)}") from error
        raise


def _provider_error(error: anthropic.APIError, doing: str) -> ProviderError:
    if isinstance(error, anthropic.APIStatusError):
        return _status_error(error, doing, ProviderError)
    message = f"Anthropic could not be reached while {doing}: {_cause(error)}. Check the network and try again."
    return ProviderError(message, provider="anthropic", retryable=True)


def submit_error(error: anthropic.APIError) -> ProviderError:
    """Whether a failed create is a clear no, or leaves it in doubt whether the job exists."""
    if isinstance(error, anthropic.APIStatusError):
        unclear = error.status_code >= _SERVER_ERROR or error.status_code == _UNCLEAR_STATUS
        return _status_error(error, "creating the job", SubmissionInDoubtError if unclear else ProviderError)
    if isinstance(error.__cause__, _NOT_SENT):
        return _provider_error(error, "creating the job")
    return SubmissionInDoubtError(
        f"Anthropic gave no answer while creating the job ({_cause(error)}): it may exist and may be billed.",
        provider="anthropic",
        retryable=True,
    )


def _cause(error: anthropic.APIError) -> str:
    return str(error.__cause__ or error.message) or type(error.__cause__).__name__


def _status_error(error: anthropic.APIStatusError, doing: str, kind: type[ProviderError]) -> ProviderError:
    retry_after = _retry_after(error)
    return kind(
        f"Anthropic answered {error.status_code} while {doing}: {_said(error)}{_advice(error)}",
        provider="anthropic",
        status_code=error.status_code,
        request_id=error.request_id,
        retryable=_is_retryable(error),
        retry_after=retry_after,
    )


def _said(error: anthropic.APIStatusError) -> str:
    if error.api_message:
        return f"{error.type}: {error.api_message}"
    return " ".join(error.response.text.split())[:200] or "no explanation"


def _is_retryable(error: anthropic.APIStatusError) -> bool:
    if error.error_code == "enforced_spend_limit_reached":
        return False
    return error.status_code in {408, 409, 429} or error.status_code >= _SERVER_ERROR


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    try:
        return float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None


_ADVICE = {
    401: " Check ANTHROPIC_API_KEY: it is set, but Anthropic does not accept it.",
    402: " Add credit in the Anthropic console.",
    403: " The key may not do this; check its workspace and permissions.",
    404: " The id may belong to another workspace or have been deleted.",
    413: " Send fewer or smaller items in one job.",
}


def _is_spend_limit(error: anthropic.APIStatusError) -> bool:
    words = error.api_message or ""
    return (
        error.error_code == "enforced_spend_limit_reached" or "usage limits" in words or "credit balance" in words
    )


def _advice(error: anthropic.APIStatusError) -> str:
    if _is_spend_limit(error):
        return " Raise the spend limit in the Anthropic console, or wait for its next period."
    return _ADVICE.get(error.status_code, "")
