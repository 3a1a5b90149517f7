"""The server, driven by the unmodified SDK: what it says must be what the real one says."""

from __future__ import annotations

import time
from decimal import Decimal

import anthropic
import httpx2
import pytest
from anthropic.types.messages import MessageBatch

from tests.wire import answers
from tests.wire.answers import JsonObject
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.calls import PNG, content, create, image, one_result, params, pdf, results
from tests.wire.faults import Endpoint
from tests.wire.jobs import NEVER, Checks, Seconds


def test_a_batch_from_create_to_results(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = Checks(2)
    created = create(client, params("one"), params("two"), params("three"))
    assert (created.processing_status, created.results_url, created.ended_at) == ("in_progress", None, None)
    assert created.request_counts.model_dump() == {
        "processing": 3,
        "succeeded": 0,
        "errored": 0,
        "canceled": 0,
        "expired": 0,
    }
    assert (created.expires_at - created.created_at).total_seconds() == 24 * 3600
    assert client.messages.batches.retrieve(created.id).processing_status == "in_progress"
    with pytest.raises(anthropic.AnthropicError, match="No `results_url`"):
        client.messages.batches.results(create(client, params("other")).id)  # its own look is the first of two
    ended = client.messages.batches.retrieve(created.id)
    assert ended.processing_status == "ended"
    assert ended.request_counts.model_dump() == {
        "processing": 0,
        "succeeded": 3,
        "errored": 0,
        "canceled": 0,
        "expired": 0,
    }
    assert ended.results_url == f"{anthropic_server.url}/v1/messages/batches/{created.id}/results"
    texts = {
        entry.custom_id: entry.result.message.content[0].text  # type: ignore[union-attr]  # they succeeded
        for entry in client.messages.batches.results(created.id)
    }
    assert texts == {"item-0": "one", "item-1": "two", "item-2": "three"}


def test_results_come_in_another_order(client: anthropic.Anthropic) -> None:
    batch = create(client, *[params(str(number)) for number in range(20)])
    client.messages.batches.retrieve(batch.id)
    order = [entry.custom_id for entry in client.messages.batches.results(batch.id)]
    sent = [f"item-{number}" for number in range(20)]
    assert order != sent
    assert sorted(order) == sorted(sent)


def test_a_message_in_a_result_is_whole(client: anthropic.Anthropic) -> None:
    message = one_result(client, params("Hello you")).message
    assert message.model == "claude-haiku-5-5"
    assert (message.role, message.stop_reason, message.stop_sequence) == ("assistant", "end_turn", None)
    usage = message.usage
    assert (usage.input_tokens, usage.output_tokens, usage.service_tier) == (6, 3, "batch")
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (0, 0)


def test_ends_after_seconds(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = Seconds(0.2)
    batch = create(client, params())
    assert client.messages.batches.retrieve(batch.id).processing_status == "in_progress"
    time.sleep(0.25)
    assert client.messages.batches.list().data[0].processing_status == "ended"


def test_cancel_keeps_what_is_done(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    anthropic_server.batches.done_at_cancel = 0.5
    batch = create(client, *[params(str(number)) for number in range(4)])
    canceling = client.messages.batches.cancel(batch.id)
    assert canceling.processing_status == "canceling"
    assert canceling.cancel_initiated_at is not None
    kinds = {custom_id: result.type for custom_id, result in results(client, batch).items()}
    assert kinds == {"item-0": "succeeded", "item-1": "succeeded", "item-2": "canceled", "item-3": "canceled"}
    assert len(anthropic_server.ledger.billed) == 2
    with pytest.raises(anthropic.BadRequestError, match="already ended"):
        client.messages.batches.cancel(batch.id)


def test_delete_only_once_ended(client: anthropic.Anthropic) -> None:
    batch = create(client, params())
    with pytest.raises(anthropic.BadRequestError, match="in progress"):
        client.messages.batches.delete(batch.id)
    client.messages.batches.retrieve(batch.id)
    assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(batch.id)


def test_list_is_newest_first_and_paged(client: anthropic.Anthropic) -> None:
    ids = [create(client, params(str(number))).id for number in range(5)]
    newest_first = ids[::-1]
    assert [batch.id for batch in client.messages.batches.list(limit=2)] == newest_first
    page = client.messages.batches.list(limit=2)
    assert ([batch.id for batch in page.data], page.has_more) == (newest_first[:2], True)
    assert (page.first_id, page.last_id) == (newest_first[0], newest_first[1])
    before = client.messages.batches.list(limit=2, before_id=newest_first[3])
    assert [batch.id for batch in before.data] == newest_first[1:3]
    assert before.has_more is True
    with pytest.raises(anthropic.BadRequestError, match="limit"):
        client.messages.batches.list(limit=0)


def test_results_before_the_end_are_not_found(
    client: anthropic.Anthropic, anthropic_server: AnthropicServer
) -> None:
    anthropic_server.ends_after = NEVER
    batch = create(client, params())
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=httpx2.Response)
    assert caught.value.type == "not_found_error"


def test_the_body_may_come_in_chunks(client: anthropic.Anthropic) -> None:
    chunks = iter([b'{"requests":[{"custom_id":"a","params":', b'{"model":"x"}}', b"]}"])
    batch = client.post(
        "/v1/messages/batches",
        content=chunks,
        cast_to=MessageBatch,
        options={"headers": {"content-type": "application/json"}},
    )
    assert batch.request_counts.processing == 1


def test_a_wrong_key(anthropic_server: AnthropicServer) -> None:
    with (
        anthropic.Anthropic(api_key="wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        client.messages.batches.list()
    assert caught.value.type == "authentication_error"
    assert caught.value.request_id == caught.value.body["request_id"]  # type: ignore[index]  # an error document
    assert anthropic_server.faults.calls[Endpoint.LIST] == 1


def test_the_older_key_header(anthropic_server: AnthropicServer) -> None:
    headers = {"x-api-key": anthropic_server.key, "anthropic-version": "2023-06-01"}
    reply = httpx2.get(f"{anthropic_server.url}/v1/messages/batches", headers=headers)
    assert (reply.status_code, reply.json()["data"]) == (200, [])
    assert reply.headers["request-id"].startswith("req_")
    unversioned = httpx2.get(
        f"{anthropic_server.url}/v1/messages/batches", headers={"x-api-key": anthropic_server.key}
    )
    assert unversioned.json()["error"]["message"] == "anthropic-version: header is required"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "requests: Field required"),
        ({"requests": []}, "at least 1 item"),
        ({"requests": [{"custom_id": "a"}]}, "requests.0: Input does not match"),
        ({"requests": [{"custom_id": "a b", "params": {}}]}, "requests.0.custom_id: String should match pattern"),
        ({"requests": [{"custom_id": "a" * 65, "params": {}}]}, "requests.0.custom_id: String should match"),
        ({"requests": [{"custom_id": "a", "params": {}}] * 2}, "custom_id must be unique within a batch: 'a'"),
        ({"requests": [{"custom_id": "a", "params": []}]}, "requests.0.params: Input should be an object"),
        ({"requests": [{"custom_id": "a", "params": {}}] * 100_001}, "at most 100000 items"),
        ({"requests": [{"custom_id": "a", "params": {}}], "metadata": {}}, "metadata: Extra inputs"),
    ],
)
def test_a_bad_create_is_refused(
    client: anthropic.Anthropic, anthropic_server: AnthropicServer, body: JsonObject, message: str
) -> None:
    with pytest.raises(anthropic.BadRequestError, match=message) as caught:
        client.post("/v1/messages/batches", body=body, cast_to=MessageBatch)
    assert caught.value.type == "invalid_request_error"
    assert anthropic_server.ledger.created == []


def test_too_large_is_the_edges_html(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.api.limits[Endpoint.CREATE] = 1000
    with pytest.raises(anthropic.RequestTooLargeError) as caught:
        create(client, params("x" * 1000))
    assert "413 Request Entity Too Large" in caught.value.response.text
    assert caught.value.type is None


def test_cited_answers_and_thinking(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    page = answers.page_citation("Total 12.", 2, title="a.pdf")
    cited = answers.cited_answer([('{"total": ', []), ("12", [page]), ("}", [])])
    anthropic_server.answer = lambda _: answers.with_thinking(cited, "Let me see.")
    message = one_result(client, params()).message
    assert [block.type for block in message.content] == ["thinking", "text", "text", "text"]
    citation = message.content[2].citations[0]
    assert citation.type == "page_location"
    assert (citation.start_page_number, citation.end_page_number, citation.document_title) == (2, 3, "a.pdf")
    assert message.content[1].citations is None


def test_the_model_stops_at_max_tokens(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = lambda _: answers.json_answer({"text": "x" * 100})
    message = one_result(client, params(max_tokens=5)).message
    assert message.content[0].text == '{"text": "xxxxxxxxxx'
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 5)


def test_refusal(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = lambda _: answers.refusal(category="bio")
    message = one_result(client, params()).message
    assert (message.stop_reason, message.content, message.stop_details.category) == ("refusal", [], "bio")


def test_cache_reads_and_writes_add_up(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    prefix = {"type": "text", "text": "x" * 8000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    batch = create(client, params("one", system=[prefix]), params("two", system=[prefix]))
    usages = {key: result.message.usage for key, result in results(client, batch).items()}
    first, second = usages["item-0"], usages["item-1"]
    assert (first.input_tokens, first.cache_creation_input_tokens, first.cache_read_input_tokens) == (4, 2000, 0)
    assert first.cache_creation.ephemeral_1h_input_tokens == 2000
    assert (second.input_tokens, second.cache_creation_input_tokens, second.cache_read_input_tokens) == (4, 0, 2000)
    # 0.5 × ((4 + 2 × 2000) × 0.10 + 1 × 0.50) and 0.5 × ((4 + 0.1 × 2000) × 0.10 + 1 × 0.50), per million
    assert anthropic_server.ledger.total == Decimal("0.00020045") + Decimal("0.00001045")


def test_count_tokens_is_what_is_billed(client: anthropic.Anthropic) -> None:
    request = params(**content(pdf(title="a.pdf"), image(PNG)))
    counted = client.messages.count_tokens(model=request["model"], messages=request["messages"])
    assert counted.input_tokens == 3 + 2500 + 2 + 1 + 2
    assert one_result(client, request).message.usage.input_tokens == counted.input_tokens
    with pytest.raises(anthropic.NotFoundError, match="model: claude-nope"):
        client.messages.count_tokens(model="claude-nope", messages=request["messages"])


def test_models(client: anthropic.Anthropic) -> None:
    model = client.models.retrieve("claude-sonnet-5-5")
    assert (model.lifecycle, model.retires_at, model.max_input_tokens) == ("active", None, 1_000_000)
    assert model.capabilities is not None
    assert model.capabilities.batch.supported
    assert model.capabilities.thinking.types.between_tools.supported
    assert not model.capabilities.thinking.types.disabled.supported
    assert client.models.retrieve("claude-3-haiku-20240307").lifecycle == "retired"
    assert [entry.id for entry in client.models.list()] == [
        "claude-fable-5-2",
        "claude-haiku-5-5",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-sonnet-4-5",
    ]
    assert len(list(client.models.list(lifecycle=["retired"]))) == 2
    with pytest.raises(anthropic.NotFoundError, match="model: claude-nope"):
        client.models.retrieve("claude-nope")


def test_a_message_at_the_normal_price(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    message = client.messages.create(**params("Hello you"))
    assert message.usage.service_tier == "standard"
    assert anthropic_server.ledger.total == Decimal("0.0000021")  # (6 × 0.10 + 3 × 0.50) per million
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        client.messages.create(**params(), extra_body={"temperature": 0})
