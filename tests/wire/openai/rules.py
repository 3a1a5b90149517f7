"""What OpenAI refuses in a request: unknown fields, broken strict schemas, what a model cannot take."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from tests.wire import answers
from tests.wire.answers import JsonObject
from tests.wire.faults import Errored

RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
ENDPOINTS = (RESPONSES, CHAT)
MODELS = ("gpt-6-luna", "gpt-6-sol", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-5.6-luna", "gpt-4.1")
_TAKES_TEMPERATURE = ("gpt-4.1",)
_LEAST_OUTPUT_TOKENS = 16
_FORBIDDEN = {
    *("allOf", "not", "if", "then", "else", "oneOf", "dependentRequired", "dependentSchemas", "prefixItems"),
    *("patternProperties", "propertyNames", "unevaluatedProperties", "uniqueItems", "minLength", "maxLength"),
    *("default", "minProperties", "maxProperties", "contains"),
}


@cache
def _type_of(endpoint: str) -> TypeAdapter[Any]:
    """The SDK's own type of a call's arguments, in which no field may be that it does not name."""
    params: Any = ResponseCreateParamsNonStreaming if endpoint == RESPONSES else CompletionCreateParamsNonStreaming
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(params))


def refused(body: JsonObject, endpoint: str) -> Errored | None:
    """The first thing that is wrong with a request."""
    for problem in _problems(body, endpoint):
        return Errored("invalid_request_error", problem)
    return None


def _problems(body: JsonObject, endpoint: str) -> Iterator[str]:
    try:
        _type_of(endpoint).validate_python(body)
    except ValidationError as error:
        yield f"Invalid request: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}"
    if body.get("temperature") not in {None, 1} and body["model"] not in _TAKES_TEMPERATURE:
        yield "Unsupported parameter: 'temperature' is not supported with this model."
    if endpoint == RESPONSES and body.get("max_output_tokens", _LEAST_OUTPUT_TOKENS) < _LEAST_OUTPUT_TOKENS:
        yield "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16."
    schema = answers.schema_of(body)
    if schema is not None:
        name = "text.format.schema" if endpoint == RESPONSES else "response_format"
        for problem in schema_problems(schema):
            yield f"Invalid schema for {name}: {problem}"


def schema_problems(schema: JsonObject) -> Iterator[str]:
    """What strict mode refuses in a schema."""
    if schema.get("type") != "object" or "anyOf" in schema:
        yield "schema must be a JSON Schema of 'type: \"object\"'"
    yield from _node_problems(schema, "()")


def _node_problems(node: Any, where: str) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"In context={where}, a schema must be an object"
        return
    for key in sorted(_FORBIDDEN & node.keys()):
        yield f"In context={where}, {key!r} is not permitted"
    if "$ref" in node and len(node) > 1:
        yield f"In context={where}, $ref cannot have keywords {sorted(node.keys() - {'$ref'})}"
    if node.get("type") == "object":
        properties = node.get("properties", {})
        if node.get("additionalProperties") is not False:
            yield f"In context={where}, 'additionalProperties' is required to be supplied and to be false"
        if sorted(node.get("required", [])) != sorted(properties):
            yield f"In context={where}, 'required' is required to be an array including every key in properties"
    for name, each in [*node.get("properties", {}).items(), *node.get("$defs", {}).items()]:
        yield from _node_problems(each, f"{where}.{name}")
    for each in node.get("anyOf", []):
        yield from _node_problems(each, f"{where}.anyOf")
    if "items" in node:
        yield from _node_problems(node["items"], f"{where}.items")
