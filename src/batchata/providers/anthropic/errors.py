"""The SDK's exceptions as ours, with what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import anthropic
import httpx2

from batchata.errors import ConversationError, ProviderError
from batchata.providers.refusals import Refusal, Wording, seconds_of

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)
"""Failures before a byte of the request left."""

_WORDING = Wording(
    "anthropic",
    "Anthropic",
    advice={
        401: "Check ANTHROPIC_API_KEY: it is set, but Anthropic does not accept it.",
        402: "Add credit in the Anthropic console.",
        403: "The key may not do this; check its workspace and permissions.",
        404: "The id may belong to another workspace or have been deleted.",
        413: "Send fewer or smaller items in one job.",
    },
    spend_advice="Raise the spend limit in the Anthropic console, or wait for its next period.",
)


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """Raise the SDK's exceptions as ``ProviderError`` while ``doing`` something that is safe to repeat."""
    try:
        yield
    except anthropic.APIStatusError as error:
        raise _WORDING.refused(_refusal(error), doing) from error
    except anthropic.APIError as error:
        raise _WORDING.unreachable(_cause(error), doing) from error
    except json.JSONDecodeError as error:  # the SDK lets it through
        raise _WORDING.unreachable(f"its answer is no JSON or was cut ({error})", doing) from error
    except (AttributeError, TypeError) as error:  # whatever came is passed on by the SDK as what was expected
        raise _WORDING.unreachable(f"its answer is not what was expected ({error})", doing) from error


@contextmanager
def refusing_requests() -> Iterator[None]:
    """Raise ``ConversationError`` for what the API finds wrong with one request, and not with the account."""
    try:
        yield
    except anthropic.APIStatusError as error:
        refusal = _refusal(error)
        if refusal.is_of_request:
            raise ConversationError(f"Anthropic would refuse it: {refusal.said}") from error
        raise


def submit_error(error: anthropic.APIError | json.JSONDecodeError) -> ProviderError:
    """Whether a failed create is a clear no, or leaves it in doubt whether the job exists."""
    if isinstance(error, json.JSONDecodeError):
        return _WORDING.create_unanswered(f"its answer is no JSON or was cut ({error})")
    if isinstance(error, anthropic.APIStatusError):
        return _WORDING.create_refused(_refusal(error))
    if isinstance(error.__cause__, _NOT_SENT):
        return _WORDING.unreachable(_cause(error), "creating the job")
    return _WORDING.create_unanswered(_cause(error))


def unnamed_job(answer: object) -> ProviderError:
    """A create that was answered, and not with a job."""
    return _WORDING.create_unanswered(f"it answered {str(answer)[:200]!r}")


def _refusal(error: anthropic.APIStatusError) -> Refusal:
    words = error.api_message or ""
    return Refusal(
        error.status_code,
        f"{error.type}: {words}" if words else " ".join(error.response.text.split())[:200] or "no explanation",
        error.request_id,
        seconds_of(error.response.headers.get("retry-after")),
        is_spend_limit=error.error_code == "enforced_spend_limit_reached"
        or "usage limits" in words
        or "credit balance" in words,
    )


def _cause(error: anthropic.APIError) -> str:
    return str(error.__cause__ or error.message) or type(error.__cause__).__name__
