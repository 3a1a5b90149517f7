"""Items to encoded requests: read, checked against the provider's limits, encoded. Nothing is sent here."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from batchata import citations, documents, messages, structured
from batchata.errors import ArgumentError, ConversationError, DocumentError, LimitError, UnsupportedArgumentError
from batchata.providers import Provider
from batchata.runner.task import ExampleInput, FileSource, Item, Task, WorkedExample, custom_id
from batchata.types import (
    CitationMode,
    Document,
    DocumentPart,
    Example,
    Limits,
    Message,
    ModelInfo,
    Part,
    Request,
    Source,
    TextPart,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

_SEVERAL_JOBS = "Split them over several batch() calls; BatchManager, which will do that for you, is yet to come."


class Preparer:
    """Makes the requests of one task, for one provider and model. Checks the task itself when it is made."""

    def __init__(self, provider: Provider, info: ModelInfo, task: Task) -> None:
        self._provider = provider
        self._task = task
        self._limits = _limits_of(provider.limits, info)
        _check_task(info, task)
        self._form = _form(provider.limits, info, task)
        self._examples = tuple(self._example(index, pair) for index, pair in enumerate(task.examples))

    def lines(self, items: Iterable[Item], run_id: str, *, job: int = 0, total: int) -> Iterator[Prepared]:
        """One encoded request an item, read when its turn comes, within the provider's limits for one job."""
        size = 0
        if total > self._limits.max_requests:
            raise LimitError(
                f"{total:,} items are more than {self._provider.name} takes in one job "
                f"({self._limits.max_requests:,}). {_SEVERAL_JOBS}"
            )
        for item in items:
            line, documents_read = self._line(item, custom_id(run_id, job, item.index), cache_prefix=total > 1)
            size += len(line) + 1
            if size > self._limits.max_bytes:
                raise LimitError(
                    f"Item {item.index} brings the job to {size:,} bytes; {self._provider.name} takes "
                    f"{self._limits.max_bytes:,} in one job. {_SEVERAL_JOBS}"
                )
            yield Prepared(line, fingerprint(documents_read))

    def _line(self, item: Item, request_id: str, *, cache_prefix: bool) -> tuple[bytes, tuple[Document, ...]]:
        """The encoded request, and its documents; what is wrong with a file is said with its position."""
        try:
            request = self.request(item, request_id, cache_prefix=cache_prefix)
        except (DocumentError, LimitError) as error:
            if item.file is None:
                raise
            raise type(error)(f"files[{item.index}]: {error}") from error
        self._check_request(item, request)
        line = self._provider.encode(request)
        self._check_line(item, line)
        return line, request.documents

    def _check_request(self, item: Item, request: Request) -> None:
        """What no single document shows."""
        if request.messages[0].role != "user":
            raise ConversationError(
                f"messages[{item.index}] must begin with a user message (after system messages)."
            )
        pages = sum(document.page_count or 0 for document in request.documents)
        if self._limits.max_pages is not None and pages > self._limits.max_pages:
            raise LimitError(
                f"Item {item.index} has {pages:,} PDF pages in all; {self._task.model!r} takes "
                f"{self._limits.max_pages:,} in one request. Split it."
            )

    def request(self, item: Item, request_id: str, *, cache_prefix: bool = False) -> Request:
        """The provider-neutral request of one item."""
        system, turns = self._conversation(item)
        texts = [text for text in (system, self._form.instructions) if text]
        return Request(
            custom_id=request_id,
            model=self._task.model,
            messages=turns,
            max_tokens=self._task.max_tokens,
            system="\n\n".join(texts) or None,
            temperature=self._task.temperature,
            schema=self._form.schema,
            citations=self._task.citations is CitationMode.NATIVE,
            examples=self._examples,
            cache_prefix=cache_prefix and bool(self._examples),
        )

    def _conversation(self, item: Item) -> tuple[str | None, tuple[Message, ...]]:
        if item.file is None:
            system, turns = messages.parse(item.conversation, f"messages[{item.index}]", self._load)
            self._check_citable(item, turns)
            return system, turns
        return None, (Message("user", self._ask_of_file(item.file)),)

    def _ask_of_file(self, file: FileSource) -> tuple[Part, ...]:
        return DocumentPart(self._load(file)), TextPart(self._task.prompt or "")

    def _load(self, source: FileSource, *, name: str | None = None) -> Document:
        document = documents.load(source, name=name, with_text_layer=self._limits.reads_text_layer)
        documents.check(document, self._limits)
        return document

    def _check_citable(self, item: Item, turns: Sequence[Message]) -> None:
        parts = [part for turn in turns for part in turn.parts]
        if self._task.citations and not any(isinstance(part, DocumentPart) for part in parts):
            raise UnsupportedArgumentError(
                f"enable_citations=True, but messages[{item.index}] holds no document to cite. Add a part "
                f"{{'type': 'document', 'file': 'path'}}, or leave citations off."
            )

    def _check_line(self, item: Item, line: bytes) -> None:
        if len(line) > self._limits.max_request_bytes:
            raise LimitError(
                f"Item {item.index} ({item.name or 'no file name'}) is {len(line):,} bytes when encoded; "
                f"{self._provider.name} takes {self._limits.max_request_bytes:,} in one request. Split it."
            )

    def _example(self, index: int, pair: WorkedExample) -> Example:
        try:
            given, output = pair
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"examples[{index}] must be an (input, output) pair, got {pair!r:.80}.") from error
        try:
            asked = self._example_input(f"examples[{index}][0]", given)
        except (DocumentError, LimitError) as error:
            raise type(error)(f"examples[{index}]: {error}") from error
        return Example(asked, self._example_output(index, output, asked))

    def _example_input(self, path: str, given: ExampleInput) -> tuple[Part, ...]:
        if isinstance(given, str):
            return tuple(TextPart(text) for text in (given, self._task.prompt) if text)
        if isinstance(given, (bytes, os.PathLike)):
            return self._ask_of_file(given)
        system, turns = messages.parse(given, path, self._load)
        if system is not None or len(turns) > 1:
            raise ArgumentError(f"{path} must be one user message, without a system message.")
        return turns[0].parts

    def _example_output(self, index: int, output: object, asked: Sequence[Part]) -> str:
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """An encoded request, and what its documents were when it was made."""

    line: bytes
    fingerprint: str


def fingerprint(read: Sequence[Document]) -> str:
    """A hash of the documents' bytes, to notice a file that changed since it was sent."""
    digest = hashlib.sha256()
    for document in read:
        digest.update(len(document.data).to_bytes(8, "big") + document.data)
    return digest.hexdigest()


def _limits_of(limits: Limits, info: ModelInfo) -> Limits:
    return limits if info.max_pages is None else replace(limits, max_pages=info.max_pages)


def _check_task(info: ModelInfo, task: Task) -> None:
    if info.max_output_tokens is not None and task.max_tokens > info.max_output_tokens:
        raise LimitError(
            f"max_tokens={task.max_tokens:,} is more than {task.model!r} can write ({info.max_output_tokens:,})."
        )
    if task.citations is CitationMode.NATIVE and info.citations is False:
        raise UnsupportedArgumentError(
            f"{task.model!r} cannot cite places in documents itself. Use citation_mode='quoted', or another model."
        )


def _form(limits: Limits, info: ModelInfo, task: Task) -> structured.Form:
    """Enforced where provider, model and the rest of the request allow it; else asked for in words."""
    may_enforce = info.structured_outputs is not False and (
        task.citations is not CitationMode.NATIVE or limits.schema_with_citations
    )
    return structured.form(task.response_model, task.citations, limits.schema_dialect if may_enforce else None)
