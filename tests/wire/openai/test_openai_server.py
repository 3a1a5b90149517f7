"""The server, driven by the unmodified SDK: what it says must be what the real one says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types import Batch

from tests.wire import answers
from tests.wire.answers import JsonObject
from tests.wire.calls import ONE_PAGE_PDF, PNG
from tests.wire.faults import Cut, DropAnswer, Endpoint, Errored, Reset
from tests.wire.jobs import NEVER, Checks
from tests.wire.openai import Leniency, OpenAIServer
from tests.wire.openai.prices import price
from tests.wire.openai.rules import CHAT, RESPONSES

MODEL = "gpt-6-luna"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def client(server: OpenAIServer) -> Iterator[openai.OpenAI]:
    with connected(server) as client:
        yield client


def connected(server: OpenAIServer, key: str | None = None) -> openai.OpenAI:
    return openai.OpenAI(api_key=key or server.key, base_url=f"{server.url}/v1", max_retries=0)


def ask(prompt: str = "Hello", /, **more: Any) -> JsonObject:
    return {"model": MODEL, "input": prompt, "max_output_tokens": 100, **more}


def chat(text: str = "Hello", **more: Any) -> JsonObject:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


def line(custom_id: str, body: JsonObject, url: str = RESPONSES) -> JsonObject:
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body}


def upload(client: openai.OpenAI, content: bytes, name: str = "mine.jsonl") -> str:
    return client.files.create(file=(name, content), purpose="batch").id


def create(client: openai.OpenAI, *bodies: JsonObject, url: Any = RESPONSES) -> Batch:
    lines = [line(f"item-{index}", body, url) for index, body in enumerate(bodies)]
    content = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    return client.batches.create(
        input_file_id=upload(client, content), endpoint=url, completion_window="24h", metadata={"run": "r1"}
    )


def read(client: openai.OpenAI, file_id: str | None) -> dict[str, Any]:
    """The lines of a file, by custom_id."""
    assert file_id is not None
    lines = [json.loads(each) for each in client.files.content(file_id).content.splitlines()]
    return {each["custom_id"]: each for each in lines}


def one_answer(client: openai.OpenAI, body: JsonObject, url: str = RESPONSES) -> Any:
    ended = client.batches.retrieve(create(client, body, url=url).id)
    return read(client, ended.output_file_id)["item-0"]["response"]["body"]


def one_error(client: openai.OpenAI, body: JsonObject, url: str = RESPONSES) -> tuple[int, str]:
    ended = client.batches.retrieve(create(client, body, url=url).id)
    assert ended.output_file_id is None
    response = read(client, ended.error_file_id)["item-0"]["response"]
    return response["status_code"], response["body"]["error"]["message"]


def test_a_batch_from_upload_to_answers(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.ends_after = Checks(2)
    made = create(client, ask("one"), ask("two"))
    assert (made.status, made.endpoint, made.metadata) == ("validating", "/v1/responses", {"run": "r1"})
    assert made.request_counts is not None
    assert made.request_counts.total == 0
    assert made.expires_at == made.created_at + 86_400
    running = client.batches.retrieve(made.id)
    assert (running.status, running.in_progress_at, running.output_file_id) == (
        "in_progress",
        made.created_at,
        None,
    )
    ended = client.batches.retrieve(made.id)
    assert (ended.status, ended.error_file_id, ended.model) == ("completed", None, MODEL)
    assert ended.request_counts is not None
    assert ended.request_counts.model_dump() == {"total": 2, "completed": 2, "failed": 0}
    got = read(client, ended.output_file_id)
    assert {key: each["response"]["body"]["output"][1]["content"][0]["text"] for key, each in got.items()} == {
        "item-0": "one",
        "item-1": "two",
    }
    assert ended.usage is not None
    assert (ended.usage.input_tokens, ended.usage.output_tokens) == (8, 2)


def test_chat_completions(client: openai.OpenAI) -> None:
    body = one_answer(client, chat("Hello you"), CHAT)
    assert body["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "Hello you", "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (6, 3)


def test_lines_come_in_another_order(client: openai.OpenAI) -> None:
    ended = client.batches.retrieve(create(client, *(ask(f"{number}") for number in range(20))).id)
    assert list(read(client, ended.output_file_id)) != [f"item-{number}" for number in range(20)]


def test_answers_and_failures_are_in_files_of_their_own(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.answer = lambda params: (
        Errored("api_error", "Sorry") if answers.last_user_text(params) == "bad" else answers.echo(params)
    )
    ended = client.batches.retrieve(create(client, ask("good"), ask("bad")).id)
    assert ended.request_counts is not None
    assert ended.request_counts.model_dump() == {"total": 2, "completed": 1, "failed": 1}
    assert list(read(client, ended.output_file_id)) == ["item-0"]
    failed = read(client, ended.error_file_id)["item-1"]
    assert failed["error"] is None
    assert failed["response"]["status_code"] == 500
    assert failed["response"]["body"]["error"]["message"] == "Sorry"
    assert [entry.custom_id for entry in server.ledger.billed] == ["item-0"]


def test_a_canceled_batch_keeps_what_was_done(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.ends_after = NEVER
    server.batches.done_at_cancel = 0.5
    made = create(client, ask("one"), ask("two"))
    assert client.batches.cancel(made.id).status == "cancelling"
    ended = client.batches.retrieve(made.id)
    assert ended.status == "cancelled"
    assert ended.cancelled_at is not None
    assert list(read(client, ended.output_file_id)) == ["item-0"]
    assert read(client, ended.error_file_id)["item-1"]["error"]["code"] == "batch_cancelled"
    assert len(server.ledger.billed) == 1
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(made.id)


def test_an_expired_batch_keeps_what_was_done(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.ends_after = NEVER
    made = create(client, ask("one"), ask("two"))
    server.batches.expire(done=0.5)
    ended = client.batches.retrieve(made.id)
    assert ended.status == "expired"
    assert list(read(client, ended.output_file_id)) == ["item-0"]
    assert read(client, ended.error_file_id)["item-1"] | {"id": "x"} == {
        "id": "x",
        "custom_id": "item-1",
        "response": None,
        "error": {
            "code": "batch_expired",
            "message": "This request could not be executed before the completion window expired.",
        },
    }
    assert len(server.ledger.billed) == 1


def test_the_list_comes_in_pages_newest_first(client: openai.OpenAI) -> None:
    made = [create(client, ask(f"{number}")).id for number in range(5)]
    assert [batch.id for batch in client.batches.list(limit=2)] == made[::-1]
    page = client.batches.list(limit=2, after=made[3])
    assert ([batch.id for batch in page.data], page.has_more) == ([made[2], made[1]], True)
    for wrong in ({"limit": 101}, {"limit": 0}, {"after": "batch_none"}):
        with pytest.raises(openai.BadRequestError):
            client.batches.list(**wrong)


def test_a_wrong_key_is_refused(server: OpenAIServer) -> None:
    with connected(server, "wrong") as client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert caught.value.code == "invalid_api_key"
    assert caught.value.request_id is not None


def test_models(client: openai.OpenAI) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError, match="'gpt-0' does not exist") as caught:
        client.models.retrieve("gpt-0")
    assert caught.value.code == "model_not_found"


def test_files(client: openai.OpenAI) -> None:
    made = client.files.create(
        file=("mine.jsonl", b"{}\n"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert (made.filename, made.bytes, made.purpose, made.status) == ("mine.jsonl", 3, "batch", "processed")
    assert client.files.retrieve(made.id).filename == "mine.jsonl"
    assert client.files.content(made.id).content == b"{}\n"
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(made.id)
    with pytest.raises(openai.BadRequestError, match="'vision' is not one of"):
        client.files.create(file=("a.png", b"x"), purpose="vision")


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"colour": "red"}, openai.BadRequestError, "Unknown parameter: 'colour'"),
        ({"endpoint": "/v1/moderations"}, openai.BadRequestError, "Invalid endpoint"),
        ({"completion_window": "1h"}, openai.BadRequestError, "completion_window"),
        ({"input_file_id": "file-none"}, openai.NotFoundError, "No such File object: file-none"),
    ],
)
def test_a_create_that_is_refused(
    client: openai.OpenAI, server: OpenAIServer, fields: JsonObject, error: type[Exception], words: str
) -> None:
    file_id = upload(client, json.dumps(line("a", ask())).encode())
    body = {"input_file_id": file_id, "endpoint": RESPONSES, "completion_window": "24h", **fields}
    with pytest.raises(error, match=words):
        client.post("/batches", cast_to=object, body=body)
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'endpoint'"):
        client.post("/batches", cast_to=object, body={"input_file_id": file_id, "completion_window": "24h"})
    assert server.ledger.created == []


GOOD = json.dumps(line("a", ask())).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "code", "number"),
    [
        (b"", "empty_file", None),
        (GOOD + b'{"custom_id": "b", \n', "invalid_json_line", 2),
        (GOOD + b"[]\n", "invalid_request", 2),
        (json.dumps(line("a", ask()) | {"priority": 1}).encode(), "invalid_request", 1),
        (json.dumps(line("a", ask(), CHAT)).encode(), "url_mismatch", 1),
        (GOOD + GOOD, "duplicate_custom_id", 2),
        (json.dumps(line("x" * 65, ask())).encode(), "duplicate_custom_id", 1),
        (json.dumps(line("a", ask(model="gpt-0"))).encode(), "model_not_found", 1),
        (GOOD + json.dumps(line("b", ask(model="gpt-6-sol"))).encode(), "mismatched_model", None),
    ],
)
def test_a_file_that_is_wrong_fails_its_batch(
    client: openai.OpenAI, server: OpenAIServer, content: bytes, code: str, number: int | None
) -> None:
    made = client.batches.create(
        input_file_id=upload(client, content), endpoint="/v1/responses", completion_window="24h"
    )
    assert (made.status, made.errors) == ("validating", None)
    failed = client.batches.retrieve(made.id)
    assert (failed.status, failed.output_file_id, failed.error_file_id) == ("failed", None, None)
    assert failed.failed_at is not None
    assert failed.errors is not None
    assert [(each.code, each.line) for each in failed.errors.data or ()] == [(code, number)]
    assert server.ledger.billed == []


def form(schema: Any) -> JsonObject:
    return {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}


def an_object(**more: Any) -> JsonObject:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False, **more}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ask(colour="red"), r"Invalid request: .*colour"),
        (ask(temperature=0.5), "'temperature' is not supported"),
        (ask(max_output_tokens=15), "Expected a value >= 16"),
        (ask(text=form({"type": "string"})), "schema must be a JSON Schema of 'type: \"object\"'"),
        (ask(text=form(an_object(anyOf=[]))), "schema must be a JSON Schema of"),
        (ask(text=form(an_object(additionalProperties=True))), "'additionalProperties' is required to be"),
        (
            ask(text=form(an_object(properties={"a": {"type": "string"}}))),
            "'required' is required to be an array including every key",
        ),
        (
            ask(text=form(an_object(properties={"a": {"type": "string", "minLength": 1}}, required=["a"]))),
            r"In context=\(\)\.a, 'minLength' is not permitted",
        ),
        (
            ask(text=form(an_object(properties={"a": {"allOf": []}}, required=["a"]))),
            "'allOf' is not permitted",
        ),
        (
            ask(text=form(an_object(properties={"a": {"$ref": "#", "title": "A"}}, required=["a"]))),
            r"\$ref cannot have keywords",
        ),
        (
            ask(text=form(an_object(properties={"a": {"items": an_object(oneOf=[])}}, required=["a"]))),
            "'oneOf' is not permitted",
        ),
    ],
)
def test_a_request_that_is_wrong_is_a_failed_line(client: openai.OpenAI, body: JsonObject, words: str) -> None:
    status, message = one_error(client, body)
    assert status == 400
    assert re.search(words, message)


def test_chat_bodies_are_checked_as_strictly(client: openai.OpenAI) -> None:
    assert one_error(client, chat(input="Hello"), CHAT)[0] == 400
    strict = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "array"}}}
    assert "Invalid schema for response_format" in one_error(client, chat(response_format=strict), CHAT)[1]


def test_what_is_right_is_taken(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.answer = lambda params: answers.json_answer({"schema": answers.schema_of(params) is not None})
    schema = an_object(properties={"a": {"anyOf": [{"type": "string"}, {"$ref": "#"}]}}, required=["a"])
    body = one_answer(client, ask(text=form(schema)))
    assert body["output"][1]["content"][0]["text"] == '{"schema": true}'
    assert one_answer(client, ask(model="gpt-4.1", temperature=0.5))["status"] == "completed"


def test_an_answer_that_stopped_early(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.answer = lambda _: answers.text_answer("word " * 100)
    body = one_answer(client, ask(max_output_tokens=16))
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert body["usage"]["output_tokens"] == 16
    assert one_answer(client, chat(max_completion_tokens=5), CHAT)["choices"][0]["finish_reason"] == "length"
    server.answer = lambda _: answers.refusal("No.")
    assert one_answer(client, ask())["output"][1]["content"] == [{"type": "refusal", "refusal": "No."}]
    assert one_answer(client, chat(), CHAT)["choices"][0]["message"]["refusal"] == "No."


def test_the_count_is_what_is_billed(client: openai.OpenAI) -> None:
    content = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{ONE_PAGE_PDF}"},
    ]
    turns: Any = [{"role": "user", "content": content}]
    counted = client.responses.input_tokens.count(model=MODEL, input=turns, instructions="Be brief.")
    body = one_answer(client, ask(input=turns, instructions="Be brief."))
    assert counted.input_tokens == body["usage"]["input_tokens"]
    plain = client.responses.input_tokens.count(model=MODEL, input="12345678")
    assert plain.input_tokens == 5
    assert counted.input_tokens > 1000
    with pytest.raises(openai.BadRequestError, match="Unknown parameter: 'colour'"):
        client.responses.input_tokens.count(model=MODEL, input="a", extra_body={"colour": "red"})


def test_the_bill(client: openai.OpenAI, server: OpenAIServer) -> None:
    create(client, ask("x" * 400, model="gpt-6.1-sol"))
    server.batches.settle()
    (billed,) = server.ledger.billed
    assert (billed.usage["input_tokens"], billed.usage["output_tokens"]) == (103, 100)
    assert billed.cost == Decimal("0.000603")  # (103 × 1 + 100 × 5) / 1e6
    details = {"cached_tokens": 40, "cache_write_tokens": 20}
    usage = {"input_tokens": 100, "input_tokens_details": details, "output_tokens": 10}
    assert price("gpt-6.1-sol", usage) == Decimal("0.000117")  # (40 × 1 + 40 × 0.05 + 20 × 1.25 + 10 × 5) / 1e6
    usage = {"prompt_tokens": 100, "prompt_tokens_details": details, "completion_tokens": 10}
    assert price("gpt-6-luna", usage) == Decimal("0.00000595")  # (40 × 0.05 + 40 × 0.005 + 20 × 0.0625 + 10 × 0.25)


def test_refusals_in_openais_words(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.faults.next(Endpoint.MODELS, server.replies.rate_limited(7))
    with pytest.raises(openai.RateLimitError) as limited:
        client.models.list()
    assert (limited.value.code, limited.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "7")
    server.faults.next(Endpoint.MODELS, server.replies.server_error(503))
    with pytest.raises(openai.InternalServerError) as broken:
        client.models.list()
    assert broken.value.status_code == 503
    server.faults.next(Endpoint.MODELS, server.replies.spend_limit())
    with pytest.raises(openai.RateLimitError) as spent:
        client.models.list()
    assert spent.value.code == "insufficient_quota"


def test_a_create_whose_answer_is_lost_is_done(client: openai.OpenAI, server: OpenAIServer) -> None:
    server.faults.next(Endpoint.CREATE, DropAnswer())
    with pytest.raises(openai.APIConnectionError):
        create(client, ask())
    assert len(server.ledger.created) == 1
    assert server.ledger.answered == set()
    server.faults.next(Endpoint.CREATE, Reset(body_read=True))
    with pytest.raises(openai.APIConnectionError):
        create(client, ask())
    assert len(server.ledger.created) == 1
    made = create(client, ask())
    assert server.ledger.answered == {made.id}


def test_a_download_can_be_cut(client: openai.OpenAI, server: OpenAIServer) -> None:
    ended = client.batches.retrieve(create(client, *(ask(f"{number}") for number in range(9))).id)
    whole = client.files.content(ended.output_file_id or "").content
    server.faults.next(Endpoint.RESULTS, Cut(silent=True))
    assert whole.startswith(client.files.content(ended.output_file_id or "").content)
    server.faults.next(Endpoint.RESULTS, Cut())
    with pytest.raises((httpx2.TransportError, openai.APIConnectionError)):
        client.files.content(ended.output_file_id or "")


@pytest.mark.parametrize(
    ("leniency", "seen"),
    [
        (Leniency(), {"status": "completed", "errors": None, "metadata": {"run": "r1"}}),
        (Leniency(upper_status=True), {"status": "COMPLETED"}),
        (Leniency(no_counts=True), {"status": "completed", "request_counts": None}),
        (Leniency(no_metadata=True), {"status": "completed", "metadata": None}),
    ],
)
def test_a_server_that_only_follows_openai(leniency: Leniency, seen: JsonObject) -> None:
    with OpenAIServer(leniency=leniency) as server, connected(server) as client:
        ended = client.batches.retrieve(create(client, chat(), url=CHAT).id).to_dict()
        assert {key: ended.get(key) for key in seen} == seen


def test_dates_of_another_kind_errors_among_answers_and_no_models() -> None:
    leniency = Leniency(iso_dates=True, errors_in_output=True, no_models=True)
    with OpenAIServer(leniency=leniency) as server, connected(server) as client:
        server.answer = lambda _: Errored()
        ended: Any = client.batches.retrieve(create(client, chat(), url=CHAT).id)
        assert ended.created_at.endswith("+00:00")
        assert ended.completed_at >= ended.created_at
        assert ended.error_file_id is None
        assert read(client, ended.output_file_id)["item-0"]["response"]["status_code"] == 500
        with pytest.raises(openai.NotFoundError):
            client.models.list()


def recorded(shared: Path, name: str) -> list[Any]:
    found = json.loads((shared / "recordings" / "openai_batch" / f"{name}.json").read_text("utf-8"))["interactions"]
    return [each["response"] for each in found]


def shape(value: Any) -> Any:
    """The keys of an answer; what is in its lists counts once."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else None


def test_batches_and_files_have_the_keys_that_were_recorded(
    client: openai.OpenAI, server: OpenAIServer, shared: Path
) -> None:
    told = recorded(shared, "responses_endpoint_ruby_llm")
    real = {each["status"]: each for each in told if isinstance(each, dict)}
    server.ends_after = Checks(2)
    made = create(client, ask())
    views = [made, client.batches.retrieve(made.id), client.batches.retrieve(made.id)]
    for view in views:
        mine = view.to_dict()
        assert shape({**mine, "metadata": None}) == shape(real[view.status])
        times = {key for key in mine if key.endswith("_at") and mine[key] is not None}
        assert times == {key for key in mine if key.endswith("_at") and real[view.status][key] is not None}
    file = client.files.retrieve(made.input_file_id).to_dict()
    assert shape(file) == shape(real["processed"])


def test_a_response_has_keys_that_were_recorded(client: openai.OpenAI, shared: Path) -> None:
    (real, _) = recorded(shared, "responses_endpoint_ruby_llm")[-1]
    ended = client.batches.retrieve(create(client, ask(store=False)).id)
    mine = read(client, ended.output_file_id)["item-0"]
    assert mine.keys() == real.keys()
    assert mine["response"].keys() == real["response"].keys()
    mine_body, real_body = mine["response"]["body"], real["response"]["body"]
    assert mine_body.keys() <= real_body.keys()  # the real one also repeats what was asked
    assert shape(mine_body["usage"]) == shape(real_body["usage"])
    assert shape(mine_body["output"][1]) == shape(real_body["output"][1])
    assert [item["type"] for item in mine_body["output"]] == [item["type"] for item in real_body["output"]]
    assert (mine_body["service_tier"], mine_body["store"]) == (real_body["service_tier"], real_body["store"])


def test_a_chat_completion_has_keys_that_were_recorded(client: openai.OpenAI, shared: Path) -> None:
    (real, *_) = recorded(shared, "three_completed_curator")[-1]
    ended = client.batches.retrieve(create(client, chat(), url=CHAT).id)
    mine = read(client, ended.output_file_id)["item-0"]
    assert mine.keys() == real.keys()
    mine_body, real_body = mine["response"]["body"], real["response"]["body"]
    assert mine_body.keys() <= real_body.keys()
    assert shape(mine_body["choices"]) == shape(real_body["choices"])
    assert mine_body["usage"].keys() == real_body["usage"].keys()


def test_a_batch_is_canceled_as_it_was_recorded(client: openai.OpenAI, server: OpenAIServer, shared: Path) -> None:
    *_, real = recorded(shared, "cancel_curator")
    server.ends_after = NEVER
    canceled = client.batches.cancel(create(client, chat(), url=CHAT).id).to_dict()
    assert {key: canceled[key] is None for key in real} == {key: real[key] is None for key in real}
    assert (canceled["status"], real["status"]) == ("cancelling", "cancelling")
