"""A request as one line of Mistral's batch file. Pure."""

from __future__ import annotations

import json

from batchata.providers.chat.encode import chat_body
from batchata.providers.texts import dumped
from batchata.types import Request

_AFTER_MODEL = b',"custom_id":'


def encode(request: Request) -> bytes:
    """``{"model", "custom_id", "body"}``; Mistral wants the model at the job alone, where ``split`` puts it."""
    body = chat_body(request, "Mistral")
    model = body.pop("model")
    return dumped({"model": model, "custom_id": request.custom_id, "body": body}, request.custom_id)


def split(entry: bytes) -> tuple[str, bytes]:
    """The model, and the line as Mistral takes it. Nothing is parsed: a line may be megabytes long."""
    model, _, rest = entry.partition(_AFTER_MODEL)
    return json.loads(model + b"}")["model"], b"{" + _AFTER_MODEL[1:] + rest
