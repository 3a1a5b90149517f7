"""Items to encoded requests: read, checked against the provider's limits, encoded. Nothing is sent here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from batchata import documents, messages, structured
from batchata.errors import ConversationError, DocumentError, LimitError, UnsupportedArgumentError
from batchata.providers import Provider
from batchata.runner.examples import ExampleMaker
from batchata.runner.task import FileSource, Item, Task, custom_id
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
    TextPart,
)

_SEVERAL_JOBS = "Use BatchManager, which splits them over as many jobs as it takes."


class Preparer:
    """Makes the requests of one task, for one provider and model. Checks the task itself when it is made."""

    def __init__(self, provider: Provider, info: ModelInfo, task: Task) -> None:
        self._provider = provider
        self._task = task
        self._limits = _limits_of(provider.limits, info)
        _check_task(info, task)
        self._form = _form(provider.limits, info, task)
        maker = ExampleMaker(task, self._form, self._load)
        self._examples = tuple(maker.example(index, pair) for index, pair in enumerate(task.examples))
        self._example_pages = sum(_pages(example.parts) for example in self._examples)

    def lines(self, items: Iterable[Item], run_id: str, *, job: int = 0, total: int) -> Iterator[Prepared]:
        """One encoded request an item, read when its turn comes, within the provider's limits for one job."""
        size = 0
        if total > self._limits.max_requests:
            raise LimitError(
                f"{total:,} items are more than {self._provider.name} takes in one job "
                f"({self._limits.max_requests:,}). {_SEVERAL_JOBS}"
            )
        for item in items:
            prepared = self.prepare(item, custom_id(run_id, job, item.index), cache_prefix=total > 1)
            size += len(prepared.line) + 1
            if size > self._limits.max_bytes:
                raise LimitError(
                    f"Item {item.index} brings the job to {size:,} bytes; {self._provider.name} takes "
                    f"{self._limits.max_bytes:,} in one job. {_SEVERAL_JOBS}"
                )
            yield prepared

    def prepare(self, item: Item, request_id: str, *, cache_prefix: bool) -> Prepared:
        """The request of one item, checked and encoded. Raises ``ArgumentError`` for one that cannot be sent.

        Args:
            item: what to read.
            request_id: the request's custom_id.
            cache_prefix: whether other requests share what stands before the item.
        """
        said = self.read(item)
        request = self._request(said, request_id, cache_prefix=cache_prefix)
        self._check_request(item, request)
        line = self._provider.encode(request)
        self._check_line(item, line)
        return Prepared(line, said.digest, request)

    def _check_request(self, item: Item, request: Request) -> None:
        """What no single document shows."""
        if request.messages[0].role != "user":
            raise ConversationError(
                f"messages[{item.index}] must begin with a user message (after system messages)."
            )
        pages = self._example_pages
        for message in request.messages:
            pages += _pages(message.parts)
        if self._limits.max_pages is not None and pages > self._limits.max_pages:
            raise LimitError(
                f"Item {item.index} has {pages:,} PDF pages in all; {self._task.model!r} takes "
                f"{self._limits.max_pages:,} in one request. Split it."
            )

    @property
    def examples(self) -> tuple[Example, ...]:
        """The worked examples as turns."""
        return self._examples

    @property
    def examples_text(self) -> str:
        """The worked examples, to notice others."""
        return repr(
            [(Conversation(None, (Message("user", each.parts),)).digest, each.output) for each in self._examples]
        )

    def read(self, item: Item) -> Conversation:
        """What one item says; what is wrong with a file is said with its position."""
        said = conversation(item, self._task.prompt, self._load)
        if item.file is None and self._task.citations:
            _check_citable(item, said.turns)
        return said

    def digest(self, item: Item) -> str:
        """The digest of what ``read`` gives, without a look into the documents."""
        return conversation(item, self._task.prompt, documents.unopened).digest

    def _request(self, said: Conversation, request_id: str, *, cache_prefix: bool) -> Request:
        told = self._form.instructions
        return Request(
            custom_id=request_id,
            model=self._task.model,
            messages=said.turns,
            max_tokens=self._task.max_tokens,
            system=f"{said.system}\n\n{told}" if said.system and told else said.system or told or None,
            temperature=self._task.temperature,
            schema=self._form.schema,
            citations=self._task.citations is CitationMode.NATIVE,
            examples=self._examples,
            cache_prefix=cache_prefix and bool(self._examples) and self._limits.marks_cache,
        )

    def _load(self, source: FileSource, *, name: str | None = None) -> Document:
        document = documents.load(source, name=name, with_text_layer=self._limits.reads_text_layer)
        documents.check(document, self._limits)
        return document

    def _check_line(self, item: Item, line: bytes) -> None:
        if len(line) > self._limits.max_request_bytes:
            raise LimitError(
                f"Item {item.index} ({item.name or 'no file name'}) is {len(line):,} bytes when encoded; "
                f"{self._provider.name} takes {self._limits.max_request_bytes:,} in one request. Split it."
            )


def _pages(parts: Iterable[Part]) -> int:
    """Of the PDFs among them."""
    pages = 0
    for part in parts:
        if isinstance(part, DocumentPart):
            pages += part.document.page_count or 0
    return pages


def _check_citable(item: Item, turns: Sequence[Message]) -> None:
    if not any(isinstance(part, DocumentPart) for turn in turns for part in turn.parts):
        raise ConversationError(
            f"enable_citations=True, but messages[{item.index}] holds no document to cite. Add a part "
            f"{{'type': 'document', 'file': 'path'}}, or leave citations off."
        )


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class Conversation:
    """What one item says, before anything that all items share."""

    system: str | None
    turns: tuple[Message, ...]

    @property
    def documents(self) -> tuple[Document, ...]:
        """Its documents and images, in order."""
        return tuple(part.document for turn in self.turns for part in turn.parts if isinstance(part, DocumentPart))

    @property
    def digest(self) -> str:
        """A hash of all of it, documents' bytes included, to notice an input that changed."""
        system = self.system or ""
        said, files = [f"{len(system)}:{system}"], []
        for turn in self.turns:
            said.append(turn.role)
            for part in turn.parts:
                if isinstance(part, TextPart):
                    said.append(f"{len(part.text)}:{part.text}")
                else:
                    said.append(f"{len(part.document.data)};")
                    files.append(part.document.data)
        whole = hashlib.sha256("".join(said).encode("utf-8", "surrogatepass"))
        for data in files:
            whole.update(data)
        return whole.hexdigest()


def conversation(item: Item, prompt: str | None, load: messages.Load) -> Conversation:
    """What one item says, its documents read by ``load``; what is wrong with a file is said with its position."""
    if item.file is None:
        return Conversation(*messages.parse(item.conversation, f"messages[{item.index}]", load))
    try:
        document = load(item.file)
    except (DocumentError, LimitError) as error:
        raise type(error)(f"files[{item.index}]: {error}") from error
    return Conversation(None, (Message("user", (DocumentPart(document), TextPart(prompt or ""))),))


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class Prepared:
    """A request, encoded, and what its item was when it was made."""

    line: bytes
    fingerprint: str
    request: Request


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
