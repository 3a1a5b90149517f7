"""A line of Gemini's results as an outcome. Pure."""

from __future__ import annotations

from typing import Any

from batchata.providers.lines import parsed, sound
from batchata.types import Failed, Outcome, Reason, Succeeded, TextBlock, Usage

_CANCELED = 1
_RETRYABLE = frozenset({4, 8, 13, 14, 429})
"""DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL and UNAVAILABLE of google.rpc.Code, and HTTP's word for one."""
_SERVER_ERROR = 500

_REFUSALS = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "LANGUAGE",
        "MODEL_ARMOR",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    }
)


def decode(entry: bytes) -> Outcome:
    """``{"key", "response" | "error"}``, or the same with ``metadata.key``, as inline results have it.

    Raises ``ValueError`` for what is no such line.
    """
    try:
        return sound(_decode(parsed(entry)))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not a result line of Gemini's ({error!r}): {entry[:200]!r}") from error


def _decode(line: Any) -> Outcome:
    key = line["key"] if "key" in line else line["metadata"]["key"]
    if not isinstance(key, str):
        raise TypeError("no key")
    if line.get("error"):
        return _errored(key, line["error"])
    if not isinstance(line.get("response"), dict):
        raise TypeError("neither an answer nor an error")
    return decode_response(key, line["response"])


def _errored(key: str, error: Any) -> Failed:
    code = error.get("code")
    said = error.get("message") or "no explanation"
    if code == _CANCELED:
        return Failed(key, Reason.CANCELED, f"the job was canceled first ({said})", retryable=True)
    retryable = isinstance(code, int) and (code in _RETRYABLE or code >= _SERVER_ERROR)
    return Failed(key, Reason.ERRORED, f"error {error.get('status') or code}: {said}", retryable=retryable)


def decode_response(key: str, response: dict[str, Any]) -> Outcome:
    """One ``GenerateContentResponse``."""
    usage = _usage(response.get("usageMetadata"))
    model = response.get("modelVersion")
    candidates = response.get("candidates") or ()
    if not candidates:
        return _unanswered(key, response, usage)
    candidate = candidates[0]
    parts = (candidate.get("content") or {}).get("parts") or ()
    answer = Succeeded(
        key,
        tuple(TextBlock(part["text"]) for part in parts if _is_text(part)),
        usage,
        model=model,
        other_blocks=tuple(part for part in parts if not _is_text(part)),
    )
    failure = _stopped_early(candidate, usage)
    if failure is None:
        return answer
    reason, words = failure
    return Failed(key, reason, words, text=answer.text or None, usage=usage, model=model, is_billed=True)


def _is_text(part: dict[str, Any]) -> bool:
    return "text" in part and not part.get("thought")


def _unanswered(key: str, response: dict[str, Any], usage: Usage | None) -> Failed:
    """Whether a prompt that was blocked is billed, no page of Gemini's says."""
    feedback = response.get("promptFeedback") or {}
    blocked = feedback.get("blockReason")
    model = response.get("modelVersion")
    if blocked:
        said = feedback.get("blockReasonMessage") or "no explanation"
        words = f"Gemini blocked the prompt ({blocked}: {said})"
        return Failed(key, Reason.REFUSED, words, usage=usage, model=model, is_billed=None)
    words = "Gemini returned no answer, and does not say why"
    return Failed(key, Reason.ERRORED, words, usage=usage, model=model, retryable=True, is_billed=None)


def _stopped_early(candidate: dict[str, Any], usage: Usage | None) -> tuple[Reason, str] | None:
    stop = candidate.get("finishReason")
    spent = "an unknown number of" if usage is None else usage.output_tokens
    match stop:
        case "STOP":
            return None
        case "MAX_TOKENS":
            return Reason.TRUNCATED, f"cut off after {spent} output tokens, thinking included: raise max_tokens"
        case "CONTINUATION":
            return Reason.TRUNCATED, f"cut off after {spent} output tokens, to be continued, which batches cannot"
        case _ if stop in _REFUSALS:
            said = candidate.get("finishMessage") or "no explanation"
            return Reason.REFUSED, f"the model refused to answer ({stop}: {said})"
        case _:
            return Reason.ERRORED, f"the answer stopped for a reason that is not expected here: {stop!r}"


def _usage(raw: Any) -> Usage | None:
    """Thoughts are billed as output, beside the candidates.

    ``serviceTier`` is left out: batches were recorded with "standard" there, and are billed at half.
    """
    if not raw:
        return None
    try:
        thoughts = raw.get("thoughtsTokenCount") or 0
        return Usage(
            input_tokens=(raw.get("promptTokenCount") or 0) + (raw.get("toolUsePromptTokenCount") or 0),
            output_tokens=(raw.get("candidatesTokenCount") or 0) + thoughts,
            cache_read_tokens=raw.get("cachedContentTokenCount") or 0,
            reasoning_tokens=thoughts,
        )
    except (AttributeError, TypeError):  # counts that are none: the answer is an answer all the same
        return None
