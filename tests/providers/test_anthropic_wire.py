"""Anthropic's encode and decode: dicts in, dicts out, and every recorded answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from batchata.errors import ConversationError, UnsupportedArgumentError
from batchata.providers.anthropic.decode import decode, decode_message
from batchata.providers.anthropic.encode import encode
from batchata.types import (
    Citation,
    Document,
    DocumentKind,
    DocumentPart,
    Example,
    Failed,
    Message,
    Reason,
    Request,
    Succeeded,
    TextBlock,
    TextPart,
    Usage,
)

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "data" / "recordings"

PDF = Document("a.pdf", DocumentKind.PDF, "application/pdf", b"%PDF-1", page_count=1)
CSV = Document("a.csv", DocumentKind.CSV, "text/csv", b"a,b", text="a,b")
PNG = Document("a.png", DocumentKind.PNG, "image/png", b"\x89PNG", size_px=(1, 1))


def ask(*parts: TextPart | DocumentPart, **more: Any) -> Request:
    return Request("id-1", "claude-haiku-5-5", (Message("user", parts),), max_tokens=100, **more)


def params(request: Request) -> Any:
    entry = json.loads(encode(request))
    assert entry["custom_id"] == "id-1"
    return entry["params"]


def test_plain_text() -> None:
    assert params(ask(TextPart("Hello"), system="Be brief.")) == {
        "model": "claude-haiku-5-5",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }


def test_documents_and_images() -> None:
    content = params(ask(DocumentPart(PDF), DocumentPart(CSV, title="Table"), DocumentPart(PNG)))["messages"][0][
        "content"
    ]
    assert content == [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"},
            "title": "a.pdf",
        },
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
            "title": "Table",
        },
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
    ]


def test_citations_are_on_for_every_document_examples_included_and_for_no_image() -> None:
    example = Example((DocumentPart(CSV),), "x")
    turns = params(ask(DocumentPart(PDF), DocumentPart(PNG), citations=True, examples=(example,)))["messages"]
    assert turns[0]["content"][0]["citations"] == {"enabled": True}
    assert turns[2]["content"][0]["citations"] == {"enabled": True}
    assert "citations" not in turns[2]["content"][1]


def test_an_enforced_schema() -> None:
    schema: dict[str, object] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    assert params(ask(TextPart("x"), schema=schema))["output_config"] == {
        "format": {"type": "json_schema", "schema": schema}
    }


def test_examples_come_first_and_the_last_is_marked_for_the_cache() -> None:
    examples = (Example((TextPart("in 1"),), "out 1"), Example((TextPart("in 2"),), "out 2"))
    turns = params(ask(TextPart("in 3"), examples=examples, cache_prefix=True))["messages"]
    assert [(turn["role"], turn["content"][0]["text"]) for turn in turns] == [
        ("user", "in 1"),
        ("assistant", "out 1"),
        ("user", "in 2"),
        ("assistant", "out 2"),
        ("user", "in 3"),
    ]
    marks = [turn["content"][0].get("cache_control") for turn in turns]
    assert marks == [None, None, None, {"type": "ephemeral"}, None]


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (ask(TextPart("x"), temperature=0.0), UnsupportedArgumentError, "refuses 'temperature'"),
        (ask(TextPart("x"), schema={}, citations=True), UnsupportedArgumentError, "together with citations"),
        (
            Request("id-1", "m", (Message("assistant", (TextPart("x"),)),), max_tokens=1),
            ConversationError,
            "must end with a user message",
        ),
    ],
)
def test_what_anthropic_would_refuse_is_refused_before_sending(
    request_: Request, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        encode(request_)


def message(**changes: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 5},
    } | changes


def line(result: dict[str, Any]) -> bytes:
    return orjson.dumps({"custom_id": "a", "result": result})


def test_a_whole_answer_with_thinking_first_and_every_kind_of_token() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 50,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "cache_read_input_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 40},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "batch",
        "inference_geo": "us",
    }
    thinking: dict[str, object] = {"type": "thinking", "thinking": "hm", "signature": "s"}
    content = [thinking, {"type": "text", "text": "Hi"}, {"type": "text", "text": "!", "citations": None}]
    outcome = decode(line({"type": "succeeded", "message": message(content=content, usage=usage)}))
    assert outcome == Succeeded(
        "a",
        (TextBlock("Hi"), TextBlock("!")),
        Usage(
            input_tokens=47,
            output_tokens=50,
            cache_read_tokens=7,
            cache_write_tokens=10,
            cache_write_1h_tokens=20,
            reasoning_tokens=40,
            web_searches=2,
            service_tier="batch",
            inference_geo="us",
        ),
        model="claude-haiku-5-5",
        other_blocks=(thinking,),
    )
    assert isinstance(outcome, Succeeded)
    assert outcome.text == "Hi!"


def test_without_a_split_all_cache_writes_are_short() -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 9, "cache_creation": None}
    outcome = decode_message("a", message(usage=usage))
    assert outcome.usage == Usage(input_tokens=10, output_tokens=1, cache_write_tokens=9)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            {
                "type": "page_location",
                "cited_text": "Acme ",
                "document_index": 1,
                "document_title": None,
                "start_page_number": 2,
                "end_page_number": 4,
            },
            Citation("Acme ", document_index=1, start_page=2, end_page=3),
        ),
        (
            {
                "type": "char_location",
                "cited_text": "x",
                "document_index": 0,
                "document_title": "t",
                "start_char_index": 0,
                "end_char_index": 1,
            },
            Citation("x", document_index=0, document_title="t", start_char=0, end_char=1),
        ),
        (
            {
                "type": "content_block_location",
                "cited_text": "x",
                "document_index": 0,
                "document_title": None,
                "start_block_index": 3,
                "end_block_index": 5,
            },
            Citation("x", document_index=0, start_block=3, end_block=5),
        ),
        (
            {
                "type": "search_result_location",
                "cited_text": "x",
                "source": "https://a.example",
                "title": "A",
                "search_result_index": 0,
                "start_block_index": 0,
                "end_block_index": 1,
            },
            Citation("x", document_title="A", source="https://a.example", start_block=0, end_block=1),
        ),
        (
            {
                "type": "web_search_result_location",
                "cited_text": "x",
                "url": "https://a.example",
                "title": None,
                "encrypted_index": "E",
            },
            Citation("x", source="https://a.example"),
        ),
    ],
)
def test_every_kind_of_citation(raw: dict[str, Any], expected: Citation) -> None:
    content = [{"type": "text", "text": "Acme", "citations": [raw]}]
    outcome = decode_message("a", message(content=content))
    assert isinstance(outcome, Succeeded)
    assert outcome.blocks == (TextBlock("Acme", (expected,)),)
    assert outcome.blocks[0].citations[0].raw == raw


@pytest.mark.parametrize(
    ("stop", "reason", "words"),
    [
        ("max_tokens", Reason.TRUNCATED, "raise max_tokens"),
        ("model_context_window_exceeded", Reason.TRUNCATED, "do not fit the model's context"),
        ("refusal", Reason.REFUSED, "refused to answer"),
        ("pause_turn", Reason.ERRORED, "'pause_turn'"),
        ("something_new", Reason.ERRORED, "'something_new'"),
        (None, Reason.ERRORED, "None"),
    ],
)
def test_stop_reasons_that_leave_no_whole_answer_keep_text_and_bill(
    stop: str | None, reason: Reason, words: str
) -> None:
    outcome = decode_message("a", message(stop_reason=stop))
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason
    assert words in outcome.message
    assert outcome.text == "Hi"
    assert outcome.usage == Usage(input_tokens=10, output_tokens=5)


@pytest.mark.parametrize("stop", ["end_turn", "stop_sequence", "tool_use"])
def test_stop_reasons_of_a_whole_answer(stop: str) -> None:
    assert isinstance(decode_message("a", message(stop_reason=stop)), Succeeded)


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        ("invalid_request_error", False),
        ("authentication_error", False),
        ("billing_error", False),
        ("permission_error", False),
        ("not_found_error", False),
        ("rate_limit_error", True),
        ("timeout_error", True),
        ("api_error", True),
        ("overloaded_error", True),
    ],
)
def test_errored_is_nested_twice_and_only_some_may_be_sent_again(kind: str, retryable: bool) -> None:
    error = {"type": "error", "error": {"type": kind, "message": "because"}, "request_id": "req_1"}
    outcome = decode(line({"type": "errored", "error": error}))
    assert outcome == Failed("a", Reason.ERRORED, f"{kind}: because (request req_1)", retryable=retryable)


def test_canceled_and_expired_cost_nothing() -> None:
    canceled, expired = decode(line({"type": "canceled"})), decode(line({"type": "expired"}))
    assert isinstance(canceled, Failed)
    assert isinstance(expired, Failed)
    assert (canceled.reason, canceled.usage) == (Reason.CANCELED, None)
    assert (expired.reason, expired.usage) == (Reason.EXPIRED, None)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (b"[]", "not a result line"),
        (b"{}", "not a result line"),
        (b'{"custom_id":1}', "not a result line"),
        (b'{"custom_id":"a","result":{"type":"new"}}', "unknown result type 'new' for 'a'"),
        (b"{", "Expecting"),
    ],
)
def test_what_is_not_a_result_line_is_refused(entry: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(entry)


def recordings(folder: str) -> list[Path]:
    return sorted((RECORDINGS / folder).glob("*.json"))


@pytest.mark.skipif(not RECORDINGS.exists(), reason="../shared/data is not here")
def test_every_recorded_batch_line_is_decoded_without_loss() -> None:
    seen = 0
    for path in recordings("anthropic_batch"):
        for interaction in json.loads(path.read_text()).get("interactions", []):
            if interaction.get("response_format") != "jsonl":
                continue
            for raw in interaction["response"]:
                assert_nothing_lost(decode(orjson.dumps(raw)), raw)
                seen += 1
    assert seen >= 7


def assert_nothing_lost(outcome: Succeeded | Failed, raw: dict[str, Any]) -> None:
    assert outcome.custom_id == raw["custom_id"]
    if raw["result"]["type"] == "succeeded":
        assert_message_whole(outcome, raw["result"]["message"])
    else:
        assert isinstance(outcome, Failed)
        assert outcome.reason.value == raw["result"]["type"]


def assert_message_whole(outcome: Succeeded | Failed, raw: dict[str, Any]) -> None:
    texts = [block for block in raw["content"] if block["type"] == "text"]
    usage = raw["usage"]
    assert outcome.usage is not None
    assert outcome.usage.output_tokens == usage["output_tokens"]
    cached = (usage.get("cache_read_input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
    assert outcome.usage.input_tokens == usage["input_tokens"] + cached
    assert outcome.model == raw["model"]
    if isinstance(outcome, Failed):
        assert raw["stop_reason"] in {"max_tokens", "refusal", "pause_turn", "model_context_window_exceeded"}
        assert outcome.text == "".join(block["text"] for block in texts)
        return
    assert [block.text for block in outcome.blocks] == [block["text"] for block in texts]
    assert list(outcome.other_blocks) == [block for block in raw["content"] if block["type"] != "text"]
    for block, given in zip(outcome.blocks, texts, strict=True):
        assert [dict(citation.raw or {}) for citation in block.citations] == (given.get("citations") or [])
        for citation, place in zip(block.citations, given.get("citations") or [], strict=True):
            assert citation.cited_text == place["cited_text"]
            assert citation.start_page == place.get("start_page_number")
            assert (citation.end_page or -1) + 1 == place.get("end_page_number", 0)
            assert (citation.start_char, citation.end_char) == (
                place.get("start_char_index"),
                place.get("end_char_index"),
            )
            assert (citation.start_block, citation.end_block) == (
                place.get("start_block_index"),
                place.get("end_block_index"),
            )


@pytest.mark.skipif(not RECORDINGS.exists(), reason="../shared/data is not here")
@pytest.mark.parametrize("folder", ["anthropic_citations", "anthropic_structured"])
def test_every_recorded_message_is_decoded_without_loss(folder: str) -> None:
    seen = 0
    for path in recordings(folder):
        recorded = json.loads(path.read_text())
        raw = message() | (recorded.get("response_assembled") or recorded["response"])  # notebooks keep only part
        assert_message_whole(decode_message("x", raw), raw)
        seen += 1
    assert seen >= 16
