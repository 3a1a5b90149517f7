"""The server, driven by the unmodified SDK: what it says must be what the real one says."""

from __future__ import annotations

import base64
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types
from google.genai.errors import ClientError, ServerError

from tests.wire import answers
from tests.wire.answers import JsonObject
from tests.wire.calls import ONE_PAGE_PDF, PNG
from tests.wire.faults import Endpoint, Errored
from tests.wire.gemini import GeminiServer
from tests.wire.gemini.models import price
from tests.wire.jobs import NEVER, Checks

MODEL = "gemini-3.5-flash-lite"


def request(text: str = "Hello", **config: Any) -> JsonObject:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], "generationConfig": config}


def inline(*requests: JsonObject) -> list[types.InlinedRequest]:
    return [
        types.InlinedRequest(
            contents=each["contents"],
            config=types.GenerateContentConfig(**each["generationConfig"]),
            metadata={"key": f"item-{index}"},
        )
        for index, each in enumerate(requests)
    ]


def create(client: genai.Client, *requests: JsonObject) -> types.BatchJob:
    return client.batches.create(model=MODEL, src=inline(*requests), config={"display_name": "mine"})


def results(client: genai.Client, job: types.BatchJob) -> dict[str, types.InlinedResponse]:
    dest = client.batches.get(name=job.name or "").dest
    assert dest is not None
    return {(each.metadata or {})["key"]: each for each in dest.inlined_responses or []}


def upload(client: genai.Client, *lines: object, mime_type: str = "jsonl") -> str:
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    made = client.files.upload(
        file=io.BytesIO(body), config=types.UploadFileConfig(mime_type=mime_type, display_name="my file")
    )
    return made.name or ""


def create_from_file(client: genai.Client, name: str) -> types.BatchJob:
    return client.batches.create(model=MODEL, src=name, config={"display_name": "mine"})


def one_error(server: GeminiServer, body: JsonObject) -> JsonObject:
    """What a request that came in a file is told in its result."""
    line = {"key": "a", "request": body}
    headers = {"x-goog-api-key": server.key}
    with httpx2.Client(headers=headers) as http:
        client = genai.Client(
            vertexai=False,
            api_key=server.key,
            http_options=types.HttpOptions(base_url=server.url, httpx_client=http),
        )
        job = create_from_file(client, upload(client, line))
        dest = client.batches.get(name=job.name or "").dest
        assert dest is not None
        got = json.loads(client.files.download(file=dest.file_name or ""))
    error: JsonObject = got["error"]
    return error


def test_an_inline_batch_from_create_to_results(client: genai.Client, server: GeminiServer) -> None:
    server.ends_after = Checks(2)
    created = create(client, request("one"), request("two"))
    assert (created.state, created.display_name, created.model) == (
        types.JobState.JOB_STATE_PENDING,
        "mine",
        f"models/{MODEL}",
    )
    assert client.batches.get(name=created.name or "").state is types.JobState.JOB_STATE_RUNNING
    ended = client.batches.get(name=created.name or "")
    assert (ended.state, ended.done) == (types.JobState.JOB_STATE_SUCCEEDED, True)
    texts = {key: each.response.text for key, each in results(client, created).items() if each.response}
    assert texts == {"item-0": "one", "item-1": "two"}


def test_a_batch_from_a_file(client: genai.Client, server: GeminiServer) -> None:
    lines = [{"key": f"k{number}", "request": request(str(number))} for number in range(20)]
    job = create_from_file(client, upload(client, *lines))
    assert server.files.names == ["my file"]
    dest = client.batches.get(name=job.name or "").dest
    assert dest is not None
    assert dest.inlined_responses is None
    got = [json.loads(line) for line in client.files.download(file=dest.file_name or "").splitlines()]
    texts = {each["key"]: each["response"]["candidates"][0]["content"]["parts"][0]["text"] for each in got}
    assert texts == {f"k{number}": str(number) for number in range(20)}
    assert [each["key"] for each in got] != [f"k{number}" for number in range(20)]


def test_a_large_file_comes_in_pieces(client: genai.Client, server: GeminiServer) -> None:
    lines = [{"key": "a", "request": request("x" * 9_000_000)}, {"key": "b", "request": request("y" * 9)}]
    calls = server.faults.calls[Endpoint.UPLOAD]
    job = create_from_file(client, upload(client, *lines))
    assert server.faults.calls[Endpoint.UPLOAD] - calls == 3
    assert server.ledger.created[0].batch_id == job.name
    assert server.ledger.created[0].custom_ids == ("a", "b")


def test_a_response_is_whole(client: genai.Client, server: GeminiServer) -> None:
    server.answer = lambda _: answers.with_thinking(answers.text_answer("Hello you"), "Who is this?")
    response = results(client, create(client, request("Hello you", thinkingConfig={"includeThoughts": True})))[
        "item-0"
    ].response
    assert response is not None
    assert response.model_dump(exclude_none=True, mode="json") == {
        "candidates": [
            {
                "content": {
                    "parts": [{"text": "Who is this?", "thought": True}, {"text": "Hello you"}],
                    "role": "model",
                },
                "finish_reason": "STOP",
                "index": 0,
            }
        ],
        "model_version": MODEL,
        "response_id": response.response_id,
        "usage_metadata": {
            "prompt_token_count": 3,
            "prompt_tokens_details": [{"modality": "TEXT", "token_count": 3}],
            "candidates_token_count": 3,
            "thoughts_token_count": 3,
            "total_token_count": 9,
        },
    }


def test_the_bill_of_a_batch(client: genai.Client, server: GeminiServer) -> None:
    server.answer = lambda _: answers.text_answer(
        "", usage={"promptTokenCount": 1_000_000, "candidatesTokenCount": 100_000, "thoughtsTokenCount": 100_000}
    )
    results(client, create(client, request()))
    assert server.ledger.total == Decimal("0.40")  # 0.15 + 0.2 * 1.25


@pytest.mark.parametrize(("prompt", "expected"), [(200_000, "0.13"), (200_001, "0.257501250")])
def test_the_step_in_the_price_of_the_older_pro(prompt: int, expected: str) -> None:
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": 1_000}
    assert price("gemini-2.5-pro", usage) == Decimal(expected)


def test_truncated_and_refused(client: genai.Client, server: GeminiServer) -> None:
    server.answer = lambda params: {
        "cut": answers.text_answer("a long answer indeed"),
        "no": answers.refusal("I cannot."),
        "nothing": answers.refusal(),
    }[answers.last_user_text(params)]
    job = create(client, request("cut", maxOutputTokens=2), request("no"), request("nothing"))
    got = results(client, job)
    responses = [got[f"item-{number}"].response for number in range(3)]
    assert [each.candidates and each.candidates[0].finish_reason for each in responses if each] == [
        types.FinishReason.MAX_TOKENS,
        types.FinishReason.PROHIBITED_CONTENT,
        None,
    ]
    assert [each.text for each in responses[:2] if each] == ["a long a", "I cannot."]
    assert responses[2] is not None
    assert responses[2].prompt_feedback is not None
    assert responses[2].prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT


def test_cancel_gives_nothing(client: genai.Client, server: GeminiServer) -> None:
    server.ends_after = NEVER
    server.batches.done_at_cancel = 0.5
    job = create(client, request("a"), request("b"))
    client.batches.cancel(name=job.name or "")
    ended = client.batches.get(name=job.name or "")
    assert (ended.state, ended.dest) == (types.JobState.JOB_STATE_CANCELLED, None)
    with pytest.raises(ClientError, match="already ended"):
        client.batches.cancel(name=job.name or "")


def test_an_expired_job_gives_nothing_of_what_was_done_and_billed(
    client: genai.Client, server: GeminiServer
) -> None:
    server.ends_after = NEVER
    job = create(client, request("a"), request("b"))
    server.batches.expire(done=0.5)
    ended = client.batches.get(name=job.name or "")
    assert (ended.state, ended.dest) == (types.JobState.JOB_STATE_EXPIRED, None)
    assert len(server.ledger.billed) == 1


def test_a_failed_job(client: genai.Client, server: GeminiServer) -> None:
    server.ends_after = NEVER
    job = create(client, request("a"))
    server.gemini.fail()
    ended = client.batches.get(name=job.name or "")
    assert (ended.state, ended.dest) == (types.JobState.JOB_STATE_FAILED, None)
    assert server.ledger.billed == []


def test_a_file_with_a_broken_line_fails_as_a_whole(client: genai.Client, server: GeminiServer) -> None:
    job = create_from_file(client, upload(client, {"key": "a", "request": request()}, {"request": request()}))
    assert client.batches.get(name=job.name or "").state is types.JobState.JOB_STATE_FAILED
    assert server.ledger.billed == []


def test_the_list_is_paged_and_leaves_inline_results_out(client: genai.Client) -> None:
    names = [create(client, request(str(number))).name for number in range(5)]
    listed = list(client.batches.list(config={"page_size": 2}))
    assert [job.name for job in listed] == names[::-1]
    assert {job.dest for job in listed} == {None}
    assert {job.state for job in listed} == {types.JobState.JOB_STATE_SUCCEEDED}


def test_delete(client: genai.Client) -> None:
    job = create(client, request())
    with pytest.raises(ClientError, match="in progress"):
        client.batches.delete(name=job.name or "")
    client.batches.get(name=job.name or "")
    client.batches.delete(name=job.name or "")
    with pytest.raises(ClientError) as caught:
        client.batches.get(name=job.name or "")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("key", "code", "status"), [("wrong", 400, "INVALID_ARGUMENT"), ("", 403, "PERMISSION_DENIED")]
)
def test_a_wrong_key_is_a_bad_request_and_a_missing_one_forbidden(
    server: GeminiServer, key: str, code: int, status: str
) -> None:
    with httpx2.Client() as http:
        answer = http.get(f"{server.url}/v1beta/batches", headers={"x-goog-api-key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (code, code)
    assert answer.json()["error"]["status"] == status


def test_a_model_that_is_unknown_or_not_for_batches(client: genai.Client) -> None:
    for model in ("no-such-model", "gemini-2.5-flash-preview-tts"):
        with pytest.raises(ClientError, match=f"models/{model} is not found") as caught:
            client.batches.create(model=model, src=inline(request()), config={"display_name": "x"})
        assert caught.value.code == 404


def test_models(client: genai.Client) -> None:
    model = client.models.get(model=MODEL)
    assert (model.name, model.input_token_limit, model.output_token_limit) == (f"models/{MODEL}", 1_048_576, 65_536)
    assert "batchGenerateContent" in (model.supported_actions or [])
    assert MODEL in {(each.name or "").removeprefix("models/") for each in client.models.list()}


def test_count_tokens(client: genai.Client) -> None:
    assert client.models.count_tokens(model=MODEL, contents="12345678").total_tokens == 2


def test_a_field_that_is_unknown_is_refused_at_create(server: GeminiServer) -> None:
    body = {
        "batch": {
            "displayName": "x",
            "inputConfig": {
                "requests": {"requests": [{"request": {**request(), "max_tokens": 1}, "metadata": {"key": "a"}}]}
            },
        }
    }
    with httpx2.Client(headers={"x-goog-api-key": server.key}) as http:
        answer = http.post(f"{server.url}/v1beta/models/{MODEL}:batchGenerateContent", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        'Invalid JSON payload received. Unknown name "maxTokens" at '
        "'batch.input_config.requests.requests.request': Cannot find field."
    )
    assert server.ledger.created == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({**request(), "foo": 1}, 'Unknown name "foo"'),
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "valid role: user, model"),
        ({"contents": [{"role": "user", "parts": []}]}, "at least one parts field"),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/gif", "data": PNG}}]}]}, "image/gif"),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}]}, "process image"),
        (request(maxOutputTokens=65_537), "from 1 (inclusive) to 65537 (exclusive)"),
        (request(temperature=2.5), "2.5 is not in [0, 2]"),
        (request(responseJsonSchema={"type": "object"}), "response schema needs JSON"),
        (
            request(responseJsonSchema={"type": "string", "pattern": "a"}, responseMimeType="application/json"),
            'Unknown name "pattern"',
        ),
        (
            request(responseJsonSchema={"$ref": "#/$defs/No"}, responseMimeType="application/json"),
            "reference to undefined schema #/$defs/No",
        ),
        (
            request(responseJsonSchema={"enum": [True, None]}, responseMimeType="application/json"),
            "None is neither a string nor a number",
        ),
    ],
)
def test_what_is_wrong_with_a_request_stands_in_its_result(
    server: GeminiServer, body: JsonObject, words: str
) -> None:
    error = one_error(server, body)
    assert error["code"] == 3
    assert words in error["message"]
    assert server.ledger.billed == []


def test_pdfs_and_images_are_counted(client: genai.Client) -> None:
    pdf = types.Part(inline_data=types.Blob(mime_type="application/pdf", data=base64.b64decode(ONE_PAGE_PDF)))
    png = types.Part(inline_data=types.Blob(mime_type="image/png", data=base64.b64decode(PNG)))
    contents = types.Content(role="user", parts=[pdf, png, types.Part(text="1234")])
    assert client.models.count_tokens(model=MODEL, contents=contents).total_tokens == 258 + 258 + 1


def test_an_error_of_one_request(client: genai.Client, server: GeminiServer) -> None:
    codes = {"timeout_error": 4, "rate_limit_error": 8, "api_error": 13, "overloaded_error": 14, "other": 3}
    server.answer = lambda params: Errored(answers.last_user_text(params), "because")
    lines = [{"key": kind, "request": request(kind)} for kind in codes]
    job = create_from_file(client, upload(client, *lines))
    dest = client.batches.get(name=job.name or "").dest
    assert dest is not None
    got = [json.loads(line) for line in client.files.download(file=dest.file_name or "").splitlines()]
    assert {each["key"]: each["error"]["code"] for each in got} == codes


def test_some_failed(client: genai.Client, server: GeminiServer) -> None:
    server.gemini.partial = True
    server.answer = lambda _: Errored()
    job = create_from_file(client, upload(client, {"key": "a", "request": request()}))
    with pytest.warns(UserWarning, match="BATCH_STATE_PARTIALLY_SUCCEEDED is not a valid JobState"):
        state = client.batches.get(name=job.name or "").state
    assert state == "BATCH_STATE_PARTIALLY_SUCCEEDED"


def test_replies_are_in_googles_words(client: genai.Client, server: GeminiServer) -> None:
    server.faults.next(Endpoint.LIST, server.replies.rate_limited(7))
    with pytest.raises(ClientError) as limited:
        client.batches.list()
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert limited.value.details["error"]["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
    ]
    server.faults.next(Endpoint.LIST, server.replies.spend_limit())
    with pytest.raises(ClientError, match="spending cap"):
        client.batches.list()
    server.faults.next(Endpoint.LIST, server.replies.server_error(503))
    with pytest.raises(ServerError, match="503 UNAVAILABLE"):
        client.batches.list()


def test_what_was_recorded_is_answered_with_the_same_fields(server: GeminiServer, shared: Path) -> None:
    path = shared / "recordings" / "gemini_batch" / "two_chats_ruby_llm.json"
    created, running, ended = json.loads(path.read_text())["interactions"]
    server.ends_after = Checks(2)
    server.answer = lambda _: answers.with_thinking(answers.text_answer("4"), "It is 4.")
    with httpx2.Client(headers={"x-goog-api-key": server.key}) as http:
        url = f"{server.url}/v1beta/models/gemini-2.5-flash:batchGenerateContent"
        sent = http.post(url, json=created["request"]["body"]).json()
        looks = [http.get(f"{server.url}/v1beta/{sent['name']}").json() for _ in range(2)]
    for ours, theirs in zip([sent, *looks], [created, running, ended], strict=True):
        assert _shape(ours) == _shape(theirs["response"])


def _shape(value: Any) -> Any:
    """Fields with the types of their values, and the first of each list."""
    if isinstance(value, dict):
        return {key: _shape(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])]
    return value if isinstance(value, str) and value.startswith("BATCH_STATE_") else type(value).__name__
