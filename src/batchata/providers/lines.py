"""Result lines, as OpenAI and those who follow it write them. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from batchata.types import Failed, Outcome, Reason, Succeeded, Usage

DecodeBody = Callable[[str, dict[str, Any]], Outcome]
"""A custom_id and the body of its answer as an outcome."""

_OK = 200
_SERVER_ERROR = 500
_RETRYABLE = frozenset({408, 409, 429})


def parsed(entry: bytes) -> Any:
    """The JSON of a line. Raises ``ValueError`` where it is none."""
    try:
        return orjson.loads(entry)
    except orjson.JSONDecodeError:
        # Models now and then write half of a surrogate pair, which orjson refuses; it cannot be printed either.
        text = json.dumps(json.loads(entry), ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def sound(outcome: Outcome) -> Outcome:
    """The outcome, such that nothing in it can stop the reading of the answers beside it.

    Usage that cannot be true is as good as none: priced, it would be a guess. Raises ``TypeError`` for a text that is
    none.
    """
    text: object = outcome.text if isinstance(outcome, Succeeded) else outcome.text or ""
    model: object = outcome.model or ""
    if not isinstance(text, str) or not isinstance(model, str):
        raise TypeError("a text or a model's name that is none")
    if outcome.usage is None or _can_be_true(outcome.usage, wrote=bool(text)):
        return outcome
    return replace(outcome, usage=None)


def _can_be_true(usage: Usage, *, wrote: bool) -> bool:
    """Every answer has a prompt, of which what a cache read or wrote is a part; what was written takes tokens."""
    read, written, hour = usage.cache_read_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens
    asked, told = usage.input_tokens, usage.output_tokens
    for count in (asked, told, read, written, hour, usage.reasoning_tokens, usage.web_searches):
        if type(count) is not int or count < 0:
            return False
    for word in (usage.service_tier, usage.inference_geo):
        if word is not None and not isinstance(word, str):
            return False
    return 0 < asked >= read + written + hour and (told > 0 or not wrote)


def decode(entry: bytes, decode_body: DecodeBody) -> Outcome:
    """``{"custom_id", "response": {"status_code", "body"}, "error"}`` as an outcome.

    Raises ``ValueError`` for what is no such line.
    """
    try:
        return sound(_decode(parsed(entry), decode_body))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not a result line ({error!r}): {entry[:200]!r}") from error


def _decode(line: Any, decode_body: DecodeBody) -> Outcome:
    if not isinstance(line, dict) or not isinstance(line.get("custom_id"), str):
        raise TypeError("no custom_id")
    custom_id, response, error = line["custom_id"], line.get("response"), line.get("error")
    if response is None:
        if error is None:
            raise ValueError(f"neither an answer nor an error for {custom_id!r}")
        return _unanswered(custom_id, error)
    body, status = response.get("body"), response.get("status_code") or _OK
    refused = body.get("error") if isinstance(body, dict) else body
    if status == _OK and isinstance(body, dict) and not (refused and not body.keys() & {"output", "choices"}):
        return decode_body(custom_id, body)
    words = _words(refused or body or error)  # Mistral's body is the error itself
    return Failed(
        custom_id,
        Reason.ERRORED,
        f"{words} (status {status}, request {response.get('request_id')})",
        retryable=status in _RETRYABLE or status >= _SERVER_ERROR,
    )


def _unanswered(custom_id: str, error: Any) -> Failed:
    code = str(error.get("code") if isinstance(error, dict) else error)
    if "expired" in code:
        return Failed(custom_id, Reason.EXPIRED, "the job expired first", retryable=True)
    if "cancel" in code:
        return Failed(custom_id, Reason.CANCELED, "the job was canceled first", retryable=True)
    return Failed(custom_id, Reason.ERRORED, _words(error))


def _words(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error or "no explanation")
    kind = error.get("code") or error.get("type")
    said = error.get("message") or error.get("detail") or "no explanation"
    return f"{kind}: {said}" if kind else str(said)
