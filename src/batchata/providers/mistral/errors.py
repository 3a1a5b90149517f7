"""The SDK's exceptions as ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import httpx2
from mistralai.client.errors import MistralError, NoResponseError

from batchata.errors import ProviderError
from batchata.providers.patience import patiently
from batchata.providers.refusals import Refusal, Wording, seconds_of

T = TypeVar("T")

NO_ANSWER = (httpx2.HTTPError, NoResponseError)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)
"""Failures before a byte of the request left."""
_PAYMENT_REQUIRED = 402
_REFUSED = 400

MISTRAL = Wording(
    "mistral",
    "Mistral",
    advice={
        401: "Check MISTRAL_API_KEY: it is set, but Mistral does not accept it.",
        403: "The key may not do this; check its workspace.",
        404: "The id may belong to another workspace or have been deleted.",
        413: "Send fewer or smaller items in one job.",
    },
    spend_advice="Add credit or raise the limit in Mistral's console.",
)


def asked(doing: str, call: Callable[[], T]) -> T:
    """The answer of a call that is safe to repeat; the SDK does not repeat it. Raises ``ProviderError``."""
    return patiently(lambda: asked_once(doing, call))


def asked_once(doing: str, call: Callable[[], T]) -> T:
    """The same for a call that is not repeated."""
    try:
        return call()
    except MistralError as error:
        if error.status_code < _REFUSED:  # an answer that is not of the SDK's types
            raise _odd_answer(error, doing) from error
        raise MISTRAL.refused(refusal_of(error), doing) from error
    except httpx2.InvalidURL as error:
        raise MISTRAL.unaskable(error, doing) from error
    except NO_ANSWER as error:
        raise MISTRAL.unreachable(_cause(error), doing) from error


def submit_error(error: MistralError | httpx2.HTTPError | NoResponseError) -> ProviderError:
    """Whether a failed create is a clear no, or leaves it in doubt whether the job exists."""
    if isinstance(error, MistralError) and error.status_code >= _REFUSED:
        return MISTRAL.create_refused(refusal_of(error))
    if isinstance(error, _NOT_SENT):
        return MISTRAL.unreachable(_cause(error), "creating the job")
    return MISTRAL.create_unanswered(_cause(error))


def refusal_of(error: MistralError) -> Refusal:
    """What Mistral said."""
    try:
        body = json.loads(error.body)
    except ValueError:
        body = {}
    said = (body.get("message") or body.get("detail")) if isinstance(body, dict) else None
    return Refusal(
        error.status_code,
        _short(said or error.body or "no explanation"),
        error.headers.get("mistral-correlation-id") or error.headers.get("x-request-id"),
        seconds_of(error.headers.get("retry-after")),
        is_spend_limit=error.status_code == _PAYMENT_REQUIRED,
    )


def _odd_answer(error: MistralError, doing: str) -> ProviderError:
    return ProviderError(
        f"Mistral gave an answer that cannot be read while {doing}. If MISTRAL_BASE_URL is set, check it. The answer: "
        f"{_cause(error)}",
        provider=MISTRAL.provider,
        retryable=True,
    )


def _cause(error: Exception) -> str:
    return _short(error) or type(error).__name__


def _short(words: object) -> str:
    """On one line, for an answer that is not understood may be a whole page."""
    return " ".join(str(words).split())[:1000]
