"""The SDK's exceptions as ours, for OpenAI and for servers that follow it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import openai

from batchata.errors import ConversationError, ProviderError
from batchata.providers.refusals import Refusal, Wording, seconds_of

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)
"""Failures before a byte of the request left."""

_OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})

_PAYMENT_REQUIRED = 402

OPENAI = Wording(
    "openai",
    "OpenAI",
    advice={
        401: "Check OPENAI_API_KEY: it is set, but OpenAI does not accept it.",
        403: "The key may not do this; check its project and permissions.",
        404: "The id may belong to another project or have been deleted.",
        413: "Send fewer or smaller items in one job.",
    },
    spend_advice="Add credit or raise the limit in OpenAI's console.",
)


@contextmanager
def asking(wording: Wording, doing: str) -> Iterator[None]:
    """Raise the SDK's exceptions as ``ProviderError`` while ``doing`` something that is safe to repeat."""
    try:
        yield
    except openai.APIStatusError as error:
        raise wording.refused(refusal_of(error), doing) from error
    except openai.APIError as error:
        raise wording.unreachable(_cause(error), doing) from error
    except json.JSONDecodeError as error:  # the SDK lets it through
        raise wording.unreachable(f"its answer is no JSON or was cut ({error})", doing) from error


@contextmanager
def refusing_requests(wording: Wording) -> Iterator[None]:
    """Raise ``ConversationError`` for what the API finds wrong with one request, and not with the account."""
    try:
        yield
    except openai.APIStatusError as error:
        refusal = refusal_of(error)
        if refusal.is_of_request:
            raise ConversationError(f"{wording.title} would refuse it: {refusal.said}") from error
        raise


def odd_answer(
    wording: Wording, client: openai.OpenAI, doing: str, answer: object, *, retryable: bool = False
) -> ProviderError:
    """The error for an answer that is none, as a web page at a wrong address gives it."""
    return ProviderError(
        f"{wording.title} was asked at {str(client.base_url)!r} while {doing}, and answered something else: "
        f"{str(answer)[:200]!r}. Check the address: it mostly ends with /v1.",
        provider=wording.provider,
        retryable=retryable,
    )


def submit_error(wording: Wording, error: openai.APIError) -> ProviderError:
    """Whether a failed create is a clear no, or leaves it in doubt whether the job exists."""
    if isinstance(error, openai.APIStatusError):
        return wording.create_refused(refusal_of(error))
    if isinstance(error.__cause__, _NOT_SENT):
        return wording.unreachable(_cause(error), "creating the job")
    return wording.create_unanswered(_cause(error))


def refusal_of(error: openai.APIStatusError) -> Refusal:
    """What the server said; lenient about how it says it."""
    body = error.body if isinstance(error.body, dict) else {}
    said = body.get("message") or body.get("detail") or " ".join(error.response.text.split())[:200]
    kind = error.code or error.type
    words = str(said or "no explanation")
    return Refusal(
        error.status_code,
        f"{kind}: {words}" if kind else words,
        error.request_id,
        seconds_of(error.response.headers.get("retry-after")),
        is_spend_limit=error.code in _OUT_OF_MONEY
        or error.type in _OUT_OF_MONEY
        or error.status_code == _PAYMENT_REQUIRED,
    )


def _cause(error: openai.APIError) -> str:
    return str(error.__cause__ or error.message) or type(error.__cause__).__name__
