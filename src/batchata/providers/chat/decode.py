"""A chat completion as an outcome. Pure."""

from __future__ import annotations

from typing import Any

from batchata.types import Failed, JsonObject, Outcome, Reason, Succeeded, TextBlock, Usage


def decode_completion(custom_id: str, body: dict[str, Any]) -> Outcome:
    """The first choice of a completion. Raises ``KeyError`` or ``TypeError`` for what is none."""
    choices = body["choices"]
    if not choices:
        return Failed(custom_id, Reason.ERRORED, "the server answered without any choice", retryable=True)
    message = choices[0]["message"]
    texts, others = _texts(message.get("content"))
    if message.get("reasoning_content"):
        others = ({"type": "reasoning", "text": message["reasoning_content"]}, *others)
    usage = usage_of(body["usage"], body.get("service_tier")) if body.get("usage") else None
    failure = _stopped_early(choices[0], message, usage)
    blocks = tuple(TextBlock(text) for text in texts)
    if failure is None:
        return Succeeded(custom_id, blocks, usage, model=body.get("model"), other_blocks=others)
    reason, words = failure
    return Failed(
        custom_id,
        reason,
        words,
        text="".join(texts) or message.get("refusal") or None,
        usage=usage,
        model=body.get("model"),
        is_billed=True,
    )


def usage_of(raw: dict[str, Any], service_tier: str | None) -> Usage:
    """Tokens of a chat completion; ``prompt_tokens`` includes what was cached, ``completion_tokens`` the reasoning."""
    read = raw.get("prompt_tokens_details") or {}
    written = raw.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=raw.get("prompt_tokens") or 0,
        output_tokens=raw.get("completion_tokens") or 0,
        cache_read_tokens=read.get("cached_tokens") or 0,
        cache_write_tokens=read.get("cache_write_tokens") or 0,
        reasoning_tokens=written.get("reasoning_tokens") or 0,
        service_tier=tier_of(service_tier),
    )


def tier_of(told: str | None) -> str | None:
    """The tier that is billed: in a batch, ``default`` means the batch's price (a batch's answers never say so)."""
    return None if told in {None, "default", "auto", "standard", "on_demand"} else told


def _texts(content: Any) -> tuple[tuple[str, ...], tuple[JsonObject, ...]]:
    """The texts of an answer, and its blocks that are none (Mistral's reasoning comes as such)."""
    if content is None:
        return (), ()
    if isinstance(content, str):
        return (content,) if content else (), ()
    texts = tuple(block["text"] for block in content if block.get("type") == "text")
    return texts, tuple(block for block in content if block.get("type") != "text")


def _stopped_early(
    choice: dict[str, Any], message: dict[str, Any], usage: Usage | None
) -> tuple[Reason, str] | None:
    if message.get("refusal"):
        return Reason.REFUSED, "the model refused to answer"
    match choice.get("finish_reason"):
        case "stop" | "eos" | "tool_calls" | "end_turn" | None:
            return None
        case "length":
            spent = "" if usage is None else f" after {usage.output_tokens} output tokens, reasoning included"
            return Reason.TRUNCATED, f"cut off{spent}: raise max_tokens"
        case "model_length":
            return Reason.TRUNCATED, "cut off: the input and the answer together do not fit the model's context"
        case "content_filter":
            return Reason.REFUSED, "the answer was stopped by the provider's content filter"
        case reason:
            return Reason.ERRORED, f"the answer stopped for a reason that is not expected here: {reason!r}"
