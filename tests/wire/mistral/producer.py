"""Mistral's answers: chat completions, and the lines of files that hold them; and what it refuses."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import orjson
from mistralai.client.models import ChatCompletionRequest
from pydantic import ValidationError

from tests.wire import answers, media, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.faults import Errored
from tests.wire.ledger import MILLION
from tests.wire.outcomes import Item, Produced, Producer, new_id

RATES = {
    "mistral-small-2603": (Decimal("0.075"), Decimal("0.3")),
    "mistral-large-2512": (Decimal("0.25"), Decimal("0.75")),
}
"""Batch dollars per million tokens, in and out (providers.md 8.4)."""
_STATUS = {"rate_limit_error": 429, "api_error": 500, "overloaded_error": 503}
_OURS = {"model", *ChatCompletionRequest.model_fields}


def price(model: str, usage: JsonObject) -> Decimal:
    into, out = RATES[model]
    cost: Decimal = (usage["prompt_tokens"] * into + usage["completion_tokens"] * out) / MILLION
    return cost


class MistralProducer(Producer):
    """The model behind chat completions in batches."""

    def refused(self, params: JsonObject, given: JsonObject) -> Errored | None:
        """By the SDK's own type, in which no field may be that it does not name."""
        unknown = params.keys() - _OURS
        if unknown:
            return Errored("invalid_request_error", f"Extra inputs are not permitted: {min(unknown)}")
        try:
            ChatCompletionRequest.model_validate({"model": given["model"], **params})
        except ValidationError as error:
            return Errored("invalid_request_error", f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}")
        return None

    def max_tokens(self, params: JsonObject) -> int | None:
        return params.get("max_tokens")

    def model_of(self, item: Item, given: JsonObject) -> str:  # noqa: ARG002  # others have it in the item
        model: str = given["model"]
        return model

    def body(self, item: Item, answer: Answer, given: JsonObject) -> tuple[JsonObject, JsonObject]:
        prompt, output = count(item.params), tokens.output_count(answer.content)
        reason = "stop"
        if answer.stop_reason == "max_tokens":
            reason, output = "length", item.params["max_tokens"]
        if answer.stop_reason == "refusal":
            reason = "content_filter"
        usage: JsonObject = {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"messages": [], "cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": None,
            "service_tier": None,
        }
        message = {"role": "assistant", "content": answers.text_of(answer), "tool_calls": None}
        body = {
            "id": new_id("cmpl", f"{item.content}:{item.attempt}"),
            "object": "chat.completion",
            "model": given["model"],
            "usage": usage,
            "created": 1787150442,
            "choices": [{"index": 0, "finish_reason": reason, "message": message}],
        }
        return body, usage

    def line(self, custom_id: str, body: JsonObject) -> bytes:
        return _line(custom_id, 200, body)

    def errored(self, item: Item, fault: Errored) -> Produced:
        body = {"object": "error", "message": fault.message, "type": fault.type, "param": None, "code": None}
        return Produced("errored", (_line(item.custom_id, _STATUS.get(fault.type, 400), body),))

    def unanswered(self, item: Item, kind: str) -> Produced:  # noqa: ARG002  # nothing is said of it
        """What was not run has no line in any file."""
        return Produced(kind, ())


def count(params: JsonObject) -> int:
    """Input tokens of a request."""
    schema = answers.schema_of(params)
    total = 0 if schema is None else math.ceil(len(orjson.dumps(schema)) / tokens.BYTES_PER_TOKEN)
    for turn in params["messages"]:
        blocks: Any = turn["content"]
        total += tokens.TURN_TOKENS
        for block in [{"text": blocks}] if isinstance(blocks, str) else blocks:
            total += tokens.text_tokens(block["text"]) if "text" in block else _image_tokens(block["image_url"])
    return total


def _image_tokens(image: Any) -> int:
    uri = image if isinstance(image, str) else image["url"]
    return media.image_tokens(uri.partition(";base64,")[2])


def _line(custom_id: str, status: int, body: JsonObject) -> bytes:
    line = {
        "id": new_id("batch", custom_id),
        "custom_id": custom_id,
        "response": {"status_code": status, "body": body},
        "error": None,
    }
    return orjson.dumps(line) + b"\n"
