"""What the real server refuses in ``params``: in a batch hours later, as an errored result.

Reference: providers.md 1.1, 1.4, 1.5 and 1.6. Messages are the recorded ones where there is a recording.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.wire import media, tokens
from tests.wire.answers import JsonObject
from tests.wire.models import EFFORTS, MODELS, Model
from tests.wire.schema_rules import SchemaRefusedError, check_schema

SAMPLING = ("temperature", "top_p", "top_k")
STRICT_VERSION = "2026-10-21"

_MAX_BREAKPOINTS = 4
_NOT_IN_BATCHES = ("stream", "speed", "store", "previous_thread_event_id", "cache_hint", "context_hint")
_KNOWN = {
    "model", "max_tokens", "messages", "system", "tools", "tool_choice", "output_config", "thinking", "metadata",
    "stop_sequences", "service_tier", "cache_control", "inference_geo", "container", "temperature",
    "top_p", "top_k", "stream",
}  # fmt: skip
_BLOCKS = {"text", "image", "document", "thinking", "redacted_thinking", "tool_use", "tool_result", "search_result"}


class RefusedError(ValueError):
    """The request is wrong; ``type`` is the API's error type, the message what it says."""

    def __init__(self, message: str, type_: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.type = type_


def check_params(params: JsonObject, version: str, *, counting: bool = False, in_batch: bool = True) -> None:
    """Raise ``RefusedError`` for the first thing wrong. ``counting``: as count_tokens checks it."""
    try:
        model = _check_model(params.get("model"))
        _check_top_level(params, version, counting=counting, in_batch=in_batch)
        if not counting:
            _check_max_tokens(params.get("max_tokens"), model)
        _check_messages(params, model, version)
        _check_media(params, model)
        _check_citations(params)
        _check_output(params, model)
        _check_length(params, model)
    except (media.BadMediaError, SchemaRefusedError) as error:
        raise RefusedError(str(error)) from error


def _check_model(name: object) -> Model:
    if not isinstance(name, str):
        raise RefusedError("model: Field required")
    model = MODELS.get(name)
    if model is None or model.lifecycle == "retired":
        raise RefusedError(f"model: {name}", "not_found_error")
    return model


def _check_top_level(params: JsonObject, version: str, *, counting: bool, in_batch: bool) -> None:
    for key in _NOT_IN_BATCHES:
        if in_batch and key in params:
            raise RefusedError(f"{key}: Extra inputs are not permitted in batch requests")
    for key in params:
        if key not in _KNOWN or (counting and key == "max_tokens"):
            raise RefusedError(f"{key}: Extra inputs are not permitted")
    for key in SAMPLING:
        if key in params and version >= STRICT_VERSION:
            raise RefusedError(f"{key}: not supported under anthropic-version {version}")
    temperature = params.get("temperature", 1)
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 1:
        raise RefusedError("temperature: range: 0..1")


def _check_max_tokens(value: object, model: Model) -> None:
    if value is None:
        raise RefusedError("max_tokens: Field required")
    if not isinstance(value, int) or value < 1:
        raise RefusedError("max_tokens: Input should be greater than or equal to 1")
    if value > model.max_tokens:
        raise RefusedError(
            f"max_tokens: {value} > {model.max_tokens}, which is the maximum allowed number of output tokens "
            f"for {model.id}"
        )


def _check_messages(params: JsonObject, model: Model, version: str) -> None:
    turns = params.get("messages")
    if not isinstance(turns, list) or not turns:
        raise RefusedError("messages: at least one message is required")
    for index, turn in enumerate(turns):
        if not isinstance(turn, dict) or turn.get("role") not in {"user", "assistant"}:
            raise RefusedError(f"messages.{index}: Input does not match the expected shape.")
        _check_content(f"messages.{index}", turn.get("content"))
    if turns[0]["role"] != "user":
        raise RefusedError("messages: first message must use the user role")
    if turns[-1]["role"] == "assistant" and not model.prefill:
        raise RefusedError(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    if params.get("system"):
        _check_content("system", params["system"])
    if version >= STRICT_VERSION:
        _check_strict(turns)


def _check_content(where: str, content: object) -> None:
    if not content or not isinstance(content, str | list):
        raise RefusedError(f"{where}: all messages must have non-empty content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for index, block in enumerate(content):
        if not isinstance(block, dict) or block.get("type") not in _BLOCKS:
            raise RefusedError(f"{where}.content.{index}: Input does not match the expected shape.")
        if block["type"] == "text" and not isinstance(block.get("text"), str):
            raise RefusedError(f"{where}.content.{index}.text.text: Input should be a valid string")
        if block["type"] == "text" and not block["text"].strip():
            raise RefusedError("messages: text content blocks must contain non-whitespace text")


def _check_strict(turns: list[JsonObject]) -> None:
    for index, turn in enumerate(turns):
        for block in _blocks(turn):
            if turn["role"] == "assistant" and block["type"] == "document":
                raise RefusedError(f"messages.{index}: document blocks are not allowed in assistant messages")
            if turn["role"] == "user" and block["type"] == "text" and block.get("citations"):
                raise RefusedError(f"messages.{index}: citations are not allowed on text blocks in user messages")


def _blocks(turn: JsonObject) -> Iterator[JsonObject]:
    if isinstance(turn["content"], list):
        yield from turn["content"]


def _all_blocks(params: JsonObject, kind: str) -> list[JsonObject]:
    return [block for turn in params["messages"] for block in _blocks(turn) if block["type"] == kind]


def _check_media(params: JsonObject, model: Model) -> None:
    images = _all_blocks(params, "image")
    most = 600 if model.max_input_tokens >= 1_000_000 else 100
    if len(images) > most:
        raise RefusedError(f"Too many images: {len(images)} > {most}")
    for block in images:
        source = _source(block)
        if source.get("type") == "base64":
            media.check_image(source, len(images))
        else:
            _refuse_remote("image", source)
    pages = sum(_check_document(block) for block in _all_blocks(params, "document"))
    if pages > model.max_pages:
        raise RefusedError(f"A maximum of {model.max_pages} PDF pages may be provided.")


def _source(block: JsonObject) -> JsonObject:
    source = block.get("source")
    if not isinstance(source, dict):
        raise RefusedError(f"{block['type']}.source: Field required")
    return source


def _check_document(block: JsonObject) -> int:
    """Pages, if it is a PDF."""
    source = _source(block)
    match source.get("type"), source.get("media_type"):
        case "base64", "application/pdf":
            return media.pdf_pages(source.get("data", ""))
        case "base64", _:
            raise RefusedError("document.source.base64.media_type: Input should be 'application/pdf'")
        case "text", "text/plain":
            if not isinstance(source.get("data"), str) or not source["data"].strip():
                raise RefusedError("document.source.text.data: text must be non-empty")
        case "text", _:
            raise RefusedError("document.source.text.media_type: Input should be 'text/plain'")
        case "content", _:
            _check_content("document.source", source.get("content"))
        case _:
            _refuse_remote("document", source)
    return 0


def _refuse_remote(kind: str, source: JsonObject) -> None:
    if source.get("type") == "file":
        raise RefusedError(f"File not found: {source.get('file_id')}", "not_found_error")
    if source.get("type") == "url":
        raise RefusedError("Unable to download the file. Please verify the URL and try again.")
    raise RefusedError(f"{kind}.source: Input does not match the expected shape.")


def _check_citations(params: JsonObject) -> None:
    enabled = [
        bool((block.get("citations") or {}).get("enabled"))
        for kind in ("document", "search_result")
        for block in _all_blocks(params, kind)
    ]
    if any(enabled) and not all(enabled):
        raise RefusedError("citations: must be enabled on all documents or on none")
    if any(enabled) and (params.get("output_config") or {}).get("format"):
        raise RefusedError("output_config.format: citations are not supported together with output formats")


def _check_output(params: JsonObject, model: Model) -> None:
    config = params.get("output_config") or {}
    if config.get("effort") not in {None, *EFFORTS}:
        raise RefusedError(
            f"This model does not support effort level {config['effort']!r}. "
            f"Supported levels: {', '.join(EFFORTS)}."
        )
    if config.keys() - {"effort", "format"}:
        raise RefusedError("output_config: Extra inputs are not permitted")
    output_format = config.get("format")
    if output_format is not None:
        if output_format.get("type") != "json_schema":
            raise RefusedError("output_config.format.type: Input should be 'json_schema'")
        check_schema(output_format.get("schema"))
    thinking = (params.get("thinking") or {}).get("type")
    if thinking is not None and thinking not in model.thinking:
        raise RefusedError(f"thinking.type: {thinking!r} is not supported by {model.id}")
    if (params.get("tool_choice") or {}).get("type") in {"any", "tool"} and not model.forced_tools:
        raise RefusedError(f"tool_choice: forced tool use is not supported by {model.id}")


def _check_length(params: JsonObject, model: Model) -> None:
    prompt = tokens.segments(params)
    marks = sum(segment.ttl is not None for segment in prompt)
    if marks > _MAX_BREAKPOINTS:
        raise RefusedError(f"A maximum of 4 blocks with cache_control may be provided. Found {marks}.")
    total = sum(segment.tokens for segment in prompt)
    if total > model.max_input_tokens:
        raise RefusedError(f"prompt is too long: {total} tokens > {model.max_input_tokens} maximum")
