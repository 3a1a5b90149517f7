"""One request in, the lines of its result out: rules first, then faults, then the "model"."""

from __future__ import annotations

import hashlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import orjson

from tests.wire import answers, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.faults import AnyItemFault, Errored, Faults, ItemFault

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


class Producer(ABC):
    """The model and its mishaps, in the words of one provider.

    Attributes:
        answer: the model; may also return an item fault.
    """

    def __init__(self, answer: AnswerFunction, faults: Faults) -> None:
        self.answer = answer
        self.faults = faults

    def produce(self, item: Item, given: JsonObject) -> Produced:
        """The result of one request of a batch."""
        refused = self.refused(item.params, given)
        if refused is not None:
            return self.errored(item, refused)
        fault = self.faults.for_item(item.content, item.attempt)
        answer = self.answer(item.params)
        if not isinstance(answer, Answer):
            fault, answer = answer, answers.echo(item.params)
        if isinstance(fault, Errored):
            return self.errored(item, fault)
        if fault in {ItemFault.EXPIRED, ItemFault.CANCELED}:
            return self.unanswered(item, str(fault))
        return self._succeeded(item, _spoil(answer, fault), fault, given)

    def _succeeded(self, item: Item, answer: Answer, fault: ItemFault | None, given: JsonObject) -> Produced:
        body, usage = self.body(item, _fit(answer, self.max_tokens(item.params)), given)
        line = self.line(item.custom_id, body)
        lines: tuple[bytes, ...] = (line,)
        if fault is ItemFault.MISSING:
            return Produced("succeeded", ())
        if fault is ItemFault.DUPLICATE:
            lines = (line, line)
        if fault is ItemFault.STRANGER:
            lines = (line, self.line(f"stranger-{item.content[:8]}", body))
        return Produced("succeeded", lines, usage)

    @abstractmethod
    def refused(self, params: JsonObject, given: JsonObject) -> Errored | None:
        """What the provider finds wrong with a request once it comes to it."""

    @abstractmethod
    def max_tokens(self, params: JsonObject) -> int | None:
        """Most tokens of the answer."""

    @abstractmethod
    def model_of(self, item: Item, given: JsonObject) -> str:
        """The model that is billed."""

    @abstractmethod
    def body(self, item: Item, answer: Answer, given: JsonObject) -> tuple[JsonObject, JsonObject]:
        """The answer as the provider writes it, and the usage that is billed."""

    @abstractmethod
    def line(self, custom_id: str, body: JsonObject) -> bytes:
        """A result line with this answer, line end included."""

    @abstractmethod
    def errored(self, item: Item, fault: Errored) -> Produced:
        """A failure; free."""

    @abstractmethod
    def unanswered(self, item: Item, kind: str) -> Produced:
        """``canceled`` or ``expired``; free."""


def shuffled(entries: list[Any], seed: str) -> list[Any]:
    random.Random(seed).shuffle(entries)  # noqa: S311  # repeatable, not secret
    return entries


def _spoil(answer: Answer, fault: ItemFault | None) -> Answer:
    if fault is ItemFault.REFUSED:
        return answers.refusal("I cannot help with that.")
    if fault is ItemFault.MALFORMED:
        return answers.malformed_json()
    if fault is ItemFault.TRUNCATED:
        text = answers.text_of(answer)
        return answers.truncated(text[: len(text) // 2])
    return answer


def _fit(answer: Answer, max_tokens: int | None) -> Answer:
    """A model stops at ``max_tokens`` whatever it still had to say."""
    if max_tokens is None or answer.usage is not None or tokens.output_count(answer.content) <= max_tokens:
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
