"""A request as one line of OpenAI's batch file, for the Responses API. Pure."""

from __future__ import annotations

from batchata.errors import UnsupportedArgumentError
from batchata.providers.chat.encode import SCHEMA_NAME
from batchata.providers.texts import check, data_uri, dumped, shown
from batchata.types import DocumentKind, DocumentPart, JsonObject, Part, Request, TextPart

ENDPOINT = "/v1/responses"
_LEAST_OUTPUT_TOKENS = 16
_TAKES_TEMPERATURE = ("gpt-3.5", "gpt-4", "chatgpt-4", "ft:gpt-3.5", "ft:gpt-4")
"""All later models reason, and refuse any temperature but their own."""


def encode(request: Request) -> bytes:
    """``{"custom_id", "method", "url", "body"}``."""
    line: JsonObject = {"custom_id": request.custom_id, "method": "POST", "url": ENDPOINT, "body": body_of(request)}
    return dumped(line, request.custom_id)


def body_of(request: Request) -> JsonObject:
    """The body of a call of the Responses API. Nothing of it is stored at OpenAI beside the batch's own files."""
    _check(request)
    turns: list[JsonObject] = []
    for example in request.examples:
        turns.append({"role": "user", "content": [_block(part) for part in example.parts]})
        turns.append({"role": "assistant", "content": example.output})
    turns += [{"role": each.role, "content": _content(each.role, each.parts)} for each in request.messages]
    body: JsonObject = {
        "model": request.model,
        "input": turns,
        "max_output_tokens": request.max_tokens,
        "store": False,
    }
    if request.system is not None:
        body["instructions"] = request.system
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.schema is not None:
        form = {"type": "json_schema", "name": SCHEMA_NAME, "schema": request.schema, "strict": True}
        body["text"] = {"format": form}
    return body


def _check(request: Request) -> None:
    check(request, "OpenAI")
    if request.temperature is not None and not request.model.startswith(_TAKES_TEMPERATURE):
        raise UnsupportedArgumentError(
            f"OpenAI's reasoning models refuse 'temperature' (asked of {request.model!r}). Leave it out; to vary "
            f"answers, vary the prompt."
        )
    if request.max_tokens < _LEAST_OUTPUT_TOKENS:
        raise UnsupportedArgumentError(
            f"OpenAI takes 'max_tokens' from {_LEAST_OUTPUT_TOKENS} on, got {request.max_tokens}."
        )


def _content(role: str, parts: tuple[Part, ...]) -> str | list[JsonObject]:
    if role == "assistant":  # what is an input for a user is an output for an assistant; a string is both
        return "\n\n".join(part.text if isinstance(part, TextPart) else shown(part.document) for part in parts)
    return [_block(part) for part in parts]


def _block(part: Part) -> JsonObject:
    match part:
        case TextPart(text=text):
            return {"type": "input_text", "text": text}
        case DocumentPart(document=document) if document.kind.is_image:
            return {"type": "input_image", "image_url": data_uri(document), "detail": "auto"}
        case DocumentPart(document=document, title=title) if document.kind is DocumentKind.PDF:
            name = document.name if title is None else title
            return {"type": "input_file", "filename": name, "file_data": data_uri(document)}
        case DocumentPart(document=document, title=title):
            return {"type": "input_text", "text": shown(document, title)}
