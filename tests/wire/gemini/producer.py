"""Gemini's answers, and the lines of results that hold them."""

from __future__ import annotations

import orjson

from tests.wire import answers, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.faults import Errored
from tests.wire.gemini.models import MODELS
from tests.wire.gemini.rules import RefusedError, check_request, check_shape, count
from tests.wire.outcomes import Item, Produced, Producer, new_id

_CODES = {
    "timeout_error": 4,
    "not_found_error": 5,
    "permission_error": 7,
    "rate_limit_error": 8,
    "api_error": 13,
    "overloaded_error": 14,
    "authentication_error": 16,
}
"""google.rpc.Code; 3 (INVALID_ARGUMENT) for all others."""

_CANCELLED, _DEADLINE_EXCEEDED, _INVALID_ARGUMENT = 1, 4, 3


class GeminiProducer(Producer):
    """The model behind generateContent."""

    def refused(self, params: JsonObject, given: JsonObject) -> Errored | None:
        try:
            check_shape(params)
            check_request(params, MODELS[given["model"]])
        except RefusedError as error:
            return Errored("invalid_request_error", str(error))
        return None

    def max_tokens(self, params: JsonObject) -> int | None:
        most: int | None = (params.get("generationConfig") or {}).get("maxOutputTokens")
        return most

    def model_of(self, item: Item, given: JsonObject) -> str:  # noqa: ARG002  # others have it in the item
        model: str = given["model"]
        return model

    def body(self, item: Item, answer: Answer, given: JsonObject) -> tuple[JsonObject, JsonObject]:
        usage = {**self._usage(item.params, answer), **(answer.usage or {})}
        response: JsonObject = {
            "usageMetadata": usage,
            "modelVersion": given["model"],
            "responseId": new_id("resp", f"{item.content}:{item.attempt}"),
        }
        if answer.stop_reason == "refusal" and not answers.text_of(answer):
            return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **response}, usage
        return {"candidates": [_candidate(answer, item.params)], **response}, usage

    def _usage(self, params: JsonObject, answer: Answer) -> JsonObject:
        """As recorded: the tier says "standard", and the modalities are given for the prompt."""
        prompt = count(params)
        thoughts = sum(tokens.text_tokens(block.get("thinking", "")) for block in answer.content)
        written = tokens.output_count(answer.content) - thoughts
        most = self.max_tokens(params)
        if answer.stop_reason == "max_tokens" and most is not None:
            written = most - thoughts
        usage: JsonObject = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": written,
            "totalTokenCount": prompt + written + thoughts,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
            "serviceTier": "standard",
        }
        return {**usage, "thoughtsTokenCount": thoughts} if thoughts else usage

    def line(self, custom_id: str, body: JsonObject) -> bytes:
        return _line({"response": body, "key": custom_id})

    def errored(self, item: Item, fault: Errored) -> Produced:
        code = _CODES.get(fault.type, _INVALID_ARGUMENT)
        return Produced("errored", (_error_line(item.custom_id, code, fault.message),))

    def unanswered(self, item: Item, kind: str) -> Produced:
        if kind == "canceled":
            line = _error_line(item.custom_id, _CANCELLED, "The operation was cancelled.")
        else:
            line = _error_line(item.custom_id, _DEADLINE_EXCEEDED, "The deadline expired.")
        return Produced(kind, (line,))


def _candidate(answer: Answer, params: JsonObject) -> JsonObject:
    """Thoughts are billed always, and shown to whom asks for them."""
    thinking = (params.get("generationConfig") or {}).get("thinkingConfig") or {}
    parts: list[JsonObject] = []
    for block in answer.content:
        if "text" in block:
            parts.append({"text": block["text"]})
        elif thinking.get("includeThoughts"):
            parts.append({"text": block["thinking"], "thought": True})
    stop = {"max_tokens": "MAX_TOKENS", "refusal": "PROHIBITED_CONTENT"}.get(answer.stop_reason, "STOP")
    return {"content": {"parts": parts, "role": "model"}, "finishReason": stop, "index": 0}


def _error_line(custom_id: str, code: int, message: str) -> bytes:
    return _line(
        {"error": {"code": code, "message": message, "details": [{"reason": "LOOPBACK"}]}, "key": custom_id}
    )


def _line(result: JsonObject) -> bytes:
    return orjson.dumps(result) + b"\n"
