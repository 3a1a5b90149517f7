"""Mistral's files, jobs and models through its official SDK, on the loopback server."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson
import pytest

from batchata.errors import (
    MissingKeyError,
    ProviderError,
    SubmissionInDoubtError,
    UnknownModelError,
    UnsupportedArgumentError,
)
from batchata.providers.mistral.errors import submit_error
from batchata.providers.mistral.provider import MistralProvider
from batchata.types import (
    Failed,
    JobState,
    Message,
    ModelInfo,
    Reason,
    Request,
    RequestCounts,
    Succeeded,
    TextPart,
    TokenCount,
)
from tests.providers.served import submit_lines
from tests.wire import answers
from tests.wire.faults import CallFault, Cut, DropAnswer, Endpoint, Errored, Reply, Reset
from tests.wire.jobs import NEVER
from tests.wire.mistral import MistralServer
from tests.wire.mistral.api import error_reply

MODEL = "mistral-small-2603"


@pytest.fixture
def server() -> Iterator[MistralServer]:
    with MistralServer() as server:
        yield server


@pytest.fixture
def provider(server: MistralServer) -> MistralProvider:
    return connect(server.url, server.key)


def connect(url: str, key: str) -> MistralProvider:
    return MistralProvider.from_environment({"MISTRAL_API_KEY": key, "MISTRAL_BASE_URL": url})


def ask(custom_id: str, text: str) -> Request:
    return Request(custom_id, MODEL, (Message("user", (TextPart(text),)),), max_tokens=50)


def submit(provider: MistralProvider, *texts: str, tag: str = "run-1") -> str:
    entries = [provider.encode(ask(f"id-{number}", text)) for number, text in enumerate(texts)]
    return submit_lines(provider, entries, tag=tag)


def results(provider: MistralProvider, job_id: str) -> dict[str, Any]:
    outcomes = [provider.decode(line) for line in provider.fetch(job_id)]
    return {outcome.custom_id: outcome for outcome in outcomes}


def test_a_job_from_its_creation_to_its_answers(server: MistralServer, provider: MistralProvider) -> None:
    server.answer = lambda params: (
        Errored("invalid_request_error", "no") if answers.last_user_text(params) == "b" else answers.echo(params)
    )
    server.ends_after = NEVER
    job_id = submit(provider, "a", "b", "c")
    assert provider.check(job_id).state is JobState.IN_PROGRESS
    server.batches.settle()
    seen = provider.check(job_id)
    assert (seen.state, seen.counts) == (JobState.ENDED, RequestCounts(succeeded=2, errored=1))
    outcomes = results(provider, job_id)
    assert outcomes.keys() == {"id-0", "id-1", "id-2"}
    assert isinstance(outcomes["id-0"], Succeeded)
    assert (outcomes["id-0"].text, outcomes["id-2"].text) == ("a", "c")
    assert outcomes["id-1"] == Failed(
        "id-1", Reason.ERRORED, "invalid_request_error: no (status 400, request None)"
    )
    (created,) = server.batches.newest_first()
    assert created.given == {
        "input_files": created.given["input_files"],
        "model": MODEL,
        "endpoint": "/v1/chat/completions",
        "metadata": {"batchata": "run-1"},
        "timeout_hours": 24,
    }
    assert (server.faults.calls[Endpoint.UPLOAD], server.faults.calls[Endpoint.CREATE]) == (1, 1)


def test_a_job_of_which_nothing_was_run_has_no_files(server: MistralServer, provider: MistralProvider) -> None:
    server.ends_after = NEVER
    job_id = submit(provider, "a", "b")
    provider.cancel(job_id)
    server.batches.settle()
    assert provider.check(job_id).counts == RequestCounts(canceled=2)
    assert results(provider, job_id) == {}


@pytest.mark.parametrize(
    "fault",
    [
        error_reply(429, "slow down"),
        error_reply(500, "broken"),
        error_reply(503, "busy"),
        Reply(413, b"<html>too large</html>", content_type="text/html"),
        Reply(200, b"<html>hello</html>", content_type="text/html"),
        Reset(body_read=True),
        Cut(silent=True),
    ],
)
def test_an_upload_that_fails_buys_nothing(
    server: MistralServer, provider: MistralProvider, fault: CallFault
) -> None:
    server.faults.next(Endpoint.UPLOAD, fault)
    with pytest.raises(ProviderError, match="uploading the job's file") as raised:
        submit(provider, "a")
    assert type(raised.value) is ProviderError
    assert (server.faults.calls[Endpoint.UPLOAD], server.faults.calls[Endpoint.CREATE]) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "created"),
    [
        (error_reply(408, "late"), 0),
        (error_reply(500, "broken"), 0),
        (error_reply(503, "busy"), 0),
        (Reset(body_read=True), 0),
        (Reply(200, b"{}"), 0),
        (Reply(200, b"<html>hello</html>", content_type="text/html"), 0),
        (DropAnswer(), 1),
        (Cut(), 1),
        (Cut(silent=True), 1),
    ],
)
def test_a_create_without_a_clear_answer_is_in_doubt_and_not_repeated(
    server: MistralServer, provider: MistralProvider, fault: CallFault, created: int
) -> None:
    server.faults.next(Endpoint.CREATE, fault)
    before = datetime.now(UTC)
    with pytest.raises(SubmissionInDoubtError):
        submit(provider, "a")
    assert server.faults.calls[Endpoint.CREATE] == 1
    assert len(server.ledger.created) == created
    assert len(provider.find("run-1", before, 1)) == created


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (401, False), (402, False), (403, False), (422, False), (429, True)]
)
def test_a_create_that_was_refused_is_a_clear_no(
    server: MistralServer, provider: MistralProvider, status: int, *, retryable: bool
) -> None:
    server.faults.next(Endpoint.CREATE, error_reply(status, "because", (("retry-after", "7"),)))
    with pytest.raises(ProviderError, match=f"Mistral answered {status} while creating the job: because") as raised:
        submit(provider, "a")
    error = raised.value
    assert type(error) is ProviderError
    assert (error.status_code, error.retryable, error.retry_after) == (status, retryable, 7.0)
    assert error.request_id
    assert server.faults.calls[Endpoint.CREATE] == 1


def test_only_a_request_that_may_have_left_is_in_doubt() -> None:
    assert type(submit_error(httpx2.ConnectError("refused"))) is ProviderError
    assert type(submit_error(httpx2.ConnectTimeout("late"))) is ProviderError
    assert type(submit_error(httpx2.ReadTimeout("late"))) is SubmissionInDoubtError
    assert type(submit_error(httpx2.WriteError("broken pipe"))) is SubmissionInDoubtError


def test_jobs_are_found_by_their_tag_newest_first(server: MistralServer, provider: MistralProvider) -> None:
    start = datetime.now(UTC)
    first, other, second = (submit(provider, "a", tag=tag) for tag in ("run-1", "run-12", "run-1"))
    before = server.faults.calls[Endpoint.LIST]
    assert [job.provider_job_id for job in provider.find("run-1", start, 1)] == [second, first]
    assert [job.provider_job_id for job in provider.find("run-12", start, 1)] == [other]
    assert provider.find("run-2", start, 1) == []
    assert server.faults.calls[Endpoint.LIST] == before + 3


def test_many_jobs_are_checked_in_one_call(server: MistralServer, provider: MistralProvider) -> None:
    first, _, third = (submit(provider, "a", tag=f"run-{number}") for number in range(3))
    seen = provider.check_many([first, third, "job-nobody-knows"])
    assert {job_id: job.provider_job_id for job_id, job in seen.items()} == {first: first, third: third}
    assert (server.faults.calls[Endpoint.LIST], server.faults.calls[Endpoint.RETRIEVE]) == (1, 0)


def card(**more: Any) -> Reply:
    model: dict[str, Any] = {"id": MODEL, "type": "base", "capabilities": {"completion_chat": True}}
    return Reply(200, orjson.dumps({**model, **more}))


def test_a_model_is_asked_about(provider: MistralProvider) -> None:
    assert provider.describe(MODEL) == ModelInfo(MODEL, max_input_tokens=131_072)


def test_what_mistral_does_not_say_of_a_model_is_not_known(
    server: MistralServer, provider: MistralProvider
) -> None:
    server.faults.next(Endpoint.MODELS, card(capabilities={}))
    assert provider.describe(MODEL) == ModelInfo(MODEL)
    server.faults.next(Endpoint.MODELS, card(type="of a new kind", deprecation=1, capabilities=None))
    assert provider.describe(MODEL) == ModelInfo(MODEL)


@pytest.mark.parametrize("written", ["2027-02-28T00:00:00Z", "2027-02-28T00:00:00", "2027-02-28"])
def test_a_model_that_ends_is_warned_of_with_its_day_and_its_successor(
    server: MistralServer, provider: MistralProvider, caplog: pytest.LogCaptureFixture, written: str
) -> None:
    successor = "mistral-large-2512"
    server.faults.next(Endpoint.MODELS, card(deprecation=written, deprecation_replacement_model=successor))
    with caplog.at_level(logging.WARNING):
        assert provider.describe(MODEL).retires_at == datetime(2027, 2, 28, tzinfo=UTC)
    assert caplog.messages == ["mistral-small-2603 is deprecated and retires on 2027-02-28: use mistral-large-2512"]


def test_an_archived_model_is_warned_of(
    server: MistralServer, provider: MistralProvider, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.next(Endpoint.MODELS, card(type="fine-tuned", job="job-1", root="r", archived=True))
    with caplog.at_level(logging.WARNING):
        provider.describe("ft:mine")
    assert caplog.messages == ["ft:mine is archived: unarchive it in Mistral's console if its requests fail"]


def test_a_model_that_does_not_chat_is_refused(server: MistralServer, provider: MistralProvider) -> None:
    server.faults.next(Endpoint.MODELS, card(capabilities={"completion_chat": False, "ocr": True}))
    with pytest.raises(UnsupportedArgumentError, match="'mistral-ocr-latest' cannot be used for chat completions"):
        provider.describe("mistral-ocr-latest")


def test_an_unknown_model_is_answered_with_close_names(server: MistralServer, provider: MistralProvider) -> None:
    with pytest.raises(UnknownModelError, match=r"'mistral-smal-2603'\. Did you mean 'mistral-small-2603'"):
        provider.describe("mistral-smal-2603")
    server.faults.at(Endpoint.MODELS, 4, error_reply(403, "no list for you"))
    with pytest.raises(UnknownModelError, match="'mistral-smal-2603'. Try mistral-small-2603"):
        provider.describe("mistral-smal-2603")


def test_a_page_in_place_of_an_answer_is_told_in_short(server: MistralServer, provider: MistralProvider) -> None:
    page = Reply(404, b"<html>" + b"x" * 100_000 + b"</html>", content_type="text/html")
    server.faults.next(Endpoint.RETRIEVE, page)
    with pytest.raises(ProviderError, match="Mistral answered 404 while checking the job 'job-1'") as raised:
        provider.check("job-1")
    assert 1000 < len(str(raised.value)) < 1200


@pytest.mark.parametrize("key", ["sec\nret", "secr\u00e9t"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(MissingKeyError, match="MISTRAL_API_KEY holds a line break") as raised:
        MistralProvider.from_environment({"MISTRAL_API_KEY": key})
    assert "sec" not in str(raised.value)


def test_no_token_is_shorter_than_a_byte(provider: MistralProvider) -> None:
    around = b'{"model":"mistral-small-2603","messages":[{"role":"user","content":""}],"max_tokens":50}'
    tokens = 256 + len(around) + 4000
    assert provider.count_tokens(ask("a", "\U0001f701" * 1000)) == TokenCount(tokens, exact=False)
