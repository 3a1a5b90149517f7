"""The local engine's wire: a request as a line of JSON, and a result line as an outcome. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from batchata.types import (
    Citation,
    Document,
    Failed,
    Outcome,
    Part,
    Reason,
    Request,
    Succeeded,
    TextBlock,
    TextPart,
    Usage,
)

SERVICE_TIER = "local"


def encode(request: Request) -> bytes:
    """One request. Documents go as text; those without any are named, and fail their own request only."""
    indexes = _Indexes()
    body = {
        "custom_id": request.custom_id,
        "model": request.model,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "system": request.system,
        "schema": request.schema,
        "citations": request.citations,
        "examples": [
            {"parts": indexes.parts(example.parts), "output": example.output} for example in request.examples
        ],
        "messages": [{"role": message.role, "parts": indexes.parts(message.parts)} for message in request.messages],
    }
    return json.dumps(body, ensure_ascii=False).encode()


class _Indexes:
    """Numbers the documents as citations count them: in the model's order, pictures left out."""

    def __init__(self) -> None:
        self._next = 0

    def parts(self, parts: Sequence[Part]) -> list[dict[str, Any]]:
        return [self._part(part) for part in parts]

    def _part(self, part: Part) -> dict[str, Any]:
        if isinstance(part, TextPart):
            return {"type": "text", "text": part.text}
        document = part.document
        if document.kind.is_image:
            return {"type": "unreadable", "name": document.name}
        index, self._next = self._next, self._next + 1
        pages = _pages(document)
        if not any(page.strip() for page in pages):
            return {"type": "unreadable", "name": document.name}
        return {
            "type": "document",
            "name": document.name,
            "index": index,
            "paged": document.pages is not None,
            "pages": pages,
        }


def _pages(document: Document) -> list[str]:
    if document.pages is not None:
        return list(document.pages)
    return [] if document.text is None else [document.text]


def succeeded(
    request: dict[str, Any], blocks: Iterable[tuple[str, dict[str, Any] | None]], usage: dict[str, int]
) -> bytes:
    """A result line with an answer."""
    return _line(
        "succeeded",
        request,
        blocks=[{"text": text, "citations": [cited] if cited else []} for text, cited in blocks],
        usage=usage,
    )


def failed(
    request: dict[str, Any],
    reason: Reason,
    message: str,
    *,
    text: str | None = None,
    usage: dict[str, int] | None = None,
    retryable: bool = False,
) -> bytes:
    """A result line without a usable answer."""
    kind = "canceled" if reason is Reason.CANCELED else "errored"
    return _line(kind, request, reason=reason, message=message, text=text, usage=usage, retryable=retryable)


def _line(kind: str, request: dict[str, Any], **rest: object) -> bytes:
    # The kind stands first, so that counting needs no parsing.
    body = {"type": kind, "custom_id": request["custom_id"], "model": request["model"], **rest}
    return json.dumps(body, ensure_ascii=False).encode()


def decode(entry: bytes) -> Outcome:
    """A result line as an outcome. Raises ``ValueError`` for what is none."""
    try:
        return _outcome(json.loads(entry))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a result line of the local engine: {entry[:80]!r}") from error


def _outcome(body: dict[str, Any]) -> Outcome:
    custom_id, model = body["custom_id"], body["model"]
    usage = None if body["usage"] is None else Usage(**body["usage"], service_tier=SERVICE_TIER)
    if body["type"] == "succeeded":
        blocks = tuple(
            TextBlock(block["text"], tuple(_citation(raw) for raw in block["citations"]))
            for block in body["blocks"]
        )
        return Succeeded(custom_id, blocks, usage, model)
    return Failed(
        custom_id,
        Reason(body["reason"]),
        body["message"],
        text=body["text"],
        usage=usage,
        model=model,
        retryable=body["retryable"],
        is_billed=usage is not None,
    )


def _citation(raw: dict[str, Any]) -> Citation:
    return Citation(
        cited_text=raw["cited_text"],
        document_index=raw["document_index"],
        document_title=raw["document_title"],
        start_page=raw["page"],
        end_page=raw["page"],
        start_char=raw["start_char"],
        end_char=raw["end_char"],
        raw=raw,
    )
