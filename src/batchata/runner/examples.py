"""Worked examples: an input and the answer that the model should have given, as turns before every request."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchata import citations, documents, messages, structured
from batchata.errors import ArgumentError, DocumentError, LimitError, UnsupportedArgumentError
from batchata.runner.task import ExampleInput, Task, WorkedExample
from batchata.types import CitationMode, DocumentPart, Example, Part, Source, TextPart

if TYPE_CHECKING:
    from pydantic import BaseModel


class ExampleMaker:
    """Reads the examples of one task, with ``load`` for their files."""

    def __init__(self, task: Task, form: structured.Form, load: messages.Load) -> None:
        self._task = task
        self._form = form
        self._load = load

    def example(self, index: int, pair: WorkedExample) -> Example:
        """The pair as turns. Raises ``ArgumentError`` naming the example for one that cannot be shown."""
        try:
            given, output = pair
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"examples[{index}] must be an (input, output) pair, got {pair!r:.80}.") from error
        try:
            asked = self._input(f"examples[{index}][0]", given)
        except (DocumentError, LimitError) as error:
            raise type(error)(f"examples[{index}]: {error}") from error
        return Example(asked, self._output(index, output, asked))

    def _input(self, path: str, given: ExampleInput) -> tuple[Part, ...]:
        if isinstance(given, str):
            return tuple(TextPart(text) for text in (given, self._task.prompt) if text)
        if isinstance(given, (bytes, os.PathLike)):
            return DocumentPart(self._load(given)), TextPart(self._task.prompt or "")
        system, turns = messages.parse(given, path, self._load)
        if system is not None or len(turns) > 1:
            raise ArgumentError(f"{path} must be one user message, without a system message.")
        return turns[0].parts

    def _output(self, index: int, output: object, asked: Sequence[Part]) -> str:
        """The answer as the model should have written it, checked against the response model."""
        from pydantic import ValidationError  # noqa: PLC0415  # imported where first used

        text, response_model = _as_json(output), self._task.response_model
        is_quoted = self._task.citations is CitationMode.QUOTED
        if response_model is None:
            if is_quoted:
                raise UnsupportedArgumentError(
                    "A worked example in words does not say where its answer stands, so it cannot be shown with "
                    "citation_mode='quoted'. Give a response_model, or leave examples off."
                )
            return text
        try:
            response_model.model_validate_json(text, by_alias=True, by_name=True)
        except ValidationError as error:
            words = re.sub(r"\s+", " ", str(error))
            raise ArgumentError(
                f"The output of examples[{index}] does not fit the response model: {words}"
            ) from error
        if is_quoted:
            return self._quoted(index, text, response_model, asked)
        return f'{{"value":{text}}}' if self._form.is_wrapped else text

    def _quoted(self, index: int, text: str, response_model: type[BaseModel], asked: Sequence[Part]) -> str:
        """A worked example's answer with the quotes that a model should have given, as far as we find them."""
        try:
            reading = structured.read(text, response_model)
        except structured.InvalidOutput as error:
            raise ArgumentError(f"The output of examples[{index}] is not JSON: {error.message}") from error
        sources = [source for part in asked if (source := self._source_of(part)) is not None]
        return structured.wrapped_answer(text, citations.quotes_of(reading.value, reading.node, sources))

    def _source_of(self, part: Part) -> Source | None:
        """What a part of a worked example can be quoted from."""
        if isinstance(part, TextPart):
            return None if part.text == self._task.prompt else Source("text", (part.text,), paged=False)
        return None if part.document.kind.is_image else documents.source(part.document)


def _as_json(output: object) -> str:
    from pydantic import BaseModel  # noqa: PLC0415  # imported where first used

    if isinstance(output, BaseModel):
        return output.model_dump_json(by_alias=True)
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, default=str)
