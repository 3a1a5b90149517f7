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
    Limits,
    Message,
    ModelInfo,
    Request,
    TextPart,
)

_SEVERAL_JOBS = "Split them over several batch() calls; BatchManager, which will do that for you, is yet to come."


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
        return None, (Message("user", (DocumentPart(self._load(item.file)), TextPart(self._task.prompt or ""))),)

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
