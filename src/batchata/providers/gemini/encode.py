"""A request as one line of Gemini's batch file. Pure."""

from __future__ import annotations

from batchata.errors import LimitError, UnsupportedArgumentError
from batchata.providers.texts import base64_text, check, dumped, shown
from batchata.types import Document, DocumentKind, DocumentPart, JsonObject, Part, Request, TextPart

MAX_PDF_BYTES = 50_000_000
_HOTTEST = 2.0


def encode(request: Request) -> bytes:
    """``{"key", "request"}``, the request being a ``GenerateContentRequest`` as the REST API spells it."""
    return dumped({"key": request.custom_id, "request": body_of(request)}, request.custom_id)


def body_of(request: Request) -> JsonObject:
    """The request with its model, for a job has one model and ``submit`` is given the lines alone."""
    _check(request)
    body: JsonObject = {"model": model_path(request.model), "contents": _turns(request)}
    if request.system is not None:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    generation: JsonObject = {"maxOutputTokens": request.max_tokens}
    if request.temperature is not None:
        generation["temperature"] = request.temperature
    if request.schema is not None:
        generation |= {"responseMimeType": "application/json", "responseJsonSchema": request.schema}
    body["generationConfig"] = generation
    return body


def model_path(model: str) -> str:
    """The model as a resource: ``models/NAME``; tuned ones come with their own path."""
    return model if "/" in model else f"models/{model}"


def _check(request: Request) -> None:
    check(request, "Gemini")
    if request.temperature is not None and not 0 <= request.temperature <= _HOTTEST:
        raise UnsupportedArgumentError(f"Gemini takes 'temperature' from 0 to 2, got {request.temperature}.")
    for document in request.documents:
        if document.kind is DocumentKind.GIF:
            raise UnsupportedArgumentError(
                f"Gemini takes no GIF images ({document.name!r}). Convert it to PNG, JPEG or WebP."
            )
        if document.kind is DocumentKind.PDF and len(document.data) > MAX_PDF_BYTES:
            raise LimitError(
                f"{document.name!r} is {len(document.data):,} bytes; Gemini takes PDFs of {MAX_PDF_BYTES:,}. Split it."
            )


def _turns(request: Request) -> list[JsonObject]:
    turns: list[JsonObject] = []
    for example in request.examples:
        turns.append({"role": "user", "parts": [_part(part) for part in example.parts]})
        turns.append({"role": "model", "parts": [{"text": example.output}]})
    for message in request.messages:
        role = "user" if message.role == "user" else "model"
        turns.append({"role": role, "parts": [_part(part) for part in message.parts]})
    return turns


def _part(part: Part) -> JsonObject:
    match part:
        case TextPart(text=text):
            return {"text": text}
        case DocumentPart(document=document) if document.kind.is_image or document.kind is DocumentKind.PDF:
            return _inline(document)
        case DocumentPart(document=document, title=title):
            return {"text": shown(document, title)}


def _inline(document: Document) -> JsonObject:
    return {"inlineData": {"mimeType": document.media_type, "data": base64_text(document)}}
