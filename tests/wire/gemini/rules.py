"""What the real server refuses in a ``GenerateContentRequest``, and how many tokens it is.

Fields: the REST reference as the SDK 3.4 writes it; schema words, sizes and tokens of a page: providers.md 3.3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import orjson

from tests.wire import media, tokens
from tests.wire.answers import JsonObject
from tests.wire.gemini.models import Model

PAGE_TOKENS = 258
IMAGE_TOKENS = 258
_MAX_PDF_BYTES = 50_000_000
_MAX_PDF_PAGES = 1_000
_HOTTEST = 2

_REQUEST = {
    "model", "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig",
    "cachedContent", "labels", "serviceTier", "continuationToken", "store",
}  # fmt: skip
_CONTENT = {"parts", "role"}
_PART = {
    "text", "inlineData", "fileData", "thought", "thoughtSignature", "functionCall", "functionResponse",
    "executableCode", "codeExecutionResult", "videoMetadata", "mediaResolution", "toolCall", "toolResponse",
    "partMetadata",
}  # fmt: skip
_GENERATION = {
    "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "responseLogprobs",
    "logprobs", "presencePenalty", "frequencyPenalty", "seed", "responseMimeType", "responseSchema",
    "responseJsonSchema", "responseModalities", "mediaResolution", "speechConfig", "thinkingConfig", "imageConfig",
    "enableEnhancedCivicAnswers", "audioTranscriptionConfig",
}  # fmt: skip
_SCHEMA = {
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems",
    "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required",
    "propertyOrdering",
}  # fmt: skip
_NOT_OURS = {"responseJsonSchema", "metadata"}
"""Whose keys are the caller's."""
_IMAGES = {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}
_PDF = "application/pdf"


class RefusedError(ValueError):
    """The request is wrong; the message is what the API says."""


def check_fields(value: object, known: set[str], where: str) -> JsonObject:
    """The value as an object that has no other fields."""
    if not isinstance(value, dict):
        raise RefusedError(f"Invalid value at '{where}': not an object")
    for name in value:
        if name not in known:
            raise RefusedError(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
            )
    return value


def check_shape(request: object, where: str = "request") -> None:
    """What is wrong with the JSON itself, which the API sees before anything else."""
    body = check_fields(request, _REQUEST, where)
    contents = body.get("contents")
    if not isinstance(contents, list):
        raise RefusedError(f"Invalid value at '{where}.contents': not a list")
    check_fields(body.get("generationConfig", {}), _GENERATION, f"{where}.generation_config")
    for content in [*contents, body.get("systemInstruction", {"parts": []})]:
        parts = check_fields(content, _CONTENT, f"{where}.contents").get("parts")
        if not isinstance(parts, list):
            raise RefusedError(f"Invalid value at '{where}.contents.parts': not a list")
        for each in parts:
            part = check_fields(each, _PART, f"{where}.contents.parts")
            check_fields(part.get("inlineData", {}), {"mimeType", "data"}, f"{where}.contents.parts.inline_data")


def check_request(request: JsonObject, model: Model) -> None:
    """What the model makes of it."""
    try:
        _check_contents(request)
        _check_generation(request.get("generationConfig") or {}, model)
        total = count(request)
    except media.BadMediaError as error:
        raise RefusedError(str(error)) from error
    if total > model.input_limit:
        raise RefusedError(
            f"The input token count ({total}) exceeds the maximum number of tokens allowed ({model.input_limit})."
        )


def _check_contents(request: JsonObject) -> None:
    if not request["contents"]:
        raise RefusedError("* GenerateContentRequest.contents: contents is not specified")
    for turn in request["contents"]:
        if turn.get("role", "user") not in {"user", "model"}:
            raise RefusedError("Please use a valid role: user, model.")
        if not turn["parts"]:
            raise RefusedError("* GenerateContentRequest.contents.parts: must include at least one parts field")
    for part in _parts(request):
        if not part.keys() & {"text", "inlineData", "fileData", "functionCall", "functionResponse"}:
            raise RefusedError("* GenerateContentRequest.contents.parts.data: required oneof field must be set")
        if "inlineData" in part:
            _check_blob(part["inlineData"])


def _check_blob(blob: JsonObject) -> None:
    kind, data = blob.get("mimeType"), str(blob.get("data") or "")
    if kind == _PDF:
        if len(media.decode(data)) > _MAX_PDF_BYTES:
            raise RefusedError("The document exceeds the supported size of 50 MB.")
        pages = media.pdf_pages(data)
        if pages > _MAX_PDF_PAGES:
            raise RefusedError(
                f"The document contains {pages} pages which exceeds the supported page limit of 1000."
            )
    elif kind in _IMAGES:
        media.image_tokens(data)
    elif not str(kind).startswith("text/"):
        raise RefusedError(f"Unsupported MIME type: {kind}")


def _check_generation(config: JsonObject, model: Model) -> None:
    most = config.get("maxOutputTokens", 1)
    if not isinstance(most, int) or not 1 <= most <= model.output_limit:
        raise RefusedError(
            f"Unable to submit request because it has a maxOutputTokens value of {most} but the supported range is "
            f"from 1 (inclusive) to {model.output_limit + 1} (exclusive). Update the value and try again."
        )
    temperature = config.get("temperature", 1)
    if not isinstance(temperature, int | float) or not 0 <= temperature <= _HOTTEST:
        raise RefusedError(
            f"* GenerateContentRequest.generation_config.temperature: {temperature} is not in [0, 2]"
        )
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if len(schemas) > 1:
        raise RefusedError("Only one of response_schema and response_json_schema may be set.")
    if schemas and config.get("responseMimeType") != "application/json":
        raise RefusedError("Function calling with a response mime type other than JSON: response schema needs JSON")
    if "responseJsonSchema" in config:
        check_schema(config["responseJsonSchema"])


def check_schema(schema: object) -> None:
    """Only the words of the documented subset, and only references that lead somewhere."""
    if not isinstance(schema, dict):
        raise RefusedError("response_json_schema: must be an object")
    definitions = schema.get("$defs", {})
    for node in _nodes(schema):
        check_fields(node, _SCHEMA, "generation_config.response_json_schema")
        for value in node.get("enum", ()):
            if not isinstance(value, str | int | float):
                raise RefusedError(f"response_json_schema.enum: {value!r} is neither a string nor a number")
        name = node.get("$ref", "#").removeprefix("#/$defs/")
        if name not in {"#", *definitions}:
            raise RefusedError(f"response_json_schema: reference to undefined schema {node['$ref']}")


def _nodes(schema: JsonObject) -> Iterator[JsonObject]:
    yield schema
    below: list[Any] = [
        *schema.get("$defs", {}).values(),
        *schema.get("properties", {}).values(),
        *(schema.get(key, ()) for key in ("items", "additionalProperties")),
        *(each for key in ("anyOf", "oneOf", "prefixItems") for each in schema.get(key, ())),
    ]
    for node in below:
        if isinstance(node, dict):
            yield from _nodes(node)


def normal(value: Any) -> Any:
    """One spelling: JSON of protocol buffers takes ``mime_type`` for ``mimeType``, and both alphabets of base64."""
    if isinstance(value, list):
        return [normal(each) for each in value]
    if not isinstance(value, dict):
        return value
    found: JsonObject = {}
    for key, below in value.items():
        name = re.sub("_([a-z])", lambda match: match[1].upper(), key)
        found[name] = below if name in _NOT_OURS else normal(below)
    if found.keys() == {"mimeType", "data"} and isinstance(found["data"], str):
        found["data"] = found["data"].replace("-", "+").replace("_", "/")
    return found


def count(request: JsonObject) -> int:
    """Tokens of the prompt; never 0."""
    total = sum(map(_part_tokens, _parts(request)))
    schema = (request.get("generationConfig") or {}).get("responseJsonSchema")
    if schema is not None:
        total += math.ceil(len(orjson.dumps(schema)) / tokens.BYTES_PER_TOKEN)
    return max(1, total)


def _parts(request: JsonObject) -> Iterator[JsonObject]:
    yield from request.get("systemInstruction", {}).get("parts", ())
    for turn in request["contents"]:
        yield from turn["parts"]


def _part_tokens(part: JsonObject) -> int:
    if "text" in part:
        return tokens.text_tokens(part["text"])
    blob = part.get("inlineData") or {}
    if blob.get("mimeType") == _PDF:
        return media.pdf_pages(blob["data"]) * PAGE_TOKENS
    return IMAGE_TOKENS
