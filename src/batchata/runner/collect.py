"""Outcomes to the entries that the user sees."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from batchata import citations, costs, documents, structured
from batchata.jsonspans import Node
from batchata.providers import Provider
from batchata.runner.prepare import Conversation, Preparer
from batchata.runner.task import Item, Task
from batchata.types import (
    BatchResult,
    Citation,
    CitationMode,
    DocumentPart,
    ErrorInfo,
    Example,
    Failed,
    Outcome,
    Quote,
    Reason,
    Source,
    Succeeded,
    Usage,
    UsageInfo,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

logger = logging.getLogger(__name__)


class Reader:
    """Turns outcomes into the entries that the user sees."""

    def __init__(
        self,
        provider: Provider,
        task: Task,
        *,
        preparer: Preparer | None,
        fingerprints: Mapping[int, str],
        priced_at: datetime | None,
    ) -> None:
        self._provider = provider
        self._task = task
        self._preparer = preparer
        self._fingerprints = fingerprints
        self._priced_at = priced_at
        self._price = costs.pricer(provider.name, task.model, at=priced_at, prices=task.prices)

    def read(self, item: Item, outcome: Outcome | None) -> tuple[BatchResult[Any], str | None]:
        """The entry of one item, and the JSON that its result was validated from; ``None`` never came."""
        if outcome is None:
            words = "the job ended without an answer to this item"
            outcome = Failed("", Reason.MISSING, words, retryable=True, is_billed=None)
        if isinstance(outcome, Failed):
            return self._entry(item, outcome), None
        text = outcome.text
        if not text or text.isspace():
            words = "the answer is empty: thinking may have used all of max_tokens"
            return self._entry(item, _invalid(outcome, words)), None
        if self._task.response_model is None:
            return self._worded(item, outcome), None
        try:
            return self._modelled(item, outcome, self._task.response_model)
        except structured.InvalidOutput as error:
            return self._entry(item, _invalid(outcome, error.message)), None

    def _worded(self, item: Item, answer: Succeeded) -> BatchResult[Any]:
        quotes: Sequence[Quote] = ()
        words = answer.text
        if self._task.citations is CitationMode.QUOTED:
            words, quotes = structured.read_text(words)
        return self._entry(item, answer, result=words, quotes=quotes)

    def _modelled(self, item: Item, answer: Succeeded, model: type[BaseModel]) -> tuple[BatchResult[Any], str]:
        if self._task.citations is None:
            value, json = structured.value_of(answer.text, model)
            return self._entry(item, answer, result=value), json
        reading = structured.read(answer.text, model, quoted=self._task.citations is CitationMode.QUOTED)
        entry = self._entry(item, answer, result=reading.value, node=reading.node, quotes=reading.quotes)
        return entry, reading.json

    def _entry(
        self,
        item: Item,
        outcome: Outcome,
        *,
        result: Any = None,
        node: Node | None = None,
        quotes: Sequence[Quote] = (),
    ) -> BatchResult[Any]:
        cost = self._cost(outcome)
        notes: list[str] = []
        resolved: citations.Resolved | None = None
        if isinstance(outcome, Succeeded) and self._task.citations is not None:
            sources, notes = self._sources(item)
            value = None if self._task.response_model is None else result
            try:
                resolved = citations.resolve(outcome.blocks, value, node, sources, quotes)
            except Exception as error:  # the answer is paid for: no odd object in it may cost it
                logger.exception("the citations of item %d could not be worked out", item.index)
                notes = [*notes, f"the citations could not be worked out: {type(error).__name__}: {error}"]
        return {
            "result": result,
            "citations": None if resolved is None else _cited(resolved),
            "unmapped_citations": [] if resolved is None else resolved.unmapped,
            "error": _error(outcome) if isinstance(outcome, Failed) else None,
            "input": {"index": item.index, "name": item.name, "source": item.source},
            "usage": None if outcome.usage is None else _usage(outcome.usage),
            "cost_usd": cost.usd,
            "cost_is_estimate": cost.estimated,
            "notes": notes,
        }

    def _cost(self, outcome: Outcome) -> costs.Cost:
        if isinstance(outcome, Failed) and outcome.is_billed is False:
            return costs.Cost(Decimal(0))
        if outcome.usage is None:
            return costs.Cost(None)
        asked = self._price(outcome.usage)
        if asked.usd is not None or outcome.model is None:
            return asked
        return costs.price(self._provider.name, outcome.model, outcome.usage, at=self._priced_at)

    def _sources(self, item: Item) -> tuple[Sequence[Source | None], list[str]]:
        """The documents of an item as citations number them, read again, if they are still what was sent."""
        if self._preparer is None:
            return (), ["the documents were not given, so citations could not be checked"]
        try:
            conversation = self._preparer.read(item)
            sent = self._fingerprints.get(item.index)
            if sent is not None and sent != conversation.digest:
                return (), ["the document changed since it was sent, so citations could not be checked"]
            return _sources_of(conversation, self._preparer.examples)
        except Exception as error:  # noqa: BLE001  # the answer is paid for: no driver's error may cost it
            return (), [f"the document could not be read again, so citations could not be checked: {error}"]


def _cited(resolved: citations.Resolved) -> dict[str, list[Citation]] | list[Citation]:
    return resolved.flat if resolved.by_field is None else resolved.by_field


def _sources_of(
    conversation: Conversation, examples: Sequence[Example]
) -> tuple[Sequence[Source | None], list[str]]:
    """Every document by its number; worked examples have a number too, but are no evidence for an answer."""
    parts = [part for example in examples for part in example.parts]
    shown = [part.document for part in parts if isinstance(part, DocumentPart)]
    read = conversation.documents
    notes = [f"{document.name} is a picture, which cannot be cited" for document in read if document.kind.is_image]
    sources = [documents.source(document) for document in read if not document.kind.is_image]
    for source in sources:
        bare = [str(number) for number, text in enumerate(source.pages, 1) if not text.strip()]
        if bare:
            notes.append(f"{source.name} has no text layer on page {', '.join(bare)}: nothing there can be checked")
    return [*(None for document in shown if not document.kind.is_image), *sources], notes


def _invalid(answer: Succeeded, words: str) -> Failed:
    return Failed(
        answer.custom_id,
        Reason.INVALID_OUTPUT,
        words,
        text=answer.text,
        usage=answer.usage,
        model=answer.model,
        retryable=True,
        is_billed=True,
    )


def _error(outcome: Failed) -> ErrorInfo:
    return {
        "reason": outcome.reason.value,
        "message": outcome.message,
        "retryable": outcome.retryable,
        "raw_text": outcome.text,
    }


def _usage(usage: Usage) -> UsageInfo:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens + usage.cache_write_1h_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
