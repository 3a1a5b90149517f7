"""What the server refuses in a request, hours later, and what it lets through."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import anthropic
import pytest
from pydantic import BaseModel, Field

from tests.wire.answers import JsonObject
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.calls import PNG, content, image, one_result, params, pdf, results, schema, text_document

CITED = {"citations": {"enabled": True}}
HUGE_PNG = base64.b64encode(
    base64.b64decode(PNG)[:16] + (8001).to_bytes(4, "big") + (10).to_bytes(4, "big") + b"rest"
).decode()
NODE = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
    "required": ["next"],
    "additionalProperties": False,
}
RECURSIVE = {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"temperature": 1}, "temperature: not supported"),
        ({"top_p": 0.5}, "top_p: not supported"),
        ({"top_k": 5}, "top_k: not supported"),
        ({"stream": False}, "stream: Extra inputs are not permitted in batch requests"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 64_001}, "max_tokens: 64001 > 64000"),
        ({"wishes": 3}, "wishes: Extra inputs are not permitted"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
        ({"messages": [{"role": "user", "content": []}]}, "non-empty content"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "non-whitespace"),
        ({"messages": [{"role": "system", "content": "Hi"}]}, "messages.0: Input does not match"),
        (
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "{"}]},
            "does not support assistant message prefill",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": [text_document()]},
                    {"role": "user", "content": "Hi"},
                ]
            },
            "document blocks are not allowed in assistant messages",
        ),
        (content(text_document(**CITED), text_document()), "citations: must be enabled on all documents"),
        ({**content(text_document(**CITED)), **schema(a={"type": "string"})}, "not supported together"),
        (content({**pdf(), "source": {**pdf()["source"], "data": "AAAA"}}), "The PDF specified was not valid"),
        (content({**pdf(), "source": {**pdf()["source"], "data": "?"}}), "Invalid base64"),
        (
            content({"type": "document", "source": {"type": "text", "media_type": "text/csv", "data": "a"}}),
            "text/plain",
        ),
        (content(image(HUGE_PNG)), "exceed max allowed size: 8000 pixels"),
        (content(image("QUJD" * 4_000_000)), "image exceeds 10 MB maximum"),
        (content(image(PNG, "image/jpeg")), "does not match the provided media type image/jpeg"),
        (content(image(PNG, "image/tiff")), "media_type: Input should be"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking.type: 'enabled'"),
        ({"output_config": {"effort": "huge"}}, "does not support effort level 'huge'"),
        (schema(a={"type": "integer", "minimum": 0}), "property 'minimum' is not supported"),
        (schema(a={"type": "string", "maxLength": 3}), "property 'maxLength' is not supported"),
        (schema(a={"type": "array", "items": {"type": "string"}, "minItems": 2}), "'minItems' values other than"),
        (schema(a={"type": "string", "format": "decimal"}), "string format 'decimal' is not supported"),
        (schema(a={"type": "object", "properties": {}}), "'additionalProperties' must be explicitly set to false"),
        (schema(a={"oneOf": [{"type": "string"}]}), "no type, anyOf, allOf, enum or const"),
        (schema(a={"$ref": "#/$defs/Nowhere"}), "Invalid \\$ref"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": RECURSIVE}}},
            "Circular reference detected",
        ),
    ],
)
def test_a_bad_request_is_errored_hours_later(
    client: anthropic.Anthropic, anthropic_server: AnthropicServer, more: JsonObject, message: str
) -> None:
    result = one_result(client, {key: value for key, value in params(**more).items() if value is not None})
    assert result.type == "errored"
    assert result.error.error.type == "invalid_request_error"
    with pytest.raises(ValueError, match=message):
        raise ValueError(result.error.error.message)
    assert anthropic_server.ledger.billed == []


@pytest.mark.parametrize("model", ["claude-sonet-5-5", "claude-3-haiku-20240307"])
def test_an_unknown_or_retired_model_is_errored(client: anthropic.Anthropic, model: str) -> None:
    error = one_result(client, params(model=model)).error.error
    assert (error.type, error.message) == ("not_found_error", f"model: {model}")


@pytest.mark.parametrize(
    "more",
    [
        content(pdf(**CITED), text_document(**CITED)),
        content(image(PNG)),
        schema(a={"type": "string", "format": "date"}, b={"anyOf": [{"type": "number"}, {"type": "null"}]}),
        schema(a={"enum": ["x", "y"]}, b={"const": 1}),
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        {"system": [{"type": "text", "text": "Be brief."}], "stop_sequences": ["x"]},
    ],
)
def test_a_right_request_succeeds(client: anthropic.Anthropic, more: JsonObject) -> None:
    assert one_result(client, params(**more)).type == "succeeded"


def test_temperature_under_the_older_version(client: anthropic.Anthropic) -> None:
    request: Any = {"custom_id": "a", "params": params(temperature=0)}
    older = {"anthropic-version": "2023-06-01"}
    batch = client.messages.batches.create(requests=[request], extra_headers=older)
    assert results(client, batch)["a"].type == "succeeded"


class Line(BaseModel):
    text: str = Field(max_length=80)
    amount: Decimal
    kind: Literal["goods", "service"]


class Invoice(BaseModel):
    number: str = Field(pattern="^[A-Z]")
    issued: date
    due: date | None
    lines: list[Line] = Field(min_length=2)
    party: Line | None
    notes: dict[str, str] | None = None


def test_a_schema_as_the_sdk_fits_it_passes_and_the_raw_one_does_not(client: anthropic.Anthropic) -> None:
    fitted = anthropic.transform_schema(Invoice)
    assert one_result(client, params(**with_schema(fitted))).type == "succeeded"
    raw = one_result(client, params(**with_schema(Invoice.model_json_schema())))
    assert raw.error.error.type == "invalid_request_error"


def with_schema(document: JsonObject) -> JsonObject:
    return {"output_config": {"format": {"type": "json_schema", "schema": document}}}
