"""OpenAI's encode and decode, and those of servers that follow it: dicts in, dicts out, and every recorded answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from batchata.errors import ConversationError, DocumentError, ProviderError, UnsupportedArgumentError
from batchata.providers.chat.encode import chat_body
from batchata.providers.openai.decode import decode
from batchata.providers.openai.encode import encode
from batchata.providers.openai.snapshots import snapshot
from batchata.types import (
    Document,
    DocumentKind,
    DocumentPart,
    Example,
    Failed,
    JobState,
    Message,
    Reason,
    Request,
    RequestCounts,
    Succeeded,
    TextBlock,
    TextPart,
    Usage,
)

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "data" / "recordings"

PDF = Document("a.pdf", DocumentKind.PDF, "application/pdf", b"%PDF-1", pages=("Total 12", " "), page_count=2)
SCAN = Document("s.pdf", DocumentKind.PDF, "application/pdf", b"%PDF-1", pages=("", " "), page_count=2)
CSV = Document('"a".csv', DocumentKind.CSV, "text/csv", b"a,b", text="a,b")
PNG = Document("a.png", DocumentKind.PNG, "image/png", b"\x89PNG", size_px=(1, 1))
SCHEMA: dict[str, object] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
EXAMPLE = Example((DocumentPart(CSV), TextPart("in")), "out")


def ask(*parts: TextPart | DocumentPart, model: str = "gpt-6-luna", **more: Any) -> Request:
    return Request("id-1", model, (Message("user", parts),), max_tokens=100, **more)


def body(request: Request) -> Any:
    line = json.loads(encode(request))
    assert {key: line[key] for key in ("custom_id", "method", "url")} == {
        "custom_id": "id-1",
        "method": "POST",
        "url": "/v1/responses",
    }
    return line["body"]


def strict(params: Any) -> TypeAdapter[Any]:
    """The SDK's own type of a call's arguments, in which no field may be that it does not name."""
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(params))


RESPONSES = strict(ResponseCreateParamsNonStreaming)
CHAT = strict(CompletionCreateParamsNonStreaming)

REQUESTS = [
    ask(TextPart("Hello")),
    ask(TextPart("Hello"), system="Be brief.", schema=SCHEMA, examples=(EXAMPLE,)),
    ask(DocumentPart(PDF), DocumentPart(CSV, title="Table"), DocumentPart(PNG), TextPart("What?")),
    ask(TextPart("Hello"), model="gpt-4.1", temperature=0.5),
    Request(
        "id-1",
        "gpt-6-luna",
        (
            Message("user", (TextPart("1"),)),
            Message("assistant", (TextPart("2"), TextPart("3"))),
            Message("user", (TextPart("4"),)),
        ),
        max_tokens=16,
    ),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_every_request_is_of_the_sdks_own_types(request_: Request) -> None:
    RESPONSES.validate_python(body(request_))
    CHAT.validate_python(chat_body(request_, "It"))


def test_the_types_refuse_what_they_do_not_name() -> None:
    with pytest.raises(ValidationError, match="colour"):
        RESPONSES.validate_python({**body(REQUESTS[0]), "colour": "red"})
    with pytest.raises(ValidationError, match="colour"):
        CHAT.validate_python({**chat_body(REQUESTS[0], "It"), "colour": "red"})


def test_a_response_is_asked_for() -> None:
    assert body(ask(TextPart("Hello"), system="Be brief.", schema=SCHEMA, examples=(EXAMPLE,))) == {
        "model": "gpt-6-luna",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "<document name='\"a\".csv'>\na,b\n</document>"},
                    {"type": "input_text", "text": "in"},
                ],
            },
            {"role": "assistant", "content": "out"},
            {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
        ],
        "max_output_tokens": 100,
        "store": False,
        "instructions": "Be brief.",
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}},
    }


def test_pdfs_and_images_go_as_files() -> None:
    content = body(ask(DocumentPart(PDF, title="Bill"), DocumentPart(PNG)))["input"][0]["content"]
    assert content == [
        {"type": "input_file", "filename": "Bill", "file_data": "data:application/pdf;base64,JVBERi0x"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw==", "detail": "auto"},
    ]


def test_a_chat_completion_is_asked_for() -> None:
    request = ask(DocumentPart(PDF), TextPart("What?"), system="Be brief.", schema=SCHEMA, temperature=0.0)
    assert chat_body(request, "It") == {
        "model": "gpt-6-luna",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": '<document name="a.pdf">\n<page number="1">\nTotal 12\n</page>\n'
                '<page number="2">\n(no text layer)\n</page>\n</document>\n\nWhat?',
            },
        ],
        "max_tokens": 100,
        "temperature": 0.0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
        },
    }


def test_a_chat_with_an_image_is_in_parts() -> None:
    body = chat_body(ask(DocumentPart(PNG), TextPart("What?")), "It")
    messages = orjson.loads(orjson.dumps(body))["messages"]
    assert messages[0]["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        {"type": "text", "text": "What?"},
    ]


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (ask(TextPart("x"), temperature=0.0), UnsupportedArgumentError, "refuse 'temperature'"),
        (
            ask(TextPart("x"), model="gpt-6.2-sol", temperature=1.0),
            UnsupportedArgumentError,
            "refuse 'temperature'",
        ),
        (ask(TextPart("x"), citations=True), UnsupportedArgumentError, "citation_mode='quoted'"),
        (ask(TextPart("\ud800")), ConversationError, "not Unicode"),
        (
            Request("id-1", "gpt-6-luna", (Message("user", (TextPart("x"),)),), max_tokens=15),
            UnsupportedArgumentError,
            "'max_tokens' from 16 on, got 15",
        ),
        (
            Request("id-1", "gpt-6-luna", (Message("assistant", (TextPart("x"),)),), max_tokens=100),
            ConversationError,
            "must end with a user message",
        ),
    ],
)
def test_what_openai_would_refuse_is_refused_before_sending(
    request_: Request, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        encode(request_)


def test_a_scan_is_refused_where_only_text_is_sent() -> None:
    with pytest.raises(DocumentError, match=r"'s.pdf' has no text layer .* OCR"):
        chat_body(ask(DocumentPart(SCAN)), "It")


def line(body: Any, status: int = 200, **more: Any) -> bytes:
    return json.dumps(
        {
            "id": "batch_req_1",
            "custom_id": "a",
            "response": {"status_code": status, "request_id": "r1", "body": body},
            "error": None,
            **more,
        }
    ).encode()


def response(*output: Any, status: str = "completed", **more: Any) -> Any:
    usage = {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 39,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "model": "gpt-6-luna-2026-06-01",
        "status": status,
        "output": list(output),
        "usage": usage,
        "service_tier": "default",
        **more,
    }


def message(*content: Any) -> Any:
    return {"type": "message", "role": "assistant", "content": list(content)}


USAGE = Usage(input_tokens=30, output_tokens=9, cache_read_tokens=10, cache_write_tokens=5, reasoning_tokens=4)
REASONING: dict[str, object] = {"type": "reasoning", "summary": []}
TEXT = {"type": "output_text", "annotations": [], "text": "4"}


def failed(reason: Reason, words: str, **more: Any) -> Failed:
    return Failed("a", reason, words, **more)


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        (
            line(response(REASONING, message(TEXT, TEXT))),
            Succeeded("a", (TextBlock("4"), TextBlock("4")), USAGE, "gpt-6-luna-2026-06-01", (REASONING,)),
        ),
        (
            line(response(message({"type": "refusal", "refusal": "No."}))),
            failed(
                Reason.REFUSED,
                "the model refused to answer",
                text="No.",
                usage=USAGE,
                model="gpt-6-luna-2026-06-01",
                is_billed=True,
            ),
        ),
        (
            line(response(message(TEXT), status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
            failed(
                Reason.TRUNCATED,
                "cut off after 9 output tokens, reasoning included: raise max_tokens",
                text="4",
                usage=USAGE,
                model="gpt-6-luna-2026-06-01",
                is_billed=True,
            ),
        ),
        (
            line(response(status="incomplete", incomplete_details={"reason": "content_filter"})),
            failed(
                Reason.REFUSED,
                "the answer was stopped by OpenAI's content filter",
                usage=USAGE,
                model="gpt-6-luna-2026-06-01",
                is_billed=True,
            ),
        ),
        (
            line(response(status="failed", usage=None, error={"code": "server_error", "message": "Sorry"})),
            failed(
                Reason.ERRORED,
                "server_error: Sorry",
                model="gpt-6-luna-2026-06-01",
                retryable=True,
                is_billed=None,
            ),
        ),
        (
            line({"error": {"message": "Bad.", "type": "invalid_request_error", "code": None}}, 400),
            failed(Reason.ERRORED, "invalid_request_error: Bad. (status 400, request r1)"),
        ),
        (
            line({"error": {"message": "Slow.", "type": "x", "code": "rate_limit_exceeded"}}, 429),
            failed(Reason.ERRORED, "rate_limit_exceeded: Slow. (status 429, request r1)", retryable=True),
        ),
        (
            line("Bad gateway", 502),
            failed(Reason.ERRORED, "Bad gateway (status 502, request r1)", retryable=True),
        ),
        (
            line({"error": {"message": "No such model", "code": 404}}),
            failed(Reason.ERRORED, "404: No such model (status 200, request r1)"),
        ),
        (
            line(None, response=None, error={"code": "batch_expired", "message": "Too late."}),
            failed(Reason.EXPIRED, "the job expired first", retryable=True),
        ),
        (
            line(None, response=None, error={"code": "batch_cancelled", "message": "Stopped."}),
            failed(Reason.CANCELED, "the job was canceled first", retryable=True),
        ),
        (
            line(None, response=None, error={"code": "model_not_found", "message": "None such."}),
            failed(Reason.ERRORED, "model_not_found: None such."),
        ),
    ],
)
def test_result_lines(entry: bytes, outcome: object) -> None:
    assert decode(entry) == outcome


def completion(content: Any, finish_reason: str | None = "stop", **more: Any) -> Any:
    usage = {
        "prompt_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
        "completion_tokens": 9,
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **more},
        "finish_reason": finish_reason,
    }
    return {"id": "c", "model": "m", "choices": [choice], "usage": usage}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (completion("4"), Succeeded("a", (TextBlock("4"),), USAGE, "m")),
        (completion("4", None), Succeeded("a", (TextBlock("4"),), USAGE, "m")),
        (completion(None, refusal=None), Succeeded("a", (), USAGE, "m")),
        (
            completion("4", reasoning_content="Two and two."),
            Succeeded("a", (TextBlock("4"),), USAGE, "m", ({"type": "reasoning", "text": "Two and two."},)),
        ),
        (
            completion([{"type": "thinking", "thinking": []}, {"type": "text", "text": "4"}]),
            Succeeded("a", (TextBlock("4"),), USAGE, "m", ({"type": "thinking", "thinking": []},)),
        ),
        (
            completion("Half", "length"),
            failed(
                Reason.TRUNCATED,
                "cut off after 9 output tokens, reasoning included: raise max_tokens",
                text="Half",
                usage=USAGE,
                model="m",
                is_billed=True,
            ),
        ),
        (
            completion(None, refusal="No."),
            failed(
                Reason.REFUSED, "the model refused to answer", text="No.", usage=USAGE, model="m", is_billed=True
            ),
        ),
        (
            completion("", "content_filter"),
            failed(
                Reason.REFUSED,
                "the answer was stopped by the provider's content filter",
                usage=USAGE,
                model="m",
                is_billed=True,
            ),
        ),
        (
            completion("4", "moon"),
            failed(
                Reason.ERRORED,
                "the answer stopped for a reason that is not expected here: 'moon'",
                text="4",
                usage=USAGE,
                model="m",
                is_billed=True,
            ),
        ),
        (
            {"choices": [], "usage": None},
            failed(Reason.ERRORED, "the server answered without any choice", retryable=True),
        ),
    ],
)
def test_chat_completions(body: Any, outcome: object) -> None:
    assert decode(line(body)) == outcome


def test_a_price_of_another_tier_is_told() -> None:
    told = decode(line(response(message(TEXT), service_tier="priority")))
    assert isinstance(told, Succeeded)
    assert told.usage is not None
    assert told.usage.service_tier == "priority"


@pytest.mark.parametrize("entry", [b"", b"[]", b'{"custom_id": 3}', b'{"custom_id": "a"}', line({"output": 3})])
def test_what_is_no_result_line_is_said(entry: bytes) -> None:
    with pytest.raises(ValueError, match="line|JSON|answer|Expecting"):
        decode(entry)


BATCH: dict[str, Any] = {
    "id": "batch_1",
    "status": "in_progress",
    "created_at": 1787150474,
    "expires_at": 1787236874,
    "request_counts": {"total": 3, "completed": 1, "failed": 1},
}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("validating", JobState.PENDING),
        ("in_progress", JobState.IN_PROGRESS),
        ("finalizing", JobState.IN_PROGRESS),
        ("cancelling", JobState.CANCELING),
        ("completed", JobState.ENDED),
        ("expired", JobState.ENDED),
        ("cancelled", JobState.ENDED),
        ("failed", JobState.FAILED),
    ],
)
def test_every_state_of_openais(status: str, state: JobState) -> None:
    assert snapshot({**BATCH, "status": status}, "openai").state is state
    assert snapshot({**BATCH, "status": status.upper()}, "compatible", lenient=True).state is state


def test_a_snapshot_in_full() -> None:
    seen = snapshot(BATCH, "openai")
    assert seen.provider_job_id == "batch_1"
    assert seen.counts == RequestCounts(processing=1, succeeded=1, errored=1)
    assert seen.created_at == datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)
    assert seen.expires_at == datetime(2026, 8, 20, 14, 41, 14, tzinfo=UTC)
    assert seen.message is None


def test_a_state_that_nobody_knows() -> None:
    with pytest.raises(ProviderError, match="'melting' for 'batch_1'.* Update batchata"):
        snapshot({**BATCH, "status": "melting"}, "openai")
    assert snapshot({**BATCH, "status": "melting"}, "compatible", lenient=True).state is JobState.IN_PROGRESS
    done = {**BATCH, "status": "melted", "output_file_id": "f"}
    assert snapshot(done, "compatible", lenient=True).state is JobState.ENDED


def test_what_followers_leave_out_or_write_differently() -> None:
    seen = snapshot({"id": "b", "status": "COMPLETED", "created_at": "2026-11-22T10:00:00Z"}, "x", lenient=True)
    assert seen.state is JobState.ENDED
    assert seen.counts is None
    assert seen.created_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert seen.expires_at is None


def test_why_a_job_failed_is_told() -> None:
    errors = [{"code": "invalid_json_line", "message": f"Line {number}", "line": number} for number in range(5)]
    seen = snapshot({**BATCH, "status": "failed", "errors": {"data": errors}}, "openai")
    assert seen.message == (
        "invalid_json_line: Line 0 (line 0); invalid_json_line: Line 1 (line 1); "
        "invalid_json_line: Line 2 (line 2) (and 2 more)"
    )
    assert seen.is_billed is False


def _recorded(shared: Path) -> list[Any]:
    folder = shared / "recordings" / "openai_batch"
    found = []
    for name in ("responses_endpoint_ruby_llm", "three_completed_curator", "cancel_curator"):
        found += json.loads((folder / f"{name}.json").read_text("utf-8"))["interactions"]
    return found


def test_every_recorded_batch_and_line_is_understood(shared: Path) -> None:
    batches = lines = 0
    for each in _recorded(shared):
        if each["response_format"] == "jsonl":
            for entry in each["response"]:
                outcome = decode(json.dumps(entry).encode())
                assert isinstance(outcome, Succeeded)
                assert outcome.custom_id == entry["custom_id"]
                assert outcome.text
                assert outcome.usage is not None
                assert outcome.usage.output_tokens > 0
                lines += 1
        elif each["response"].get("object") == "batch":
            assert snapshot(each["response"], "openai").created_at is not None
            batches += 1
    assert batches > 10
    assert lines >= 5
