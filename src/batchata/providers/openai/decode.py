"""A line of OpenAI's output or error file as an outcome. Pure."""

from __future__ import annotations

from typing import Any

from batchata.providers import lines
from batchata.providers.chat.decode import decode_completion, tier_of
from batchata.types import Failed, JsonObject, Outcome, Reason, Succeeded, TextBlock, Usage


def decode(entry: bytes) -> Outcome:
    """One line, of either file and either API. Raises ``ValueError`` for what is not one."""
    return lines.decode(entry, _decode_body)


def _decode_body(custom_id: str, body: dict[str, Any]) -> Outcome:
    return decode_completion(custom_id, body) if "choices" in body else decode_response(custom_id, body)


def decode_response(custom_id: str, body: dict[str, Any]) -> Outcome:
    """One answer of the Responses API."""
    contents = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
    texts = [part["text"] for part in contents if part["type"] == "output_text"]
    refusals = [part["refusal"] for part in contents if part["type"] == "refusal"]
    usage = _usage(body["usage"], body.get("service_tier")) if body.get("usage") else None
    failure = _stopped_early(body, bool(refusals), usage)
    if failure is None:
        others: tuple[JsonObject, ...] = tuple(item for item in body["output"] if item["type"] != "message")
        blocks = tuple(TextBlock(text) for text in texts)
        return Succeeded(custom_id, blocks, usage, model=body.get("model"), other_blocks=others)
    reason, words = failure
    return Failed(
        custom_id,
        reason,
        words,
        text="".join(texts or refusals) or None,
        usage=usage,
        model=body.get("model"),
        retryable=reason is Reason.ERRORED,
        is_billed=None if usage is None and reason is Reason.ERRORED else usage is not None,
    )


def _stopped_early(body: dict[str, Any], refused: bool, usage: Usage | None) -> tuple[Reason, str] | None:
    why = (body.get("incomplete_details") or {}).get("reason")
    match body.get("status"):
        case "completed" if refused:
            return Reason.REFUSED, "the model refused to answer"
        case "completed":
            return None
        case "incomplete" if why == "max_output_tokens":
            spent = "an unknown number of" if usage is None else usage.output_tokens
            return Reason.TRUNCATED, f"cut off after {spent} output tokens, reasoning included: raise max_tokens"
        case "incomplete" if why == "content_filter":
            return Reason.REFUSED, "the answer was stopped by OpenAI's content filter"
        case status:
            error = body.get("error") or {}
            words = error.get("message") or why or "no explanation"
            return Reason.ERRORED, f"{error.get('code') or status}: {words}"


def _usage(raw: dict[str, Any], service_tier: str | None) -> Usage:
    """``input_tokens`` includes what was cached, ``output_tokens`` the reasoning."""
    read = raw.get("input_tokens_details") or {}
    written = raw.get("output_tokens_details") or {}
    return Usage(
        input_tokens=raw.get("input_tokens") or 0,
        output_tokens=raw.get("output_tokens") or 0,
        cache_read_tokens=read.get("cached_tokens") or 0,
        cache_write_tokens=read.get("cache_write_tokens") or 0,
        reasoning_tokens=written.get("reasoning_tokens") or 0,
        service_tier=tier_of(service_tier),
    )
