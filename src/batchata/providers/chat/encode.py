"""A request as the body of a chat completion. Pure."""

from __future__ import annotations

from batchata.providers.texts import check, data_uri, shown
from batchata.types import DocumentPart, JsonObject, Part, Request, TextPart

SCHEMA_NAME = "answer"


def chat_body(request: Request, provider: str) -> JsonObject:
    """Documents as text, images as data; a turn without images is a plain string, which every server takes.

    Raises ``ArgumentError`` (one of its kinds) for what ``provider`` cannot take.
    """
    check(request, provider)
    messages: list[JsonObject] = []
    if request.system is not None:
        messages.append({"role": "system", "content": request.system})
    for example in request.examples:
        messages.append({"role": "user", "content": _content(example.parts)})
        messages.append({"role": "assistant", "content": example.output})
    messages += [{"role": message.role, "content": _content(message.parts)} for message in request.messages]
    body: JsonObject = {"model": request.model, "messages": messages, "max_tokens": request.max_tokens}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.schema is not None:
        form = {"name": SCHEMA_NAME, "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def _content(parts: tuple[Part, ...]) -> str | list[JsonObject]:
    blocks = [_block(part) for part in parts]
    if all("text" in block for block in blocks):
        return "\n\n".join(str(block["text"]) for block in blocks)
    return blocks


def _block(part: Part) -> JsonObject:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
        case DocumentPart(document=document) if document.kind.is_image:
            return {"type": "image_url", "image_url": {"url": data_uri(document)}}
        case DocumentPart(document=document, title=title):
            return {"type": "text", "text": shown(document, title)}
