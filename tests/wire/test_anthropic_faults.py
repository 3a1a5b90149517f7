"""Every fault as the SDK sees it."""

from __future__ import annotations

import anthropic
import httpx2
import pytest
from anthropic.types.messages import MessageBatchIndividualResponse

from tests.wire import faults
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.calls import create, one_result, params
from tests.wire.faults import Endpoint, Errored, ItemFault


def test_rate_limits_with_and_without_retry_after(
    client: anthropic.Anthropic, anthropic_server: AnthropicServer
) -> None:
    anthropic_server.faults.at(Endpoint.LIST, 1, faults.rate_limited(0.01))
    anthropic_server.faults.at(Endpoint.LIST, 2, faults.rate_limited())
    anthropic_server.faults.at(Endpoint.LIST, 3, faults.ramp_limited(0.01))
    anthropic_server.faults.at(Endpoint.LIST, 4, faults.spend_limit_reached())
    seen = []
    for _ in range(4):
        with pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.batches.list()
        error = caught.value
        seen.append((error.type, error.error_code, error.response.headers.get("retry-after")))
    assert seen == [
        ("rate_limit_error", None, "0.01"),
        ("rate_limit_error", None, None),
        ("rate_limit_error", "ramp_limit_exceeded", "0.01"),
        ("rate_limit_error", "enforced_spend_limit_reached", None),
    ]
    assert client.messages.batches.list().data == []


def test_the_users_own_spend_limit(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, faults.own_spend_limit_reached())
    with pytest.raises(anthropic.BadRequestError, match="You have reached your specified API usage limits"):
        create(client, params())


@pytest.mark.parametrize(
    ("status", "type_"), [(500, "api_error"), (504, "timeout_error"), (529, "overloaded_error")]
)
def test_server_errors(
    client: anthropic.Anthropic, anthropic_server: AnthropicServer, status: int, type_: str
) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, faults.server_error(status))
    with pytest.raises(anthropic.APIStatusError) as caught:
        create(client, params())
    assert (caught.value.status_code, caught.value.type) == (status, type_)
    assert anthropic_server.ledger.created == []


@pytest.mark.parametrize("fault", [faults.Reset(), faults.Reset(body_read=True)])
def test_a_reset_creates_nothing(
    client: anthropic.Anthropic, anthropic_server: AnthropicServer, fault: faults.Reset
) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, fault)
    with pytest.raises(anthropic.APIConnectionError):
        create(client, params("x" * 100_000))
    assert anthropic_server.ledger.created == []
    assert create(client, params()).id


def test_a_dropped_create_is_bought(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, faults.DropAnswer())
    with pytest.raises(anthropic.APIConnectionError):
        create(client, params())
    again = create(client, params())
    ledger = anthropic_server.ledger
    dropped, answered = ledger.created
    assert ledger.answered == {again.id} == {answered.batch_id}
    assert ledger.bought_more_than_once() == {}
    anthropic_server.batches.settle()
    assert [batch.id for batch in client.messages.batches.list()] == [answered.batch_id, dropped.batch_id]
    assert ledger.bought_more_than_once() == {dropped.contents[0]: 2}
    assert ledger.bought_more_than_once("custom_id") == {"item-0": 2}
    assert ledger.accepted_more_than_once() == {dropped.contents[0]: 2}


def test_a_late_answer_times_out(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, faults.Delay(30))
    with pytest.raises(anthropic.APITimeoutError):
        create(client.with_options(timeout=0.2), params())
    assert len(anthropic_server.ledger.created) == 1


def test_a_cut_download(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    batch = create(client, *[params(str(number)) for number in range(10)])
    client.messages.batches.retrieve(batch.id)
    anthropic_server.faults.next(Endpoint.RESULTS, faults.Cut(0.55))
    seen: list[MessageBatchIndividualResponse] = []
    with pytest.raises(httpx2.RemoteProtocolError):
        seen.extend(client.messages.batches.results(batch.id))
    anthropic_server.faults.next(Endpoint.RESULTS, faults.Cut(0.55, silent=True))
    body = client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=httpx2.Response).text
    assert body.count("\n") == 5
    assert not body.endswith("\n")
    assert len(list(client.messages.batches.results(batch.id))) == 10


def test_rates_are_kept_and_repeat(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.rate(None, 0.1, faults.rate_limited())
    anthropic_server.faults.rate(Endpoint.COUNT_TOKENS, 0.2, faults.server_error())
    draws = [anthropic_server.faults.for_call(Endpoint.COUNT_TOKENS) for _ in range(2000)]
    statuses = [fault.status for fault in draws if isinstance(fault, faults.Reply)]
    assert 150 < statuses.count(429) < 250
    assert 330 < statuses.count(500) < 470
    again = faults.Faults()
    again.rate(None, 0.1, faults.rate_limited())
    again.rate(Endpoint.COUNT_TOKENS, 0.2, faults.server_error())
    assert [again.for_call(Endpoint.COUNT_TOKENS) for _ in range(2000)] == draws
    anthropic_server.faults.clear()
    assert client.messages.batches.list().data == []


def one_fault(server: AnthropicServer, fault: faults.AnyItemFault) -> None:
    server.faults.clear()
    server.faults.items(1.0, fault)


def test_items_without_an_answer_are_free(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    one_fault(anthropic_server, ItemFault.EXPIRED)
    assert one_result(client, params()).type == "expired"
    one_fault(anthropic_server, Errored("overloaded_error", "Overloaded"))
    error = one_result(client, params()).error
    assert (error.type, error.error.type, error.error.message) == ("error", "overloaded_error", "Overloaded")
    anthropic_server.faults.clear()
    anthropic_server.answer = lambda _: ItemFault.CANCELED
    assert one_result(client, params()).type == "canceled"
    assert anthropic_server.ledger.total == 0


def test_spoilt_answers_are_billed(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    spoilt = {}
    for fault in (ItemFault.REFUSED, ItemFault.TRUNCATED, ItemFault.MALFORMED):
        one_fault(anthropic_server, fault)
        message = one_result(client, params("abcdef")).message
        spoilt[fault] = (message.stop_reason, message.content[0].text, message.usage.output_tokens)
    assert spoilt == {
        ItemFault.REFUSED: ("refusal", "I cannot help with that.", 6),
        ItemFault.TRUNCATED: ("max_tokens", "abc", 1000),
        ItemFault.MALFORMED: ("end_turn", '{"unfinished": [1, 2,, "', 6),
    }
    assert len(anthropic_server.ledger.billed) == 3


def test_missing_doubled_and_strange_lines(client: anthropic.Anthropic, anthropic_server: AnthropicServer) -> None:
    ids = {}
    for fault in (ItemFault.MISSING, ItemFault.DUPLICATE, ItemFault.STRANGER):
        one_fault(anthropic_server, fault)
        batch = create(client, params(fault.value))
        assert client.messages.batches.retrieve(batch.id).request_counts.succeeded == 1
        ids[fault] = sorted(entry.custom_id for entry in client.messages.batches.results(batch.id))
    assert ids[ItemFault.MISSING] == []
    assert ids[ItemFault.DUPLICATE] == ["item-0", "item-0"]
    assert ids[ItemFault.STRANGER][0] == "item-0"
    assert ids[ItemFault.STRANGER][1].startswith("stranger-")
    assert len(anthropic_server.ledger.billed) == 2
