"""The ledger: prices, and the server in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import anthropic
import pytest

from tests.wire import answers
from tests.wire.answers import JsonObject
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.calls import create, params
from tests.wire.ledger import RATES, Ledger, price
from tests.wire.models import MODELS

ROOT = Path(__file__).parents[2]


def usage(**tokens: int) -> JsonObject:
    return {"input_tokens": 0, "output_tokens": 0, "service_tier": "batch", **tokens}


@pytest.mark.parametrize(
    ("model", "tokens", "dollars"),
    [
        ("claude-haiku-5-5", {"input_tokens": 100_000, "output_tokens": 10}, "0.0050025"),
        ("claude-haiku-5-5", {"input_tokens": 100_001, "output_tokens": 10}, "0.02501275"),
        ("claude-sonnet-5-5", {"input_tokens": 1000, "output_tokens": 1000}, "0.006"),
        ("claude-opus-5-5", {"cache_creation_input_tokens": 1000}, "0.0025"),
        ("claude-opus-5-5", {"cache_read_input_tokens": 1000}, "0.0001"),
        ("claude-fable-5-2", {"input_tokens": 1000, "output_tokens": 1000}, "0.024"),
        ("claude-fable-5-2", {"cache_read_input_tokens": 1000}, "0.0001"),
    ],
)
def test_prices(model: str, tokens: dict[str, int], dollars: str) -> None:
    assert price(model, usage(**tokens)) == Decimal(dollars)


def test_price_of_an_hours_write_and_of_the_normal_tier() -> None:
    writes = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1000}
    assert price("claude-fable-5-2", {**usage(), "cache_creation": writes}) == Decimal("0.008")
    standard = {"input_tokens": 1000, "output_tokens": 1000, "service_tier": "standard"}
    assert price("claude-sonnet-5-5", standard) == Decimal("0.012")
    assert price("claude-sonnet-5-5", {**standard, "inference_geo": "us"}) == Decimal("0.0132")


def test_every_model_that_answers_has_a_price() -> None:
    assert set(RATES) == {model.id for model in MODELS.values() if model.lifecycle != "retired"}


def test_the_servers_own_process_keeps_its_ledger(tmp_path: Path) -> None:
    ledger_path = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-m", "tests.wire.anthropic_server", "--ledger", str(ledger_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--at", "create:2:drop"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with anthropic.Anthropic(base_url=url, api_key="sk-ant-loopback-key", max_retries=0) as client:
            first = create(client, params("one"))
            with pytest.raises(anthropic.APIConnectionError):
                create(client, params("two"))
            client.messages.batches.retrieve(first.id)
            assert len(Ledger.read(ledger_path).billed) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    ledger = Ledger.read(ledger_path)
    assert ledger.answered == {first.id}
    assert [entry.custom_ids for entry in ledger.created] == [("item-0",), ("item-0",)]
    assert len(ledger.billed) == 2
    assert ledger.total == Decimal("0.0000009")  # twice 0.5 × (4 × 0.10 + 1 × 0.50) per million
    assert ledger.bought_more_than_once() == {}


def test_a_crash_inside_the_server_is_not_silent() -> None:
    def broken(_: JsonObject) -> answers.Answer:
        raise LookupError("the test's model is broken")

    server = AnthropicServer(broken).start()
    with anthropic.Anthropic(base_url=server.url, api_key=server.key, max_retries=0) as client:
        batch = create(client, params())
        with pytest.raises(anthropic.APIConnectionError):
            client.messages.batches.retrieve(batch.id)
    with pytest.raises(RuntimeError, match="the server failed while it answered"):
        server.close()
