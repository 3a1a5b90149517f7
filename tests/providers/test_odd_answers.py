"""Answers that no page of the providers' shows, from a gateway or a server in trouble: nothing is taken for a no
that is none, nothing raw comes through, and no odd value costs the answers beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from batchata.errors import ArgumentError, ProviderError, SubmissionInDoubtError, UnknownModelError
from batchata.providers import Provider, lines, patience
from batchata.providers.anthropic.provider import AnthropicProvider
from batchata.providers.chat.decode import decode_completion
from batchata.providers.gemini.decode import decode
from batchata.providers.gemini.provider import GeminiProvider
from batchata.providers.mistral.provider import MistralProvider
from batchata.providers.refusals import Refusal, seconds_of
from batchata.types import Failed, JobState, Message, Reason, Request, Succeeded, TextBlock, TextPart, Usage
from tests.providers.served import KINDS, submit_lines
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import Endpoint, Reply
from tests.wire.gemini import GeminiServer
from tests.wire.loopback import Loopback
from tests.wire.mistral import MistralServer

LATIN_PAGE = Reply(502, b"<html>ung\xfcltig</html>", content_type="text/html")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_WAITS", (0.0, 0.0))


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    with GeminiServer() as server:
        yield server


@pytest.fixture
def mistral() -> Iterator[MistralServer]:
    with MistralServer() as server:
        yield server


def connect(server: Loopback) -> Provider:
    if isinstance(server, GeminiServer):
        return GeminiProvider.from_environment({"GEMINI_API_KEY": server.key, "GOOGLE_GEMINI_BASE_URL": server.url})
    return MistralProvider.from_environment({"MISTRAL_API_KEY": server.key, "MISTRAL_BASE_URL": server.url})


def submit(server: Loopback, tag: str = "run-1") -> str:
    provider, name = connect(server), "gemini" if isinstance(server, GeminiServer) else "mistral"
    request = Request("id-0", KINDS[name].model, (Message("user", (TextPart("a"),)),), max_tokens=50)
    return submit_lines(provider, [provider.encode(request)], tag=tag)


# --- a create --------------------------------------------------------------------------------------------------------


UNCLEAR = {
    "created": Reply(201, b'{"name": "batches/b1"}'),
    "accepted": Reply(202, b"{}"),
    "no content": Reply(204, b""),
    "given up": Reply(499, b'{"error": {"code": 499, "message": "gone", "status": "CANCELLED"}}'),
    "a page that is not UTF-8": LATIN_PAGE,
    "a number": Reply(200, b"5"),
    "a list where an object should be": Reply(200, b'{"name": "batches/b1", "metadata": {"output": [1]}}'),
    "details that are none": Reply(502, b'{"error": {"details": 5}}'),
}


@pytest.mark.parametrize("reply", UNCLEAR.values(), ids=UNCLEAR)
def test_an_unclear_answer_to_a_create_leaves_it_in_doubt_at_gemini(gemini: GeminiServer, reply: Reply) -> None:
    gemini.faults.at(Endpoint.CREATE, 1, reply)
    with pytest.raises(SubmissionInDoubtError) as caught:
        submit(gemini)
    assert caught.value.retryable


@pytest.mark.parametrize("reply", UNCLEAR.values(), ids=UNCLEAR)
def test_an_unclear_answer_to_a_create_leaves_it_in_doubt_at_mistral(mistral: MistralServer, reply: Reply) -> None:
    mistral.faults.at(Endpoint.CREATE, 1, reply)
    with pytest.raises(SubmissionInDoubtError) as caught:
        submit(mistral)
    assert caught.value.retryable


@pytest.mark.parametrize("body", [b"{}", b'{"id": 5}', b'{"id": ""}', b"<html></html>"])
def test_an_answer_to_a_create_without_an_id_leaves_it_in_doubt_at_anthropic(body: bytes) -> None:
    with AnthropicServer() as server:
        environment = {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        server.faults.at(
            Endpoint.CREATE, 1, Reply(200, body, content_type="text/html" if b"<" in body else "application/json")
        )
        provider = AnthropicProvider.from_environment(environment)
        request = Request("id-0", KINDS["anthropic"].model, (Message("user", (TextPart("a"),)),), max_tokens=50)
        with pytest.raises(SubmissionInDoubtError):
            submit_lines(provider, [provider.encode(request)], tag="run-1")


@pytest.mark.parametrize("body", [b"{}", b'{"data": null}', b"<html></html>"])
def test_a_list_that_is_none_does_not_say_that_there_is_no_job_at_anthropic(body: bytes) -> None:
    with AnthropicServer() as server:
        environment = {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        server.faults.at(
            Endpoint.LIST,
            range(1, 9),
            Reply(200, body, content_type="text/html" if b"<" in body else "application/json"),
        )
        provider = AnthropicProvider.from_environment(environment)
        for look in (lambda: provider.find("run-1", NOW, 1), lambda: provider.check_many(["a"])):
            with pytest.raises(ProviderError, match="not what was expected") as caught:
                look()
            assert caught.value.retryable


def test_a_count_that_is_none_is_not_zero_at_anthropic() -> None:
    with AnthropicServer() as server:
        environment = {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        server.faults.at(Endpoint.COUNT_TOKENS, range(1, 9), Reply(200, b"{}"))
        provider = AnthropicProvider.from_environment(environment)
        request = Request("id-0", KINDS["anthropic"].model, (Message("user", (TextPart("a"),)),), max_tokens=50)
        with pytest.raises(ProviderError, match="not what was expected"):
            provider.count_tokens(request)


def test_only_a_4xx_is_a_no() -> None:
    assert [status for status in range(100, 600) if not Refusal(status, "").leaves_doubt] == [
        status for status in range(400, 500) if status not in {408, 499}
    ]


# --- looking for a job ----------------------------------------------------------------------------------------------


def listed(*pages: list[dict[str, Any]]) -> list[Reply]:
    tokens = [*(f"page-{number}" for number in range(1, len(pages))), None]
    return [
        Reply(200, orjson.dumps({**({"operations": page} if page else {}), **({"nextPageToken": t} if t else {})}))
        for page, t in zip(pages, tokens, strict=True)
    ]


def batch_of(name: str, created: datetime) -> dict[str, Any]:
    about = {"state": "BATCH_STATE_RUNNING", "displayName": name, "createTime": created.isoformat()}
    return {"name": f"batches/{name}", "metadata": about}


NOW = datetime(2026, 11, 22, tzinfo=UTC)
OLD = [batch_of(f"old-{day}", NOW - timedelta(days=30 - day)) for day in range(3)]


@pytest.mark.parametrize(
    ("pages", "asked"),
    [
        pytest.param([[], [batch_of("mine", NOW)]], 2, id="behind an empty page"),
        pytest.param([OLD[:2], OLD[2:], [batch_of("mine", NOW)]], 3, id="oldest first"),
        pytest.param([[batch_of("mine", NOW)], OLD[::-1], [OLD[0]]], 2, id="newest first"),
    ],
)
def test_gemini_finds_a_job_wherever_it_stands_in_the_list(
    gemini: GeminiServer, pages: list[list[dict[str, Any]]], asked: int
) -> None:
    for number, reply in enumerate(listed(*pages), start=1):
        gemini.faults.at(Endpoint.LIST, number, reply)
    assert [job.provider_job_id for job in connect(gemini).find("mine", NOW, 1)] == ["batches/mine"]
    assert gemini.faults.calls[Endpoint.LIST] == asked


@pytest.mark.parametrize("body", [b"null", b"[]", b"[1]", b'"x"'])
def test_a_list_that_is_none_is_not_an_empty_one(gemini: GeminiServer, body: bytes) -> None:
    gemini.faults.at(Endpoint.LIST, range(1, 9), Reply(200, body))
    with pytest.raises(ProviderError, match="cannot be read"):
        connect(gemini).find("mine", NOW, 1)


def mistral_job(job_id: str, tag: str, **more: Any) -> dict[str, Any]:
    return {
        "id": job_id,
        "input_files": ["f"],
        "endpoint": "/v1/chat/completions",
        "errors": [],
        "status": "RUNNING",
        "created_at": 1787150442,
        "total_requests": 1,
        "completed_requests": 1,
        "succeeded_requests": 1,
        "failed_requests": 0,
        "metadata": {"batchata": tag},
        **more,
    }


@pytest.mark.parametrize(("before", "asked"), [(0, 1), (99, 2), (100, 2), (150, 2), (250, 3)])
def test_mistral_finds_a_job_behind_those_of_others(mistral: MistralServer, before: int, asked: int) -> None:
    jobs = [*(mistral_job(f"job-{number}", "other") for number in range(before)), mistral_job("job-mine", "mine")]
    for number, start in enumerate(range(0, len(jobs) + 1, 100), start=1):
        page = {"object": "list", "data": jobs[start : start + 100], "total": len(jobs)}
        mistral.faults.at(Endpoint.LIST, number, Reply(200, orjson.dumps(page)))
    assert [job.provider_job_id for job in connect(mistral).find("mine", NOW, 1)] == ["job-mine"]
    assert mistral.faults.calls[Endpoint.LIST] == asked


def test_a_list_at_mistral_that_knows_one_page_only_comes_to_an_end(mistral: MistralServer) -> None:
    jobs = [mistral_job(f"job-{number}", "other") for number in range(100)]
    page = Reply(200, orjson.dumps({"object": "list", "data": jobs, "total": 100}))
    mistral.faults.at(Endpoint.LIST, range(1, 9), page)
    assert connect(mistral).find("mine", NOW, 1) == []
    assert mistral.faults.calls[Endpoint.LIST] == 2


# --- reads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        LATIN_PAGE,
        Reply(200, b"<html>ung\xfcltig</html>", content_type="text/html"),
        Reply(200, b"null"),
        Reply(200, b"[]"),
        Reply(200, b"{}"),
        Reply(200, b'{"name": "batches/b1", "metadata": "x"}'),
        Reply(200, b'{"name": "batches/b1", "metadata": {"state": "BATCH_STATE_RUNNING", "createTime": "soon"}}'),
        Reply(200, b'{"name": "batches/b1", "metadata": {"state": "BATCH_STATE_FAILED"}, "error": "boom"}'),
    ],
)
def test_a_check_at_gemini_that_cannot_be_read_may_be_repeated(gemini: GeminiServer, reply: Reply) -> None:
    gemini.faults.at(Endpoint.RETRIEVE, range(1, 9), reply)
    with pytest.raises(ProviderError, match="checking the job 'batches/b1'") as caught:
        connect(gemini).check("batches/b1")
    assert caught.value.retryable
    assert gemini.faults.calls[Endpoint.RETRIEVE] == 3


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"<html>ung\xfcltig</html>"])
def test_a_page_where_anthropics_answer_should_be_may_be_asked_for_again(body: bytes) -> None:
    page = Reply(200, body, content_type="text/html")
    with AnthropicServer() as server:
        provider = AnthropicProvider.from_environment(
            {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        )
        for endpoint in (Endpoint.RETRIEVE, Endpoint.LIST, Endpoint.MODELS):
            server.faults.at(endpoint, range(1, 9), page)
        for call in (
            lambda: provider.check("msgbatch_1"),
            lambda: provider.find("tag", NOW, 1),
            lambda: provider.describe("claude-haiku-5-5"),
        ):
            with pytest.raises(ProviderError, match="its answer is not what was expected") as caught:
                call()
            assert caught.value.retryable


@pytest.mark.parametrize("name", ["", "\ud800"])
def test_a_model_with_a_name_that_none_has_is_unknown_to_anthropic(name: str) -> None:
    with AnthropicServer() as server:
        provider = AnthropicProvider.from_environment(
            {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        )
        with pytest.raises(UnknownModelError, match="Anthropic does not know the model"):
            provider.describe(name)


def test_results_at_gemini_that_are_no_results_may_be_asked_for_again(gemini: GeminiServer) -> None:
    body = b'{"name": "batches/b1", "metadata": {"state": "BATCH_STATE_SUCCEEDED", "output": [1]}}'
    gemini.faults.at(Endpoint.RETRIEVE, range(1, 9), Reply(200, body))
    with pytest.raises(ProviderError, match="reading the results of 'batches/b1'") as caught:
        list(connect(gemini).fetch("batches/b1"))
    assert caught.value.retryable


@pytest.mark.parametrize("job_id", ["abc", "batches", "batches/a?b", "batches/a/b", "../models", "batches/x\n"])
def test_an_id_that_gemini_never_gave_is_not_asked_about(gemini: GeminiServer, job_id: str) -> None:
    provider = connect(gemini)
    for call in (provider.check, provider.cancel, lambda each: list(provider.fetch(each))):
        with pytest.raises(ArgumentError, match=r"is no id of a job at Gemini.*BatchJob\.id"):
            call(job_id)
    assert gemini.faults.calls.total() == 0


@pytest.mark.parametrize("name", ["x?y=1", "x#y", "x\n", "../models", "é", "a b", "\ud800", ""])
def test_a_model_with_a_name_that_none_has_is_unknown(
    gemini: GeminiServer, mistral: MistralServer, name: str
) -> None:
    for server, title in ((gemini, "Gemini"), (mistral, "Mistral")):
        with pytest.raises(UnknownModelError, match=f"{title} does not know the model"):
            connect(server).describe(name)
        assert server.faults.calls[Endpoint.MODELS] == 1  # the list, for a name that is meant


def test_a_page_in_the_place_of_gemini_does_not_make_a_model_unknown(gemini: GeminiServer) -> None:
    gemini.faults.at(Endpoint.MODELS, 1, Reply(404, b"<html>nothing here</html>", content_type="text/html"))
    with pytest.raises(ProviderError, match="Gemini answered 404 while asking for the model"):
        connect(gemini).describe("gemini-3.5-flash-lite")


@pytest.mark.parametrize("words", ["Your project has exceeded its monthly Spending Cap.", "Spend cap exceeded."])
def test_no_money_at_gemini_is_known_in_any_case(gemini: GeminiServer, words: str) -> None:
    body = {"error": {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED"}}
    gemini.faults.at(Endpoint.MODELS, range(1, 9), Reply(429, orjson.dumps(body)))
    with pytest.raises(ProviderError, match="Raise the project's spend cap") as caught:
        connect(gemini).describe("gemini-3.5-flash-lite")
    assert not caught.value.retryable


def test_results_of_a_failed_job_at_mistral_are_read(mistral: MistralServer) -> None:
    for files, state in (
        ({"output_file": "f1"}, JobState.ENDED),
        ({"error_file": "f2"}, JobState.ENDED),
        ({"output_file": None}, JobState.FAILED),
        ({}, JobState.FAILED),
    ):
        mistral.faults.next(
            Endpoint.RETRIEVE, Reply(200, orjson.dumps(mistral_job("job-1", "t", status="FAILED", **files)))
        )
        assert connect(mistral).check("job-1").state is state


@pytest.mark.parametrize("told", ["-1", "nan", "inf", "1e400", "", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_time_that_cannot_be_waited_for_is_none(told: str) -> None:
    assert seconds_of(told) is None


def test_a_server_that_says_wait_no_time_is_not_asked_in_one_breath(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(patience, "_WAITS", (0.5, 1.0))
    monkeypatch.setattr("time.sleep", slept.append)
    error = ProviderError("busy", provider="gemini", retryable=True, retry_after=0.0)

    def fail() -> None:
        raise error

    with pytest.raises(ProviderError):
        patience.patiently(fail)
    assert slept == [0.5, 1.0]


# --- answers --------------------------------------------------------------------------------------------------------


def gemini_line(usage: Any, text: Any = "hi", **more: Any) -> bytes:
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}
    return orjson.dumps(
        {
            "key": "id-0",
            "response": {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", **more},
        }
    )


def chat_line(usage: Any, text: Any = "hi", **more: Any) -> bytes:
    message = {"content": [{"type": "text", "text": text}]}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage, "model": "m", **more}
    return orjson.dumps({"custom_id": "id-0", "response": {"status_code": 200, "body": body}})


def decode_chat(line: bytes) -> Any:
    return lines.decode(line, decode_completion)


@pytest.mark.parametrize("odd", [1.5, 12.0, 1e30, -5, "12", [], {"a": 1}, None])
def test_counts_that_cannot_be_true_are_not_known_and_the_answer_stands(odd: Any) -> None:
    right = Succeeded("id-0", (TextBlock("hi"),), None, model="m")
    assert decode(gemini_line({"promptTokenCount": odd, "candidatesTokenCount": 2})) == right
    assert decode(gemini_line({"promptTokenCount": 10, "candidatesTokenCount": odd})) == right
    assert decode_chat(chat_line({"prompt_tokens": odd, "completion_tokens": 2})) == right
    assert decode_chat(chat_line({"prompt_tokens": 10, "completion_tokens": odd})) == right


def test_more_cached_than_there_was_is_not_known() -> None:
    line = gemini_line({"promptTokenCount": 10, "candidatesTokenCount": 2, "cachedContentTokenCount": 11})
    assert decode(line) == Succeeded("id-0", (TextBlock("hi"),), None, model="m")
    line = gemini_line({"promptTokenCount": 10, "candidatesTokenCount": 2, "cachedContentTokenCount": 10})
    used = Usage(input_tokens=10, output_tokens=2, cache_read_tokens=10)
    assert decode(line) == Succeeded("id-0", (TextBlock("hi"),), used, model="m")


def test_a_tier_that_is_no_word_leaves_the_price_open() -> None:
    line = chat_line({"prompt_tokens": 10, "completion_tokens": 2}, service_tier=5)
    assert decode_chat(line) == Succeeded("id-0", (TextBlock("hi"),), None, model="m")


@pytest.mark.parametrize("odd", [None, 5, [], {"a": 1}, True])
def test_a_text_that_is_none_is_no_answer(odd: Any) -> None:
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 2}
    with pytest.raises(ValueError, match="not a result line of Gemini's"):
        decode(gemini_line(usage, odd))
    with pytest.raises(ValueError, match="not a result line"):
        decode_chat(chat_line({"prompt_tokens": 10, "completion_tokens": 2}, odd))


def test_a_model_that_is_no_name_is_no_answer() -> None:
    with pytest.raises(ValueError, match="not a result line of Gemini's"):
        decode(gemini_line({"promptTokenCount": 10, "candidatesTokenCount": 2}, modelVersion=5))


def test_an_answer_without_words_may_have_taken_no_tokens() -> None:
    refused = {"candidates": [{"finishReason": "SAFETY"}], "usageMetadata": {"promptTokenCount": 10}}
    assert decode(orjson.dumps({"key": "id-0", "response": refused})) == Failed(
        "id-0",
        Reason.REFUSED,
        "the model refused to answer (SAFETY: no explanation)",
        usage=Usage(input_tokens=10),
        is_billed=True,
    )
