"""One request line to one result line, with a loaded engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from batchata.providers.local import lines, prompts
from batchata.providers.local.bounded import bounded
from batchata.providers.local.engine import Completion, Engine, EngineError
from batchata.providers.local.fill import Filler, Piece, UnfillableError
from batchata.providers.local.layout import Node
from batchata.providers.local.reading import Reading
from batchata.types import Reason

_SMALLEST_ANSWER = 16


class _OutOfTokensError(Exception):
    """max_tokens is used up in the middle of a form."""


@dataclass
class _Meter:
    """Tokens of one answer, over the several times the engine is asked for it."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0

    def add(self, completion: Completion) -> None:
        if not self.input_tokens:
            self.input_tokens = completion.prompt_tokens
            self.cache_read_tokens = completion.cached_tokens
        self.output_tokens += completion.output_tokens

    def usage(self) -> dict[str, int] | None:
        return vars(self).copy() if self.input_tokens else None


class Answerer:
    """Answers requests one at a time in one slot of the engine."""

    def __init__(self, engine: Engine, slot: int, is_canceled: Callable[[], bool]) -> None:
        self._engine = engine
        self._slot = slot
        self._is_canceled = is_canceled

    def answer(self, request: dict[str, Any]) -> bytes:
        """The result line. Raises ``Canceled``."""
        unreadable = prompts.unreadable(request)
        if unreadable is not None:
            return lines.failed(request, Reason.ERRORED, _no_text(unreadable, request["model"]))
        meter = _Meter()
        try:
            task = prompts.task_of(request)
            prompt = self._engine.prompt(task.turns)
            if message := self._too_long(prompt):
                return lines.failed(request, Reason.ERRORED, message)
            if task.layout is not None:
                return self._filled(request, task, task.layout, prompt, meter)
            return self._written(request, prompt, meter)
        except EngineError as error:
            words = f"the local engine refused the request: {error}"
            return lines.failed(request, Reason.ERRORED, words, usage=meter.usage())
        except UnfillableError as error:
            return lines.failed(request, Reason.ERRORED, str(error), usage=meter.usage())

    def _too_long(self, prompt: str) -> str | None:
        tokens = self._engine.count(prompt)
        if tokens + _SMALLEST_ANSWER <= self._engine.context:
            return None
        return (
            f"needs {tokens + _SMALLEST_ANSWER:,} tokens, the model's context is {self._engine.context:,}; use a "
            "model with a longer context"
        )

    def _written(self, request: dict[str, Any], prompt: str, meter: _Meter) -> bytes:
        completion = self._engine.complete(
            prompt,
            slot=self._slot,
            max_tokens=request["max_tokens"],
            temperature=request["temperature"] or 0.0,
            schema=None if request["schema"] is None else bounded(request["schema"]),
            is_canceled=self._is_canceled,
        )
        meter.add(completion)
        if completion.truncated:
            return lines.failed(
                request,
                Reason.TRUNCATED,
                f"the answer was cut off after {completion.output_tokens:,} tokens; raise max_tokens "
                f"(now {request['max_tokens']:,}), or use a model with a longer context",
                text=completion.text,
                usage=meter.usage(),
            )
        return lines.succeeded(request, [(completion.text, None)], meter.usage() or {})

    def _filled(
        self, request: dict[str, Any], task: prompts.Task, layout: Node, prompt: str, meter: _Meter
    ) -> bytes:
        def ask(form: str, grammar: str, quoted: bool) -> str:
            left = request["max_tokens"] - meter.output_tokens
            if left < 1:
                raise _OutOfTokensError
            completion = self._engine.complete(
                prompt + form,
                slot=self._slot,
                max_tokens=left if quoted else 1,
                temperature=request["temperature"] or 0.0,
                grammar=grammar,
                stop='"' if quoted else None,
                is_canceled=self._is_canceled,
            )
            meter.add(completion)
            if quoted and completion.truncated:
                raise _OutOfTokensError
            return completion.text

        pieces: list[Piece] = []
        try:
            pieces.extend(Filler(task.reading, task.shapes, ask).fill(layout))
        except _OutOfTokensError:
            words = f"the answer was cut off; raise max_tokens (now {request['max_tokens']:,})"
            text = "".join(piece.text for piece in pieces)
            return lines.failed(request, Reason.TRUNCATED, words, text=text, usage=meter.usage())
        return lines.succeeded(request, _blocks(pieces, task.reading), meter.usage() or {})


def _no_text(name: str, model: str) -> str:
    return (
        f"{name!r} has no text layer; local/{model} reads text only; use a model that sees pages, for example "
        "claude-haiku-5-5"
    )


def _blocks(pieces: Sequence[Piece], reading: Reading) -> list[tuple[str, dict[str, Any] | None]]:
    """Pieces without a place are joined; each with one is a block of its own, with its citation."""
    blocks: list[tuple[str, dict[str, Any] | None]] = []
    for piece in pieces:
        cited = _cited(piece, reading)
        if cited is None and blocks and blocks[-1][1] is None:
            blocks[-1] = (blocks[-1][0] + piece.text, None)
        else:
            blocks.append((piece.text, cited))
    return blocks


def _cited(piece: Piece, reading: Reading) -> dict[str, Any] | None:
    if piece.place is None:
        return None
    passage = reading.passage_at(piece.place)
    return {
        "cited_text": reading.as_written(piece.place),
        "document_index": passage.document_index,
        "document_title": passage.name,
        "page": passage.page,
        "start_char": piece.place.start - passage.start,
        "end_char": piece.place.end - passage.start,
    }
