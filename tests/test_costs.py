"""Dollars, worked out by hand from the published prices, against what costs.py says."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import pytest

from batchata import costs
from batchata.errors import ArgumentError
from batchata.types import Price, Usage

NOVEMBER = datetime(2026, 11, 22, tzinfo=UTC)


def usd(model: str, usage: Usage, **extra: object) -> Decimal | None:
    return costs.price("anthropic", model, usage, at=NOVEMBER, **extra).usd  # type: ignore[arg-type]


def test_every_kind_of_token_at_batch_price() -> None:
    usage = Usage(
        input_tokens=1_000,
        output_tokens=100,
        cache_read_tokens=100,
        cache_write_tokens=20,
        cache_write_1h_tokens=30,
        web_searches=2,
    )
    # 0.5 × (850 × 0.10 + 100 × 0.01 + 20 × 0.125 + 30 × 0.20 + 100 × 0.50) / 1e6 + 2 × 0.01
    assert usd("claude-haiku-5-5", usage) == Decimal("0.02007225")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-fable-5-2", "24"),
        ("claude-opus-5-5", "12"),
        ("claude-sonnet-5-5", "6"),
        ("claude-haiku-4-5", "3.0"),
    ],
)
def test_a_million_in_and_a_million_out(model: str, expected: str) -> None:
    assert usd(model, Usage(input_tokens=1_000_000, output_tokens=1_000_000)) == Decimal(expected)


def test_haiku_steps_up_for_the_whole_request_above_100k() -> None:
    assert usd("claude-haiku-5-5", Usage(input_tokens=100_000, output_tokens=100)) == Decimal("0.005025")
    assert usd("claude-haiku-5-5", Usage(input_tokens=100_001, output_tokens=100)) == Decimal("0.02512525")


def test_the_step_counts_the_whole_prompt_cache_included() -> None:
    usage = Usage(input_tokens=100_001, cache_read_tokens=100_000)
    # 0.5 × (1 × 0.50 + 100,000 × 0.05) / 1e6
    assert usd("claude-haiku-5-5", usage) == Decimal("0.00250025")


def test_the_united_states_cost_a_tenth_more() -> None:
    usage = Usage(input_tokens=1_000_000, inference_geo="us")
    assert usd("claude-sonnet-5-5", usage) == Decimal("1.1")


def test_a_service_tier_that_is_not_batch_gets_no_discount() -> None:
    found = costs.price("anthropic", "claude-sonnet-5-5", Usage(input_tokens=1_000_000, service_tier="standard"))
    assert (found.usd, found.discount) == (Decimal(2), Decimal(0))


def test_a_model_without_a_batch_row_is_estimated_and_says_so() -> None:
    found = costs.price("anthropic", "claude-3-haiku-20240307", Usage(input_tokens=1_000_000), at=NOVEMBER)
    assert found == costs.Cost(Decimal("0.125"), estimated=True, discount=Decimal("0.5"))


def test_before_the_batch_rows_begin_the_factor_is_used_and_flagged() -> None:
    september = datetime(2026, 9, 30, tzinfo=UTC)
    found = costs.price("anthropic", "claude-sonnet-5-5", Usage(input_tokens=1_000_000), at=september)
    assert found.estimated
    assert found.usd == Decimal(1)


@pytest.mark.parametrize(("provider", "model"), [("anthropic", "claude-unheard-of-9"), ("nobody", "x")])
def test_an_unknown_price_is_none_and_never_zero(provider: str, model: str) -> None:
    assert costs.price(provider, model, Usage(input_tokens=1)) == costs.Cost(None)
    assert costs.batch_discount(provider, model) is None


def test_the_local_engine_is_free_unless_priced() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=10)
    assert costs.price("local", "smollm2-135m", usage).usd == Decimal(0)
    prices = {"local/smollm2-135m": Price(input="0.01", output=0)}
    assert costs.price("local", "smollm2-135m", usage, prices=prices).usd == Decimal("0.01")


def test_the_users_table_wins_and_cache_prices_default_to_input() -> None:
    usage = Usage(
        input_tokens=1_000_000, cache_read_tokens=400_000, cache_write_1h_tokens=100_000, output_tokens=10
    )
    plain = {"claude-opus-5-5": Price(input=1, output=2)}
    assert usd("claude-opus-5-5", usage, prices=plain) == Decimal("1.00002")
    full = {"claude-opus-5-5": Price(input=1, output=2, cache_read="0.1", cache_write_1h="2")}
    assert usd("claude-opus-5-5", usage, prices=full) == Decimal("0.74002")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"input": 1}, "needs 'input' and 'output'"),
        ({"input": 1, "output": 1, "cached": 1}, "needs 'input' and 'output'"),
        ({"input": "cheap", "output": 1}, "is not a number: 'cheap'"),
        ({"input": -1, "output": 1}, "must be 0 or more"),
        ({"input": "NaN", "output": 1}, "must be 0 or more"),
    ],
)
def test_a_bad_price_table_is_refused_by_name(row: dict[str, object], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        costs.check_prices({"m": cast("Price", row)})


def test_batch_discount() -> None:
    assert costs.batch_discount("anthropic", "claude-haiku-5-5", at=NOVEMBER) == Decimal("0.5")


def test_usage_adds_up() -> None:
    total = sum(
        [Usage(input_tokens=2, output_tokens=3, service_tier="batch"), Usage(input_tokens=5, reasoning_tokens=1)],
        Usage(),
    )
    assert total == Usage(input_tokens=7, output_tokens=3, reasoning_tokens=1, service_tier="batch")
