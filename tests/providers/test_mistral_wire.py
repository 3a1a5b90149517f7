"""Mistral's lines and states: dicts in, dicts out, the recorded job, and the SDK's own types."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mistralai.client.models import BatchJob, ChatCompletionRequest

from batchata.errors import LimitError, ProviderError, UnsupportedArgumentError
from batchata.providers import lines
from batchata.providers.chat.decode import decode_completion
from batchata.providers.gemini.encode import encode as gemini_encode
from batchata.providers.mistral.encode import encode, split
from batchata.providers.mistral.provider import _split
from batchata.providers.mistral.snapshots import snapshot
from batchata.spool import Lines
from batchata.types import (
    Failed,
    JobState,
    Message,
    Reason,
    Request,
    RequestCounts,
    Succeeded,
    TextPart,
)
from tests.providers.test_openai_wire import REQUESTS, SCHEMA, ask


@pytest.mark.parametrize("request_", REQUESTS)
def test_every_request_is_of_the_sdks_own_type(request_: Request) -> None:
    model, line = split(encode(request_))
    entry = json.loads(line)
    assert entry.keys() == {"custom_id", "body"}
    assert entry["body"].keys() <= ChatCompletionRequest.model_fields.keys()
    ChatCompletionRequest.model_validate({"model": model, **entry["body"]})


def test_the_model_stands_at_the_job_alone() -> None:
    entry = encode(ask(TextPart('Say ","custom_id":'), model='a"b,c', schema=SCHEMA))
    model, line = split(entry)
    assert model == 'a"b,c'
    assert json.loads(line) == {
        "custom_id": "id-1",
        "body": {
            "messages": [{"role": "user", "content": 'Say ","custom_id":'}],
            "max_tokens": 100,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            },
        },
    }


@pytest.mark.parametrize("heat", ["hot", True, float("nan"), float("inf"), -0.1])
def test_a_temperature_is_a_number(heat: Any) -> None:
    for encode_one in (encode, gemini_encode):
        with pytest.raises(UnsupportedArgumentError, match="'temperature' must be a number from 0 on, got"):
            encode_one(ask(TextPart("x"), temperature=heat))


def test_a_job_has_one_model() -> None:
    entries = [encode(ask(TextPart("x"), model=model)) for model in ("mistral-small-2603", "mistral-large-2512")]
    with Lines() as lines, pytest.raises(LimitError, match="mistral-large-2512, mistral-small-2603"):
        _split(entries, lines)


def job(status: str, **more: Any) -> BatchJob:
    return BatchJob.model_validate(
        {
            "id": "job-1",
            "input_files": ["f"],
            "endpoint": "/v1/chat/completions",
            "errors": [],
            "status": status,
            "created_at": 1787150442,
            "total_requests": 4,
            "completed_requests": 3,
            "succeeded_requests": 2,
            "failed_requests": 1,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("QUEUED", JobState.PENDING),
        ("RUNNING", JobState.IN_PROGRESS),
        ("CANCELLATION_REQUESTED", JobState.CANCELING),
        ("SUCCESS", JobState.ENDED),
        ("TIMEOUT_EXCEEDED", JobState.ENDED),
        ("CANCELLED", JobState.ENDED),
        ("FAILED", JobState.FAILED),
    ],
)
def test_every_state(status: str, state: JobState) -> None:
    assert snapshot(job(status)).state is state


def test_a_snapshot_in_full() -> None:
    seen = snapshot(job("RUNNING", errors=[{"message": "bad line", "count": 2}]))
    assert seen.counts == RequestCounts(processing=1, succeeded=2, errored=1)
    assert seen.created_at == datetime(2026, 8, 19, 14, 40, 42, tzinfo=UTC)
    assert seen.message == "bad line (2 times)"
    assert snapshot(job("QUEUED", total_requests=0)).counts is None


def test_what_was_not_run_expired_or_was_canceled() -> None:
    assert snapshot(job("TIMEOUT_EXCEEDED")).counts == RequestCounts(succeeded=2, errored=1, expired=1)
    assert snapshot(job("CANCELLED")).counts == RequestCounts(succeeded=2, errored=1, canceled=1)


def test_a_state_that_nobody_knows() -> None:
    with pytest.raises(ProviderError, match="'MELTING' for 'job-1'.*Update batchata"):
        snapshot(job("MELTING"))


def test_an_error_is_the_body_itself() -> None:
    body = {"object": "error", "message": "Invalid schema", "type": "invalid_request_error", "code": 3}
    line = json.dumps({"custom_id": "a", "response": {"status_code": 422, "body": body}, "error": None})
    assert lines.decode(line.encode(), decode_completion) == Failed(
        "a", Reason.ERRORED, "3: Invalid schema (status 422, request None)"
    )


def test_the_recorded_job_is_understood(shared: Path) -> None:
    recorded = json.loads((shared / "recordings" / "other_batch" / "mistral_ruby_llm.json").read_text("utf-8"))
    answers = 0
    for each in recorded["interactions"]:
        seen = BatchJob.model_validate(each["response"])
        assert snapshot(seen).provider_job_id == each["response"]["id"]
        for output in each["response"]["outputs"] or []:
            outcome = lines.decode(json.dumps(output).encode(), decode_completion)
            assert isinstance(outcome, Succeeded)
            assert outcome.usage is not None
            assert outcome.usage.input_tokens == 27
            answers += 1
    assert answers == 4  # both, in two looks at the job


def test_a_system_text_and_turns() -> None:
    request = Request(
        "id-1",
        "mistral-small-2603",
        (
            Message("user", (TextPart("1"),)),
            Message("assistant", (TextPart("2"),)),
            Message("user", (TextPart("3"),)),
        ),
        max_tokens=10,
        system="Be brief.",
        temperature=0.5,
    )
    body = json.loads(split(encode(request))[1])["body"]
    assert body == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "1"},
            {"role": "assistant", "content": "2"},
            {"role": "user", "content": "3"},
        ],
        "max_tokens": 10,
        "temperature": 0.5,
    }
