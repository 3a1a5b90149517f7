"""Our adapter against the server: what is Gemini's own, beside the suite that all providers share."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from batchata.errors import (
    ConversationError,
    MissingKeyError,
    ProviderError,
    SubmissionInDoubtError,
    UnknownModelError,
    UnsupportedArgumentError,
)
from batchata.providers.gemini import calls as gemini_calls
from batchata.providers.gemini import provider as gemini_provider
from batchata.providers.gemini.provider import GeminiProvider
from batchata.types import (
    Document,
    DocumentKind,
    DocumentPart,
    Example,
    Failed,
    JobState,
    Message,
    ModelInfo,
    Reason,
    Request,
    Succeeded,
    TextPart,
    TokenCount,
)
from tests import small_files
from tests.providers.served import submit_lines
from tests.wire import answers
from tests.wire.answers import JsonObject
from tests.wire.faults import Cut, DropAnswer, Endpoint, Errored, Reply, Reset
from tests.wire.gemini import GeminiServer
from tests.wire.gemini.replies import GeminiReplies, error_reply
from tests.wire.jobs import NEVER

MODEL = "gemini-3.5-flash-lite"
REPLIES = GeminiReplies()
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"snake_name": {"anyOf": [{"type": "integer"}, {"type": "null"}], "title": "Snake Name"}},
    "required": ["snake_name"],
    "additionalProperties": False,
}


def ask(number: int = 0, *parts: TextPart | DocumentPart, **more: Any) -> Request:
    messages = (Message("user", parts or (TextPart(f"text {number}"),)),)
    return Request(f"id-{number}", MODEL, messages, max_tokens=100, **more)


def submit(provider: GeminiProvider, *requests: Request, tag: str = "tag") -> str:
    return submit_lines(provider, map(provider.encode, requests), tag=tag)


def texts(provider: GeminiProvider, job: str) -> dict[str, str]:
    outcomes = [provider.decode(line) for line in provider.fetch(job)]
    return {each.custom_id: each.text for each in outcomes if isinstance(each, Succeeded)}


FULL = ask(
    0,
    TextPart("Größe 日本 😀 \u2028"),
    DocumentPart(Document("a.pdf", DocumentKind.PDF, "application/pdf", small_files.pdf_of("\xfb\xff"))),
    DocumentPart(Document("a.png", DocumentKind.PNG, "image/png", small_files.PNG, size_px=(1, 1))),
    DocumentPart(Document("a.csv", DocumentKind.CSV, "text/csv", b"a,b", text="a,b")),
    system="Be brief.",
    temperature=0.0,
    schema=SCHEMA,
    examples=(Example((TextPart("in"),), '{"snake_name": null}'),),
)


@pytest.mark.parametrize("inline_bytes", [20_000_000, 0])
def test_what_arrives_is_what_was_encoded(
    provider: GeminiProvider, server: GeminiServer, monkeypatch: pytest.MonkeyPatch, inline_bytes: int
) -> None:
    monkeypatch.setattr(gemini_provider, "_INLINE_BYTES", inline_bytes)
    seen: list[JsonObject] = []

    def answer(params: JsonObject) -> answers.Answer:
        seen.append(params)
        return answers.text_answer("done")

    server.answer = answer
    job = submit(provider, FULL, ask(1))
    assert provider.check(job).state is JobState.ENDED
    assert seen == [orjson.loads(provider.encode(each))["request"] for each in (FULL, ask(1))]
    assert texts(provider, job) == {"id-0": "done", "id-1": "done"}
    assert server.ledger.created[0].custom_ids == ("id-0", "id-1")
    assert server.files.names == ([] if inline_bytes else ["tag"])


@pytest.mark.parametrize(
    ("text", "files"), [("x" * 19_900_000, []), ("x" * 20_000_000, ["tag"]), ("ж" * 4_000_000, ["tag"])]
)
def test_what_would_be_over_the_limit_of_a_call_goes_by_file(
    provider: GeminiProvider, server: GeminiServer, text: str, files: list[str]
) -> None:
    server.answer = lambda params: Errored("api_error", str(len(answers.last_user_text(params))))
    job = submit(provider, ask(0, TextPart(text)))
    assert server.files.names == files
    provider.check(job)
    (outcome,) = [provider.decode(line) for line in provider.fetch(job)]
    # 4 bytes are a token here: the longer ones are refused by the model, and not on the way to it
    assert isinstance(outcome, Failed)
    assert "exceeds the maximum number of tokens" in outcome.message


@pytest.mark.parametrize(
    "fault", [REPLIES.server_error(), REPLIES.rate_limited(), Reset(body_read=True), DropAnswer()]
)
@pytest.mark.parametrize("call", [1, 2])
def test_an_upload_that_fails_is_a_clear_no(
    provider: GeminiProvider, server: GeminiServer, monkeypatch: pytest.MonkeyPatch, fault: Any, call: int
) -> None:
    monkeypatch.setattr(gemini_provider, "_INLINE_BYTES", 0)
    monkeypatch.setattr("google.genai._api_client.INITIAL_RETRY_DELAY", 0.0)
    server.faults.at(Endpoint.UPLOAD, range(call, 10), fault)
    with pytest.raises(ProviderError, match="while uploading the job's file") as caught:
        submit(provider, ask())
    assert not isinstance(caught.value, SubmissionInDoubtError)
    assert caught.value.retryable
    assert server.faults.calls[Endpoint.CREATE] == 0


@pytest.mark.parametrize(
    "fault",
    [
        REPLIES.server_error(),
        REPLIES.server_error(503),
        error_reply(408, "Late."),
        Reset(body_read=True),
        DropAnswer(),
        Reply(200, b"<html>"),
        Reply(200, b"{}"),
    ],
)
def test_a_create_without_a_clear_answer_is_in_doubt_and_not_repeated(
    provider: GeminiProvider, server: GeminiServer, fault: Any
) -> None:
    server.faults.next(Endpoint.CREATE, fault)
    with pytest.raises(SubmissionInDoubtError):
        submit(provider, ask())
    assert server.faults.calls[Endpoint.CREATE] == 1


@pytest.mark.parametrize(
    ("fault", "retry_after", "words"),
    [
        (REPLIES.rate_limited(7), 7.0, "You exceeded your current quota"),
        (REPLIES.spend_limit(), None, "spending cap. .* Raise the project's spend cap"),
        (error_reply(400, "No."), None, "INVALID_ARGUMENT: No."),
        (error_reply(403, "No."), None, "PERMISSION_DENIED: No. The key may not do this"),
    ],
)
def test_a_create_that_is_refused_is_a_clear_no(
    provider: GeminiProvider, server: GeminiServer, fault: Reply, retry_after: float | None, words: str
) -> None:
    server.faults.next(Endpoint.CREATE, fault)
    with pytest.raises(ProviderError, match=words) as caught:
        submit(provider, ask())
    assert not isinstance(caught.value, SubmissionInDoubtError)
    assert caught.value.status_code == fault.status
    assert (caught.value.retryable, caught.value.retry_after) == (retry_after is not None, retry_after)
    assert server.faults.calls[Endpoint.CREATE] == 1


def test_a_connection_that_was_never_made_is_a_clear_no() -> None:
    with GeminiServer() as closed:
        gone = GeminiProvider.from_environment({"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": closed.url})
    with pytest.raises(ProviderError, match="could not be reached while creating the job") as caught:
        submit(gone, ask())
    assert not isinstance(caught.value, SubmissionInDoubtError)


def test_reads_wait_as_long_as_google_says_in_the_body(provider: GeminiProvider, server: GeminiServer) -> None:
    job = submit(provider, ask())
    server.faults.at(Endpoint.RETRIEVE, [1, 2, 3], server.replies.rate_limited(0.01))
    assert provider.check(job).state is JobState.ENDED
    assert server.faults.calls[Endpoint.RETRIEVE] == 4


def test_a_wait_of_hours_is_left_to_the_run(provider: GeminiProvider, server: GeminiServer) -> None:
    job = submit(provider, ask())
    server.faults.next(Endpoint.RETRIEVE, server.replies.rate_limited(3600))
    with pytest.raises(ProviderError, match="RESOURCE_EXHAUSTED") as caught:
        provider.check(job)
    assert (caught.value.retryable, caught.value.retry_after) == (True, 3600.0)
    assert server.faults.calls[Endpoint.RETRIEVE] == 1


def test_an_unknown_job_is_said_at_once(provider: GeminiProvider, server: GeminiServer) -> None:
    with pytest.raises(ProviderError, match="404 while checking the job 'batches/no'") as caught:
        provider.check("batches/no")
    assert not caught.value.retryable
    assert server.faults.calls[Endpoint.RETRIEVE] == 1


@pytest.mark.parametrize("cut", [Cut(), Cut(silent=True), Cut(fraction=0.9), Reset(body_read=True)])
def test_a_cut_download_of_a_file_starts_again(
    provider: GeminiProvider, server: GeminiServer, monkeypatch: pytest.MonkeyPatch, cut: Any
) -> None:
    monkeypatch.setattr(gemini_provider, "_INLINE_BYTES", 0)
    job = submit(provider, *(ask(number) for number in range(30)))
    provider.check(job)
    server.faults.next(Endpoint.RESULTS, cut)
    assert texts(provider, job) == {f"id-{number}": f"text {number}" for number in range(30)}
    assert server.faults.calls[Endpoint.RESULTS] == 2


def test_a_batch_with_inline_results_that_is_cut_is_read_again(
    provider: GeminiProvider, server: GeminiServer
) -> None:
    job = submit(provider, ask(0), ask(1))
    provider.check(job)
    server.faults.next(Endpoint.RETRIEVE, Cut(silent=True))
    assert texts(provider, job) == {"id-0": "text 0", "id-1": "text 1"}


def test_a_job_that_succeeded_in_part_is_read(provider: GeminiProvider, server: GeminiServer) -> None:
    server.gemini.partial = True
    server.answer = lambda params: (
        Errored("api_error", "Oh.") if answers.last_user_text(params) == "text 1" else answers.echo(params)
    )
    job = submit(provider, ask(0), ask(1))
    assert provider.check(job).state is JobState.ENDED
    outcomes = {each.custom_id: each for each in map(provider.decode, provider.fetch(job))}
    assert outcomes["id-1"] == Failed("id-1", Reason.ERRORED, "error 13: Oh.", retryable=True)
    assert isinstance(outcomes["id-0"], Succeeded)


def test_an_expired_job_has_failed_and_says_what_is_lost(provider: GeminiProvider, server: GeminiServer) -> None:
    server.ends_after = NEVER
    job = submit(provider, ask(0), ask(1))
    server.batches.expire(done=0.5)
    seen = provider.check(job)
    assert (seen.state, seen.counts, seen.is_billed) == (JobState.FAILED, None, None)
    assert seen.message == (
        "it was not done within 48 hours: Gemini returns nothing of it, not even what was finished"
    )
    assert list(provider.fetch(job)) == []


def test_a_failed_job_says_why(provider: GeminiProvider, server: GeminiServer) -> None:
    server.ends_after = NEVER
    job = submit(provider, ask())
    server.gemini.fail("Broken.")
    seen = provider.check(job)
    assert (seen.state, seen.message) == (JobState.FAILED, "error 13: Broken.")


def test_a_canceled_job_is_read_where_it_has_results(provider: GeminiProvider, server: GeminiServer) -> None:
    server.ends_after = NEVER
    server.gemini.done_at_cancel = 0.5
    server.gemini.keeps_canceled = True
    job = submit(provider, ask(0), ask(1))
    provider.cancel(job)
    assert provider.check_many([job]) == {}  # the list leaves out whether there are results
    assert provider.check(job).state is JobState.ENDED
    outcomes = {each.custom_id: each for each in map(provider.decode, provider.fetch(job))}
    assert isinstance(outcomes["id-0"], Succeeded)
    assert outcomes["id-1"] == Failed(
        "id-1", Reason.CANCELED, "the job was canceled first (The operation was cancelled.)", retryable=True
    )


def test_a_canceled_job_without_results_has_failed(provider: GeminiProvider, server: GeminiServer) -> None:
    server.ends_after = NEVER
    job = submit(provider, ask())
    provider.cancel(job)
    seen = provider.check(job)
    assert (seen.state, seen.message) == (JobState.FAILED, "it was canceled, and Gemini returns nothing of it")


def test_many_jobs_are_looked_at_in_one_call(provider: GeminiProvider, server: GeminiServer) -> None:
    jobs = [submit(provider, ask(number)) for number in range(3)]
    seen = provider.check_many([*jobs[:2], "batches/of-another-project"])
    assert {job: each.state for job, each in seen.items()} == dict.fromkeys(jobs[:2], JobState.ENDED)
    assert (server.faults.calls[Endpoint.LIST], server.faults.calls[Endpoint.RETRIEVE]) == (1, 0)


def test_jobs_are_found_by_their_name_over_all_pages_newest_first(
    provider: GeminiProvider, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gemini_calls, "_PAGE", 2)
    started = datetime.now(UTC)
    tags = ["mine", "mine", "mine-too", "other", "mine", "Mine", "other"]
    jobs = [submit(provider, ask(number), tag=tag) for number, tag in enumerate(tags)]
    assert [each.provider_job_id for each in provider.find("mine", started, 1)] == [jobs[4], jobs[1], jobs[0]]
    assert server.faults.calls[Endpoint.LIST] == 4
    later = started + timedelta(days=2)
    assert provider.find("mine", later, 1) == []
    assert server.faults.calls[Endpoint.LIST] == 5


def test_an_old_job_in_the_list_does_not_hide_younger_ones_behind_it(
    provider: GeminiProvider, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gemini_calls, "_PAGE", 2)
    jobs = [submit(provider, ask(number), tag=f"tag-{number}") for number in range(4)]
    server.gemini.find(jobs[2]).created_at -= timedelta(days=3)
    (found,) = provider.find("tag-0", datetime.now(UTC), 1)
    assert found.provider_job_id == jobs[0]
    assert provider.find("tag-2", datetime.now(UTC), 1) == []


def test_tokens_are_counted_exactly_where_gemini_counts_all_of_it(provider: GeminiProvider) -> None:
    assert provider.count_tokens(ask(0, TextPart("12345678"))) == TokenCount(2, exact=True)


def test_system_text_and_schema_are_counted_with_the_rest(provider: GeminiProvider) -> None:
    counted = provider.count_tokens(ask(0, TextPart("12345678"), system="1234", schema={"type": "string"}))
    assert counted == TokenCount(2 + 1 + 5, exact=True)


def test_counting_says_what_gemini_would_refuse(provider: GeminiProvider) -> None:
    bad = Document("a.png", DocumentKind.PNG, "image/png", b"no picture", size_px=(1, 1))
    with pytest.raises(
        ConversationError, match="Gemini would refuse it: INVALID_ARGUMENT: Could not process image"
    ):
        provider.count_tokens(ask(0, DocumentPart(bad)))


def test_a_wrong_key_is_not_the_requests_fault(server: GeminiServer) -> None:
    provider = GeminiProvider.from_environment({"GEMINI_API_KEY": "no", "GOOGLE_GEMINI_BASE_URL": server.url})
    with pytest.raises(ProviderError, match="API key not valid.* Check GEMINI_API_KEY") as caught:
        provider.count_tokens(ask())
    assert (caught.value.status_code, caught.value.retryable) == (400, False)
    assert server.faults.calls[Endpoint.COUNT_TOKENS] == 1


def test_counting_is_patient(provider: GeminiProvider, server: GeminiServer) -> None:
    server.faults.next(Endpoint.COUNT_TOKENS, server.replies.rate_limited(0.01))
    assert provider.count_tokens(ask(0, TextPart("1234"))) == TokenCount(1, exact=True)


def test_a_model_and_its_limits(provider: GeminiProvider) -> None:
    assert provider.describe(MODEL) == ModelInfo(MODEL, max_input_tokens=1_048_576, max_output_tokens=65_536)


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        ("gemini-3.5-flash-lit", UnknownModelError, "Did you mean 'gemini-3.5-flash-lite' or"),
        ("no-such-model", UnknownModelError, "Try gemini-3.5-flash-lite, "),
        ("gemini-1.5-flash", UnknownModelError, "shut 'gemini-1.5-flash' down"),
        ("gemini-2.0-flash-lite", UnknownModelError, "shut 'gemini-2.0-flash-lite' down"),
        ("models/gemini-2.0-flash", UnknownModelError, "shut 'models/gemini-2.0-flash' down"),
        ("gemini-3-pro-preview", UnknownModelError, "shut 'gemini-3-pro-preview' down"),
        (
            "gemini-2.5-flash-preview-tts",
            UnsupportedArgumentError,
            "cannot be used in batches, only for generateContent, countTokens",
        ),
    ],
)
def test_models_that_cannot_be_used(
    provider: GeminiProvider, model: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        provider.describe(model)


def test_the_key_that_the_sdk_prefers_wins(server: GeminiServer) -> None:
    both = {"GOOGLE_API_KEY": server.key, "GEMINI_API_KEY": "other", "GOOGLE_GEMINI_BASE_URL": server.url}
    assert GeminiProvider.from_environment(both).describe(MODEL).model == MODEL
    with pytest.raises(MissingKeyError, match="set GEMINI_API_KEY"):
        GeminiProvider.from_environment({"GEMINI_API_KEY": " "})


def test_that_48_hours_lose_everything_is_said_once(
    provider: GeminiProvider, caplog: pytest.LogCaptureFixture
) -> None:
    gemini_provider._warn_of_expiry.cache_clear()  # another test may have been first
    with caplog.at_level(logging.WARNING, logger="batchata"):
        submit(provider, ask(0))
        submit(provider, ask(1))
    assert [record.getMessage() for record in caplog.records] == [
        "a Gemini job that is not done within 48 hours expires, and everything in it is lost"
    ]
