"""Anthropic's answers: messages, and the lines of results that hold them."""

from __future__ import annotations

import orjson

from tests.wire import tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.faults import Errored, Faults
from tests.wire.outcomes import AnswerFunction, Item, Produced, Producer, new_id
from tests.wire.rules import RefusedError, check_params


class AnthropicProducer(Producer):
    """The model behind the Messages API; ``cache`` is its prompt cache."""

    def __init__(self, answer: AnswerFunction, faults: Faults) -> None:
        super().__init__(answer, faults)
        self.cache = tokens.PromptCache(seed=faults.seed)

    def refused(self, params: JsonObject, given: JsonObject) -> Errored | None:
        try:
            check_params(params, given["version"])
        except RefusedError as error:
            return Errored(error.type, str(error))
        return None

    def max_tokens(self, params: JsonObject) -> int:
        given: int = params["max_tokens"]
        return given

    def model_of(self, item: Item, given: JsonObject) -> str:  # noqa: ARG002  # others have it in ``given``
        model: str = item.params["model"]
        return model

    def body(
        self,
        item: Item,
        answer: Answer,
        given: JsonObject,  # noqa: ARG002  # others need it
    ) -> tuple[JsonObject, JsonObject]:
        message = self.message(item.params, answer, tier="batch", seed=f"{item.content}:{item.attempt}")
        return message, message["usage"]

    def message(self, params: JsonObject, answer: Answer, *, tier: str, seed: str) -> JsonObject:
        """The answer as a message, with its usage."""
        output = tokens.output_count(answer.content)
        if answer.stop_reason == "max_tokens":
            output = params["max_tokens"]
        usage = {**self.cache.usage(params), "output_tokens": output, "service_tier": tier}
        return {
            "model": params["model"],
            "id": new_id("msg", seed),
            "type": "message",
            "role": "assistant",
            "content": list(answer.content),
            "stop_reason": answer.stop_reason,
            "stop_sequence": None,
            "stop_details": answer.stop_details,
            "usage": {**usage, "inference_geo": "not_available", **(answer.usage or {})},
        }

    def line(self, custom_id: str, body: JsonObject) -> bytes:
        return _line(custom_id, {"type": "succeeded", "message": body})

    def errored(self, item: Item, fault: Errored) -> Produced:
        error = {
            "type": "error",
            "error": {"type": fault.type, "message": fault.message},
            "request_id": new_id("req", item.content),
        }
        return Produced("errored", (_line(item.custom_id, {"type": "errored", "error": error}),))

    def unanswered(self, item: Item, kind: str) -> Produced:
        return Produced(kind, (_line(item.custom_id, {"type": kind}),))


def _line(custom_id: str, result: JsonObject) -> bytes:
    return orjson.dumps({"custom_id": custom_id, "result": result}) + b"\n"
