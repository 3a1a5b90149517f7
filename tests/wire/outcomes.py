"""One request in, the lines of its result out: rules first, then faults, then the "model"."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import orjson

from tests.wire import answers, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.faults import AnyItemFault, Errored, Faults, ItemFault
from tests.wire.rules import RefusedError, check_params

AnswerFunction: TypeAlias = Callable[[JsonObject], Answer | AnyItemFault]


@dataclass(frozen=True, slots=True)
class Item:
    """One accepted request; ``attempt`` counts how often these very params were accepted, from 1."""

    custom_id: str
    params: JsonObject = field(repr=False)
    content: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Produced:
    """How a request ended: the kind it is counted as, its lines, and what of it is billed."""

    kind: str
    lines: tuple[bytes, ...]
    usage: JsonObject | None = None


def content_hash(params: JsonObject) -> str:
    return hashlib.sha256(orjson.dumps(params, option=orjson.OPT_SORT_KEYS)).hexdigest()


def new_id(prefix: str, seed: str) -> str:
    """An id in the house form, the same in every run with the same seed."""
    return f"{prefix}_01{hashlib.sha256(seed.encode()).hexdigest()[:22]}"


class Producer:
    """The model and its mishaps.

    Attributes:
        answer: the model; may also return an item fault.
        cache: the prompt cache.
    """

    def __init__(self, answer: AnswerFunction, faults: Faults) -> None:
        self.answer = answer
        self.faults = faults
        self.cache = tokens.PromptCache(seed=faults.seed)

    def produce(self, item: Item, version: str) -> Produced:
        """The result of one request of a batch."""
        try:
            check_params(item.params, version)
        except RefusedError as error:
            return _errored(item, Errored(error.type, str(error)))
        fault = self.faults.for_item(item.content, item.attempt)
        answer = self.answer(item.params)
        if not isinstance(answer, Answer):
            fault, answer = answer, answers.echo(item.params)
        if isinstance(fault, Errored):
            return _errored(item, fault)
        if fault in {ItemFault.EXPIRED, ItemFault.CANCELED}:
            return ended_without_answer(item, str(fault))
        return self._succeeded(item, answer, fault)

    def message(self, params: JsonObject, answer: Answer, *, tier: str, seed: str) -> JsonObject:
        """The answer as a message, within ``max_tokens`` and with its usage."""
        answer = _fit(answer, params["max_tokens"])
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

    def _succeeded(self, item: Item, answer: Answer, fault: ItemFault | None) -> Produced:
        message = self.message(
            item.params, _spoil(answer, fault), tier="batch", seed=f"{item.content}:{item.attempt}"
        )
        line = _line(item.custom_id, {"type": "succeeded", "message": message})
        lines: tuple[bytes, ...] = (line,)
        if fault is ItemFault.MISSING:
            return Produced("succeeded", ())
        if fault is ItemFault.DUPLICATE:
            lines = (line, line)
        if fault is ItemFault.STRANGER:
            stranger = _line(f"stranger-{item.content[:8]}", {"type": "succeeded", "message": message})
            lines = (line, stranger)
        return Produced("succeeded", lines, message["usage"])


def ended_without_answer(item: Item, kind: str) -> Produced:
    """``canceled`` or ``expired``: free."""
    return Produced(kind, (_line(item.custom_id, {"type": kind}),))


def shuffled(lines: list[bytes], seed: str) -> list[bytes]:
    random.Random(seed).shuffle(lines)  # noqa: S311  # repeatable, not secret
    return lines


def _errored(item: Item, fault: Errored) -> Produced:
    error = {
        "type": "error",
        "error": {"type": fault.type, "message": fault.message},
        "request_id": new_id("req", item.content),
    }
    return Produced("errored", (_line(item.custom_id, {"type": "errored", "error": error}),))


def _line(custom_id: str, result: JsonObject) -> bytes:
    return orjson.dumps({"custom_id": custom_id, "result": result}) + b"\n"


def _spoil(answer: Answer, fault: ItemFault | None) -> Answer:
    if fault is ItemFault.REFUSED:
        return answers.refusal("I cannot help with that.")
    if fault is ItemFault.MALFORMED:
        return answers.malformed_json()
    if fault is ItemFault.TRUNCATED:
        text = "".join(block.get("text", "") for block in answer.content)
        return answers.truncated(text[: len(text) // 2])
    return answer


def _fit(answer: Answer, max_tokens: int) -> Answer:
    """A model stops at ``max_tokens`` whatever it still had to say."""
    if answer.usage is not None or tokens.output_count(answer.content) <= max_tokens:
        return answer
    left = max_tokens
    kept: list[JsonObject] = []
    for block in answer.content:
        key = "thinking" if block["type"] == "thinking" else "text"
        text = block[key].encode()[: left * tokens.BYTES_PER_TOKEN].decode(errors="ignore")
        if text:
            kept.append({**block, key: text})
        left -= min(left, tokens.text_tokens(block[key]))
    return replace(answer, content=tuple(kept), stop_reason="max_tokens")
