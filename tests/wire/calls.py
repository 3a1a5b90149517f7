"""Short ways to call the server through the SDK, for the tests of the server itself."""

from __future__ import annotations

import base64
from typing import Any

import anthropic
from anthropic.types.messages import MessageBatch

from tests.wire.answers import JsonObject


def params(text: str = "Hello", **more: Any) -> Any:
    return {
        "model": "claude-haiku-5-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def create(client: anthropic.Anthropic, *requests: Any) -> MessageBatch:
    entries = [{"custom_id": f"item-{index}", "params": request} for index, request in enumerate(requests)]
    return client.messages.batches.create(requests=entries)  # type: ignore[arg-type]  # plain dicts, as on the wire


def results(client: anthropic.Anthropic, batch: MessageBatch) -> dict[str, Any]:
    client.messages.batches.retrieve(batch.id)
    return {entry.custom_id: entry.result for entry in client.messages.batches.results(batch.id)}


def one_result(client: anthropic.Anthropic, request: Any) -> Any:
    return results(client, create(client, request))["item-0"]


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ONE_PAGE_PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj <</Type /Page>> endobj\n").decode()


def content(*blocks: JsonObject) -> JsonObject:
    return {"messages": [{"role": "user", "content": [*blocks, {"type": "text", "text": "Read it."}]}]}


def pdf(**more: Any) -> JsonObject:
    source = {"type": "base64", "media_type": "application/pdf", "data": ONE_PAGE_PDF}
    return {"type": "document", "source": source, **more}


def text_document(**more: Any) -> JsonObject:
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Total 12."}, **more}


def image(data: str, media_type: str = "image/png") -> JsonObject:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def schema(**properties: Any) -> JsonObject:
    document = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"output_config": {"format": {"type": "json_schema", "schema": document}}}
