"""OpenAI's answers: responses and chat completions, and the lines of files that hold them."""

from __future__ import annotations

import math
from typing import Any

import orjson

from tests.wire import answers, media, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.faults import Errored, Faults
from tests.wire.openai.rules import RESPONSES, refused
from tests.wire.outcomes import AnswerFunction, Item, Produced, Producer, new_id

_STATUS = {"rate_limit_error": 429, "api_error": 500, "overloaded_error": 503}


class OpenAIProducer(Producer):
    """The model behind both APIs.

    Attributes:
        written: share of each prompt that the cache writes, without being asked.
    """

    def __init__(self, answer: AnswerFunction, faults: Faults) -> None:
        super().__init__(answer, faults)
        self.written = 0.0

    def refused(self, params: JsonObject, given: JsonObject) -> Errored | None:
        try:
            count(params)
        except media.BadMediaError as error:
            return Errored("invalid_request_error", str(error))
        return refused(params, given["endpoint"])

    def max_tokens(self, params: JsonObject) -> int | None:
        return params.get("max_output_tokens") or params.get("max_completion_tokens") or params.get("max_tokens")

    def model_of(self, item: Item, given: JsonObject) -> str:  # noqa: ARG002  # others have it in ``given``
        model: str = item.params["model"]
        return model

    def body(self, item: Item, answer: Answer, given: JsonObject) -> tuple[JsonObject, JsonObject]:
        made = _response if given["endpoint"] == RESPONSES else _completion
        body = made(item, answer, self._counts(item, answer))
        return body, body["usage"]

    def _counts(self, item: Item, answer: Answer) -> tuple[int, int, int]:
        """Tokens of the prompt, of what the cache wrote of it, and of the answer."""
        prompt, most = count(item.params), self.max_tokens(item.params)
        output = tokens.output_count(answer.content)
        if answer.stop_reason == "max_tokens" and most is not None:
            output = most
        return prompt, int(prompt * self.written), output

    def line(self, custom_id: str, body: JsonObject) -> bytes:
        return _line(custom_id, response=_answered(custom_id, 200, body))

    def errored(self, item: Item, fault: Errored) -> Produced:
        error = {"message": fault.message, "type": fault.type, "param": None, "code": None}
        status = _STATUS.get(fault.type, 400)
        line = _line(item.custom_id, response=_answered(item.custom_id, status, {"error": error}))
        return Produced("errored", (line,))

    def unanswered(self, item: Item, kind: str) -> Produced:
        code, words = {
            "expired": (
                "batch_expired",
                "This request could not be executed before the completion window expired.",
            ),
            "canceled": ("batch_cancelled", "This request was not executed because the batch was cancelled."),
        }[kind]
        return Produced(kind, (_line(item.custom_id, error={"code": code, "message": words}),))


def count(params: JsonObject) -> int:
    """Input tokens of a request, the same in both APIs."""
    turns = params.get("input") or params.get("messages") or []
    if isinstance(turns, str):
        turns = [{"role": "user", "content": turns}]
    total = tokens.text_tokens(params.get("instructions") or "")
    schema = answers.schema_of(params)
    if schema is not None:
        total += math.ceil(len(orjson.dumps(schema)) / tokens.BYTES_PER_TOKEN)
    for turn in turns:
        content = turn["content"]
        blocks = [{"text": content}] if isinstance(content, str) else content
        total += tokens.TURN_TOKENS + sum(map(_block_tokens, blocks))
    return max(1, total)


def _block_tokens(block: JsonObject) -> int:
    if "text" in block:
        return tokens.text_tokens(block["text"])
    if "file_data" in block:
        return media.pdf_pages(_data(block["file_data"])) * media.PAGE_TOKENS
    image = block["image_url"]
    return media.image_tokens(_data(image if isinstance(image, str) else image["url"]))


def _data(uri: str) -> str:
    return uri.partition(";base64,")[2]


def _response(item: Item, answer: Answer, counts: tuple[int, int, int]) -> JsonObject:
    prompt, written, output = counts
    text = answers.text_of(answer)
    part: JsonObject = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    status, why = "completed", None
    if answer.stop_reason == "refusal":
        part = {"type": "refusal", "refusal": text or "I'm sorry, I cannot help with that."}
    if answer.stop_reason == "max_tokens":
        status, why = "incomplete", {"reason": "max_output_tokens"}
    message = {"id": new_id("msg", item.content), "type": "message", "status": status, "role": "assistant"}
    return {
        "id": new_id("resp", f"{item.content}:{item.attempt}"),
        "object": "response",
        "created_at": 1787150602,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": why,
        "model": item.params["model"],
        "output": [
            {"id": new_id("rs", item.content), "type": "reasoning", "content": [], "summary": []},
            {**message, "content": [part]},
        ],
        "service_tier": "default",
        "store": item.params.get("store", True),
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": written},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt + output,
        },
    }


def _completion(item: Item, answer: Answer, counts: tuple[int, int, int]) -> JsonObject:
    prompt, written, output = counts
    text = answers.text_of(answer)
    message: JsonObject = {"role": "assistant", "content": text, "refusal": None}
    if answer.stop_reason == "refusal":
        message = {"role": "assistant", "content": None, "refusal": text or "I'm sorry."}
    reason = "length" if answer.stop_reason == "max_tokens" else "stop"
    return {
        "id": new_id("chatcmpl", f"{item.content}:{item.attempt}"),
        "object": "chat.completion",
        "created": 1787150602,
        "model": item.params["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": written},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        "service_tier": "default",
    }


def _answered(custom_id: str, status: int, body: JsonObject) -> JsonObject:
    return {"status_code": status, "request_id": new_id("req", custom_id), "body": body}


def _line(custom_id: str, *, response: Any = None, error: Any = None) -> bytes:
    line = {
        "id": new_id("batch_req", custom_id),
        "custom_id": custom_id,
        "response": response,
        "error": error,
    }
    return orjson.dumps(line) + b"\n"
