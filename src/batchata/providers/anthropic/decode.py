"""A line of Anthropic's results as an outcome. Pure."""

from __future__ import annotations

from typing import Any

from batchata.providers.lines import parsed, sound
from batchata.types import Citation, Failed, Outcome, Reason, Succeeded, TextBlock, Usage

_FINAL_ERRORS = frozenset(
    {
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "request_too_large",
    }
)
"""Errors that the same request would meet again; all others may be resent (batch processing docs)."""


def decode(entry: bytes) -> Outcome:
    """One result line. Raises ``ValueError`` for what is not a result line of Anthropic's."""
    try:
        return sound(_decode(parsed(entry)))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a result line of Anthropic's ({error!r}): {entry[:200]!r}") from error


def _decode(line: Any) -> Outcome:
    if not isinstance(line, dict) or not isinstance(line.get("custom_id"), str):
        raise TypeError("no custom_id")
    custom_id, result = line["custom_id"], line.get("result") or {}
    match result.get("type"):
        case "succeeded":
            return decode_message(custom_id, result["message"])
        case "errored":
            return _errored(custom_id, result)
        case "canceled":
            return Failed(custom_id, Reason.CANCELED, "the job was canceled first", retryable=True)
        case "expired":
            return Failed(custom_id, Reason.EXPIRED, "the job expired first", retryable=True)
        case unknown:
            raise ValueError(f"unknown result type {unknown!r} for {custom_id!r}")


def decode_message(custom_id: str, message: dict[str, Any]) -> Outcome:
    """One message, as the Messages API answers and as a succeeded line holds it."""
    blocks: list[TextBlock] = []
    others: list[dict[str, Any]] = []
    for block in message.get("content") or ():
        if block.get("type") == "text":
            cited = block.get("citations")
            blocks.append(TextBlock(block["text"], tuple(map(_citation, cited)) if cited else ()))
        else:
            others.append(block)
    used = message.get("usage")
    answer = Succeeded(
        custom_id,
        tuple(blocks),
        _usage(used) if used else None,
        model=message.get("model"),
        other_blocks=tuple(others),
    )
    if message.get("stop_reason") == "end_turn":
        return answer
    failure = _stopped_early(message)
    if failure is None:
        return answer
    reason, words = failure
    return Failed(
        custom_id,
        reason,
        words,
        text=answer.text or None,
        usage=answer.usage,
        model=answer.model,
        is_billed=True,
    )


def _stopped_early(message: dict[str, Any]) -> tuple[Reason, str] | None:
    match message.get("stop_reason"):
        case "stop_sequence" | "tool_use":
            return None
        case "max_tokens":
            spent = (message.get("usage") or {}).get("output_tokens")
            return Reason.TRUNCATED, f"cut off after {spent} output tokens, thinking included: raise max_tokens"
        case "model_context_window_exceeded":
            return Reason.TRUNCATED, "cut off: the input and the answer together do not fit the model's context"
        case "refusal":
            category = (message.get("stop_details") or {}).get("category")
            return Reason.REFUSED, f"the model refused to answer ({category or 'no category given'})"
        case stop:
            return Reason.ERRORED, f"the answer stopped for a reason that is not expected here: {stop!r}"


def _errored(custom_id: str, result: dict[str, Any]) -> Failed:
    outer = result.get("error") or {}
    inner = outer.get("error") or {}
    kind = inner.get("type")
    words = f"{kind}: {inner.get('message')} (request {outer.get('request_id')})"
    return Failed(custom_id, Reason.ERRORED, words, retryable=kind not in _FINAL_ERRORS)


def _citation(raw: dict[str, Any]) -> Citation:
    """Anthropic's end pages are exclusive, ours inclusive; its offsets and blocks are taken as they are."""
    end_page = raw.get("end_page_number")
    is_search = raw.get("type") in {"search_result_location", "web_search_result_location"}
    return Citation(
        cited_text=raw.get("cited_text") or "",
        document_index=raw.get("document_index"),
        document_title=raw.get("title") if is_search else raw.get("document_title"),
        start_page=raw.get("start_page_number"),
        end_page=None if end_page is None else end_page - 1,
        start_char=raw.get("start_char_index"),
        end_char=raw.get("end_char_index"),
        start_block=raw.get("start_block_index"),
        end_block=raw.get("end_block_index"),
        source=raw.get("url") or raw.get("source"),
        raw=raw,
    )


def _usage(raw: dict[str, Any]) -> Usage:
    """Anthropic's ``input_tokens`` is only what comes after the last cache mark; ours is the whole prompt."""
    told, read = raw.get("cache_creation_input_tokens") or 0, raw.get("cache_read_input_tokens") or 0
    written = hour = 0
    if told or raw.get("cache_creation"):
        by_age = raw.get("cache_creation") or {}
        hour = by_age.get("ephemeral_1h_input_tokens") or 0
        written = max(told, (by_age.get("ephemeral_5m_input_tokens") or 0) + hour)
    details, searches = raw.get("output_tokens_details"), raw.get("server_tool_use")
    return Usage(
        input_tokens=(raw.get("input_tokens") or 0) + written + read,
        output_tokens=raw.get("output_tokens") or 0,
        cache_read_tokens=read,
        cache_write_tokens=written - hour,
        cache_write_1h_tokens=hour,
        reasoning_tokens=(details.get("thinking_tokens") or 0) if details else 0,
        web_searches=(searches.get("web_search_requests") or 0) if searches else 0,
        service_tier=raw.get("service_tier"),
        inference_geo=raw.get("inference_geo"),
    )
