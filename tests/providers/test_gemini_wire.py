"""Gemini's encode and decode: dicts in, dicts out, every recorded answer, and the SDK's own types."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.genai import types

from batchata.errors import ConversationError, LimitError, ProviderError, UnsupportedArgumentError
from batchata.providers.gemini.decode import decode, decode_response
from batchata.providers.gemini.encode import encode
from batchata.providers.gemini.inline import inlined, result_lines, sent_bytes
from batchata.providers.gemini.snapshots import output_of, snapshot
from batchata.types import (
    Document,
    DocumentKind,
    DocumentPart,
    Example,
    Failed,
    JobSnapshot,
    JobState,
    Message,
    Reason,
    Request,
    Succeeded,
    TextBlock,
    TextPart,
    Usage,
)

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "data" / "recordings" / "gemini_batch"

PDF = Document("a.pdf", DocumentKind.PDF, "application/pdf", b"%PDF-1", page_count=1)
CSV = Document("a.csv", DocumentKind.CSV, "text/csv", b"a,b", text="a,b")
PNG = Document("a.png", DocumentKind.PNG, "image/png", b"\x89PNG\xfb\xff\xfe", size_px=(1, 1))
GIF = Document("a.gif", DocumentKind.GIF, "image/gif", b"GIF8", size_px=(1, 1))
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"snake_name": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
    "required": ["snake_name"],
    "additionalProperties": False,
}


def ask(*parts: TextPart | DocumentPart, **more: Any) -> Request:
    return Request("id-1", "gemini-3.8-flash", (Message("user", parts),), max_tokens=100, **more)


FULL = ask(
    TextPart("Read."),
    DocumentPart(PDF),
    DocumentPart(PNG),
    DocumentPart(CSV),
    DocumentPart(CSV, title='the "list"'),
    system="Be brief.",
    temperature=0.0,
    schema=SCHEMA,
    examples=(Example((TextPart("in"),), "out"),),
    cache_prefix=True,
)
FULL_LINE = {
    "key": "id-1",
    "request": {
        "model": "models/gemini-3.8-flash",
        "contents": [
            {"role": "user", "parts": [{"text": "in"}]},
            {"role": "model", "parts": [{"text": "out"}]},
            {
                "role": "user",
                "parts": [
                    {"text": "Read."},
                    {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0x"}},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBOR/v//g=="}},
                    {"text": '<document name="a.csv">\na,b\n</document>'},
                    {"text": "<document name='the \"list\"'>\na,b\n</document>"},
                ],
            },
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "maxOutputTokens": 100,
            "temperature": 0.0,
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
        },
    },
}
TURNS = Request(
    "id-2",
    "tunedModels/mine",
    (
        Message("user", (TextPart("One?"),)),
        Message("assistant", (TextPart("1"),)),
        Message("user", (TextPart("Two?"),)),
    ),
    max_tokens=1,
)
TURNS_LINE = {
    "key": "id-2",
    "request": {
        "model": "tunedModels/mine",
        "contents": [
            {"role": "user", "parts": [{"text": "One?"}]},
            {"role": "model", "parts": [{"text": "1"}]},
            {"role": "user", "parts": [{"text": "Two?"}]},
        ],
        "generationConfig": {"maxOutputTokens": 1},
    },
}
ENCODED = [(FULL, FULL_LINE), (TURNS, TURNS_LINE)]


@pytest.mark.parametrize(("request_", "line"), ENCODED)
def test_a_request_is_one_line_in_the_words_of_rest(request_: Request, line: dict[str, Any]) -> None:
    encoded = encode(request_)
    assert b"\n" not in encoded
    assert orjson.loads(encoded) == line


@pytest.mark.parametrize(("request_", "line"), ENCODED)
def test_every_encoded_request_validates_as_the_sdks_type(request_: Request, line: dict[str, Any]) -> None:
    request: Any = line["request"]
    typed = inlined(encode(request_))
    assert typed.model == request["model"]
    assert typed.metadata == {"key": line["key"]}
    assert isinstance(typed.config, types.GenerateContentConfig)
    assert typed.config.max_output_tokens == request["generationConfig"]["maxOutputTokens"]
    assert typed.config.response_json_schema == request["generationConfig"].get("responseJsonSchema")
    assert isinstance(typed.contents, list)
    assert all(isinstance(turn, types.Content) for turn in typed.contents)
    assert len(typed.contents) == len(request["contents"])


def test_the_sdks_type_refuses_a_field_that_it_does_not_know() -> None:
    line = orjson.loads(encode(FULL))
    line["request"]["generationConfig"]["maxTokens"] = 1
    with pytest.raises(ValueError, match="maxTokens"):
        inlined(orjson.dumps(line))


def test_bytes_reach_the_sdks_type_decoded() -> None:
    contents: Any = inlined(encode(FULL)).contents
    assert contents[2].parts[2].inline_data.data == b"\x89PNG\xfb\xff\xfe"


@pytest.mark.parametrize("text", ["plain", "Größe", "日本語", "😀", '"\\\n\t'])
def test_the_size_of_a_line_is_at_least_what_the_sdk_will_send(text: str) -> None:
    line = encode(ask(TextPart(text * 100), schema=SCHEMA))
    entry = orjson.loads(line)
    sent = {"request": entry["request"], "metadata": {"key": entry["key"]}}
    assert len(line) < len(json.dumps(sent)) <= sent_bytes(line)


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (ask(TextPart("x"), citations=True), UnsupportedArgumentError, "citation_mode='quoted'"),
        (ask(TextPart("x"), temperature=2.1), UnsupportedArgumentError, "from 0 to 2, got 2.1"),
        (ask(DocumentPart(GIF)), UnsupportedArgumentError, "no GIF images .'a.gif'."),
        (
            ask(DocumentPart(Document("b.pdf", DocumentKind.PDF, "application/pdf", b"0" * 50_000_001))),
            LimitError,
            "'b.pdf' is 50,000,001 bytes; Gemini takes PDFs of 50,000,000",
        ),
        (
            Request("id-1", "m", (Message("assistant", (TextPart("x"),)),), max_tokens=1),
            ConversationError,
            "must end with a user message",
        ),
        (ask(TextPart("\ud800")), ConversationError, "not Unicode"),
    ],
)
def test_what_gemini_would_refuse_is_refused_before_sending(
    request_: Request, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        encode(request_)


def response(**changes: Any) -> dict[str, Any]:
    return {
        "candidates": [
            {"content": {"parts": [{"text": "Hi"}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        "modelVersion": "gemini-3.8-flash",
        "responseId": "r",
    } | changes


def stopped(reason: str | None, **more: Any) -> dict[str, Any]:
    return response(candidates=[{"content": {"parts": [{"text": "Hi"}]}, "finishReason": reason, **more}])


ANSWER = Succeeded("a", (TextBlock("Hi"),), Usage(input_tokens=10, output_tokens=5), model="gemini-3.8-flash")


@pytest.mark.parametrize(
    "line",
    [
        {"key": "a", "response": response()},
        {"response": response(), "metadata": {"key": "a"}},
        {"key": "a", "response": response(), "error": None},
    ],
)
def test_a_line_of_a_file_and_an_inline_result_are_the_same(line: dict[str, Any]) -> None:
    assert decode(orjson.dumps(line)) == ANSWER


def test_thoughts_are_billed_as_output_and_are_no_text() -> None:
    thought = {"text": "hm", "thought": True}
    parts = [thought, {"text": "H", "thoughtSignature": "c2ln"}, {"text": "i"}]
    usage = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 60,
        "toolUsePromptTokenCount": 7,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 40,
        "totalTokenCount": 152,
        "serviceTier": "standard",
    }
    candidates = [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]
    outcome = decode_response("a", response(candidates=candidates, usageMetadata=usage))
    assert outcome == Succeeded(
        "a",
        (TextBlock("H"), TextBlock("i")),
        Usage(input_tokens=107, output_tokens=45, cache_read_tokens=60, reasoning_tokens=40, service_tier=None),
        model="gemini-3.8-flash",
        other_blocks=(thought,),
    )
    assert isinstance(outcome, Succeeded)
    assert outcome.text == "Hi"


@pytest.mark.parametrize(
    ("stop", "reason", "words"),
    [
        ("MAX_TOKENS", Reason.TRUNCATED, "cut off after 5 output tokens, thinking included: raise max_tokens"),
        ("CONTINUATION", Reason.TRUNCATED, "cut off after 5 output tokens, to be continued, which batches cannot"),
        ("SAFETY", Reason.REFUSED, "the model refused to answer (SAFETY: because)"),
        ("RECITATION", Reason.REFUSED, "the model refused to answer (RECITATION: because)"),
        ("PROHIBITED_CONTENT", Reason.REFUSED, "the model refused to answer (PROHIBITED_CONTENT: because)"),
        ("BLOCKLIST", Reason.REFUSED, "the model refused to answer (BLOCKLIST: because)"),
        ("SPII", Reason.REFUSED, "the model refused to answer (SPII: because)"),
        ("OTHER", Reason.ERRORED, "the answer stopped for a reason that is not expected here: 'OTHER'"),
        ("NEW_ONE", Reason.ERRORED, "the answer stopped for a reason that is not expected here: 'NEW_ONE'"),
        (None, Reason.ERRORED, "the answer stopped for a reason that is not expected here: None"),
    ],
)
def test_finish_reasons_that_leave_no_whole_answer_keep_text_and_bill(
    stop: str | None, reason: Reason, words: str
) -> None:
    assert decode_response("a", stopped(stop, finishMessage="because")) == Failed(
        "a",
        reason,
        words,
        text="Hi",
        usage=Usage(input_tokens=10, output_tokens=5),
        model="gemini-3.8-flash",
        is_billed=True,
    )


def test_every_finish_reason_of_the_sdk_is_thought_of() -> None:
    reasons = {each.value: decode_response("a", stopped(each.value)) for each in types.FinishReason}
    errored = {name for name, got in reasons.items() if isinstance(got, Failed) and got.reason is Reason.ERRORED}
    assert errored == {
        "FINISH_REASON_UNSPECIFIED",
        "OTHER",
        "MALFORMED_FUNCTION_CALL",
        "IMAGE_OTHER",
        "NO_IMAGE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    }


def test_a_blocked_prompt_is_refused_and_nobody_knows_its_bill() -> None:
    raw = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 3},
        "modelVersion": "m",
    }
    assert decode_response("a", raw) == Failed(
        "a",
        Reason.REFUSED,
        "Gemini blocked the prompt (PROHIBITED_CONTENT: no explanation)",
        usage=Usage(input_tokens=3),
        model="m",
        is_billed=None,
    )


def test_no_answer_at_all_may_be_asked_for_again() -> None:
    assert decode_response("a", {"candidates": []}) == Failed(
        "a",
        Reason.ERRORED,
        "Gemini returned no answer, and does not say why",
        retryable=True,
        is_billed=None,
    )


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        (3, False),
        (4, True),
        (5, False),
        (7, False),
        (8, True),
        (13, True),
        (14, True),
        (16, False),
        (400, False),
        (404, False),
        (429, True),
        (500, True),
        (503, True),
        (None, False),
    ],
)
def test_errors_say_by_their_code_whether_to_try_again(code: int | None, retryable: bool) -> None:
    line = orjson.dumps({"key": "a", "error": {"code": code, "message": "because", "details": [{"reason": "x"}]}})
    assert decode(line) == Failed("a", Reason.ERRORED, f"error {code}: because", retryable=retryable)


def test_a_request_canceled_with_its_job() -> None:
    line = orjson.dumps({"metadata": {"key": "a"}, "error": {"code": 1, "message": "cancelled"}})
    assert decode(line) == Failed("a", Reason.CANCELED, "the job was canceled first (cancelled)", retryable=True)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (b"[]", "not a result line"),
        (b'"x"', "not a result line"),
        (b"{}", "not a result line"),
        (b'{"key":1,"response":{}}', "not a result line"),
        (b'{"key":"a"}', "not a result line"),
        (b'{"metadata":{"custom_id":"a"},"response":{}}', "not a result line"),
        (b"{", "Expecting"),
    ],
)
def test_what_is_not_a_result_line_is_refused(entry: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(entry)


def test_half_a_surrogate_pair_in_an_inline_result_costs_one_letter() -> None:
    results = json.loads(
        '[{"metadata": {"key": "a"}, "response": {"candidates": [{"content": {"parts": [{"text": "x\\ud800"}]},'
        ' "finishReason": "STOP"}]}}]'
    )
    (line,) = result_lines({"inlinedResponses": {"inlinedResponses": results}})
    outcome = decode(line)
    assert isinstance(outcome, Succeeded)
    assert outcome.text == "x\ufffd"


def batch(state: str | None, **more: Any) -> dict[str, Any]:
    about = {"createTime": "2026-11-22T10:00:00.123456789Z", "state": state, "displayName": "tag"}
    return {"name": "batches/x", "metadata": {**about, **more.pop("metadata", {})}, **more}


FILE = {"output": {"responsesFile": "files/y"}}


@pytest.mark.parametrize("prefix", ["BATCH_STATE_", "JOB_STATE_"])
@pytest.mark.parametrize(
    ("state", "more", "expected"),
    [
        ("QUEUED", {}, JobState.PENDING),
        ("PENDING", {}, JobState.PENDING),
        ("RUNNING", {}, JobState.IN_PROGRESS),
        ("UPDATING", {}, JobState.IN_PROGRESS),
        ("PAUSED", {}, JobState.IN_PROGRESS),
        ("CANCELLING", {}, JobState.CANCELING),
        ("SUCCEEDED", {"metadata": FILE}, JobState.ENDED),
        ("PARTIALLY_SUCCEEDED", {"metadata": FILE}, JobState.ENDED),
        ("CANCELLED", {}, JobState.FAILED),
        ("CANCELLED", {"metadata": FILE}, JobState.ENDED),
        ("CANCELLED", {"response": {"responsesFile": "files/y"}}, JobState.ENDED),
        ("FAILED", {}, JobState.FAILED),
        ("FAILED", {"metadata": FILE}, JobState.ENDED),
        ("EXPIRED", {}, JobState.FAILED),
        ("EXPIRED", {"metadata": FILE}, JobState.FAILED),
    ],
)
def test_every_state(prefix: str, state: str, more: dict[str, Any], expected: JobState) -> None:
    assert snapshot(batch(prefix + state, **more)).state is expected


def test_every_state_of_the_sdk_but_the_unspecified_is_known() -> None:
    for state in types.JobState:
        if state is not types.JobState.JOB_STATE_UNSPECIFIED:
            assert snapshot(batch(state.value)).state in JobState


@pytest.mark.parametrize("state", ["BATCH_STATE_NEW", "BATCH_STATE_UNSPECIFIED", None])
def test_a_state_that_nobody_knows_is_raised(state: str | None) -> None:
    with pytest.raises(ProviderError, match=r"for 'batches/x', which this version does not know\. Update batchata"):
        snapshot(batch(state))


def test_an_expired_job_says_what_is_lost() -> None:
    ended = {"endTime": "2026-11-24T10:00:00Z"}
    assert snapshot(batch("BATCH_STATE_EXPIRED", metadata=ended)) == JobSnapshot(
        "batches/x",
        JobState.FAILED,
        created_at=datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC),
        ended_at=datetime(2026, 11, 24, 10, tzinfo=UTC),
        expires_at=datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC),
        message="it was not done within 48 hours: Gemini returns nothing of it, not even what was finished",
    )


def test_a_failed_job_says_why() -> None:
    failed = batch("BATCH_STATE_FAILED", error={"code": 3, "message": "Line 1 is no request."})
    assert snapshot(failed).message == "error 3: Line 1 is no request."


def recorded(name: str) -> dict[str, Any]:
    path = RECORDINGS / name
    if not path.exists():
        pytest.skip("../shared/data is not here")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_every_recorded_state_of_a_batch() -> None:
    interactions = recorded("two_chats_ruby_llm.json")["interactions"]
    snapshots = [snapshot(each["response"]) for each in interactions]
    assert [each.state for each in snapshots] == [JobState.PENDING, JobState.IN_PROGRESS, JobState.ENDED]
    assert snapshots[2] == JobSnapshot(
        "batches/31u18uq6dr4ods3957z38i1mbfa581k01xcq",
        JobState.ENDED,
        created_at=datetime(2026, 8, 19, 14, 34, 12, 267870, tzinfo=UTC),
        ended_at=datetime(2026, 8, 19, 14, 40, 30, 652367, tzinfo=UTC),
        expires_at=datetime(2026, 8, 21, 14, 34, 12, 267870, tzinfo=UTC),
    )


def test_recorded_inline_answers() -> None:
    ended = recorded("two_chats_ruby_llm.json")["interactions"][-1]["response"]
    lines = [json.loads(line) for line in result_lines(output_of(ended))]
    for line in lines:  # the program that was recorded has another name for the key
        line["metadata"] = {"key": line["metadata"]["custom_id"]}
    assert [decode(orjson.dumps(line)) for line in lines] == [
        Succeeded(
            "0",
            (TextBlock("4"),),
            Usage(input_tokens=13, output_tokens=44, reasoning_tokens=43),
            model="gemini-2.5-flash",
        ),
        Succeeded(
            "1",
            (TextBlock("Jupiter"),),
            Usage(input_tokens=13, output_tokens=54, reasoning_tokens=53),
            model="gemini-2.5-flash",
        ),
    ]


def test_recorded_answers_that_the_sdk_had_saved() -> None:
    saved = recorded("saved_state_chatlas.json")["state"]["batch"]["dest"]["inlined_responses"]
    outcomes = []
    for number, raw in enumerate(saved):
        typed = types.InlinedResponse.model_validate_json(orjson.dumps({**raw, "metadata": {"key": str(number)}}))
        outcomes.append(decode(typed.model_dump_json(by_alias=True, exclude_none=True).encode()))
    assert outcomes == [
        Succeeded(
            "0",
            (TextBlock("The capital of France is **Paris**."),),
            Usage(input_tokens=9, output_tokens=94, reasoning_tokens=86),
            model="gemini-3.6-flash",
        ),
        Succeeded(
            "1",
            (TextBlock("The capital of Germany is **Berlin**."),),
            Usage(input_tokens=9, output_tokens=79, reasoning_tokens=71),
            model="gemini-3.6-flash",
        ),
    ]


def test_what_was_recorded_as_sent_validates_as_ours_does() -> None:
    body = recorded("two_chats_ruby_llm.json")["interactions"][0]["request"]["body"]
    sent = body["batch"]["inputConfig"]["requests"]["requests"][0]["request"]
    ours = orjson.loads(
        encode(
            Request(
                "0",
                "gemini-2.5-flash",
                (Message("user", (TextPart("What is 2 + 2? Just the number."),)),),
                max_tokens=9,
            )
        )
    )["request"]
    assert ours == {**sent, "generationConfig": {"maxOutputTokens": 9}}
