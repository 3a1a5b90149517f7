"""Dollars, worked out by hand from the published prices of a given day, against what costs says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
)
from genai_prices.types import Provider as PriceProvider
from hypothesis import given, settings
from hypothesis import strategies as st

from batchata import costs
from batchata.errors import ArgumentError
from batchata.types import Price, TokenCount, Usage

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
    usage = Usage(input_tokens=1_000_000, service_tier="standard")
    found = costs.price("anthropic", "claude-sonnet-5-5", usage, at=NOVEMBER)
    assert found == costs.Cost(Decimal(2), discount=Decimal(0))


def test_a_tier_without_a_price_row_is_an_estimate_at_the_standard_price() -> None:
    usage = Usage(input_tokens=100_000, service_tier="flex")
    found = costs.price("openai", "gpt-6-sol", usage, at=NOVEMBER)
    assert found == costs.Cost(Decimal("0.2"), estimated=True, discount=Decimal(0))


def test_a_model_without_a_batch_row_is_estimated_and_says_so() -> None:
    found = costs.price("anthropic", "claude-3-haiku-20240307", Usage(input_tokens=1_000_000), at=NOVEMBER)
    assert found == costs.Cost(Decimal("0.125"), estimated=True, discount=Decimal("0.5"))


def test_before_the_batch_rows_begin_the_factor_is_used_and_flagged() -> None:
    september = datetime(2026, 9, 30, tzinfo=UTC)
    found = costs.price("anthropic", "claude-sonnet-5-5", Usage(input_tokens=1_000_000), at=september)
    assert found.estimated
    assert found.usd == Decimal(1)


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
        ("1.5", "must be a dict with 'input' and 'output', got '1.5'"),
        ({"input": 1}, "needs 'input' and 'output'"),
        ({"input": 1, "output": 1, "cached": 1}, "needs 'input' and 'output'"),
        ({"input": "cheap", "output": 1}, "is not a number: 'cheap'"),
        ({"input": -1, "output": 1}, "must be 0 or more"),
        ({"input": "NaN", "output": 1}, "must be 0 or more"),
    ],
)
def test_a_bad_price_table_is_refused_by_name(row: object, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        costs.check_prices({"m": cast("Price", row)})


def test_a_good_price_table_is_taken_and_a_list_is_not() -> None:
    costs.check_prices(None)
    costs.check_prices({"m": Price(input=1, output="2.5", cache_write=Decimal(3))})
    with pytest.raises(ArgumentError, match="prices must be a dict of model name → Price, got list"):
        costs.check_prices(cast("costs.Prices", [1]))


def test_batch_discount() -> None:
    assert costs.batch_discount("anthropic", "claude-haiku-5-5", at=NOVEMBER) == Decimal("0.5")


def test_usage_adds_up() -> None:
    total = sum(
        [Usage(input_tokens=2, output_tokens=3, service_tier="batch"), Usage(input_tokens=5, reasoning_tokens=1)],
        Usage(),
    )
    assert total == Usage(input_tokens=7, output_tokens=3, reasoning_tokens=1, service_tier="batch")


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-6-astra", "3.0"),  # 5 + 25
        ("openai", "gpt-6.1-sol", "0.6"),  # 1 + 5
        ("openai", "gpt-6.1-terra", "0.3"),  # 0.5 + 2.5
        ("openai", "gpt-6-sol", "0.6"),  # 1 + 5
        ("openai", "gpt-6-luna", "0.03"),  # 0.05 + 0.25
        ("openai", "gpt-5.6-sol", "1.2"),  # 2 + 10
        ("openai", "gpt-5.6-terra", "0.7"),  # 1 + 6
        ("openai", "gpt-5.6-luna", "0.07"),  # 0.1 + 0.6
        ("openai", "gpt-5.5", "1.75"),  # 2.5 + 15
        ("openai", "gpt-5.4", "0.875"),  # 1.25 + 7.5
        ("openai", "gpt-5.4-mini", "0.2625"),  # 0.375 + 2.25
        ("openai", "gpt-5.4-nano", "0.0725"),  # 0.1 + 0.625
        ("openai", "gpt-5", "0.5625"),  # 0.625 + 5
        ("openai", "gpt-5-mini", "0.1125"),  # 0.125 + 1
        ("openai", "gpt-4.1", "0.5"),  # 1 + 4
        ("openai", "gpt-4o", "0.625"),  # 1.25 + 5
        ("openai", "gpt-4o-mini", "0.0375"),  # 0.075 + 0.3
        ("gemini", "gemini-4-argon", "0.6"),  # 1 + 5
        ("gemini", "gemini-3.8-flash", "0.225"),  # 0.375 + 1.875
        ("gemini", "gemini-3.6-flash", "0.225"),  # 0.375 + 1.875
        ("gemini", "gemini-3.5-flash-lite", "0.14"),  # 0.15 + 1.25
        ("gemini", "gemini-3.1-pro-preview", "0.7"),  # 1 + 6
        ("gemini", "gemini-3.1-flash-lite", "0.0875"),  # 0.125 + 0.75
        ("gemini", "gemini-2.5-pro", "0.5625"),  # 0.625 + 5
        ("gemini", "gemini-2.5-flash", "0.14"),  # 0.15 + 1.25
        ("gemini", "gemini-2.5-flash-lite", "0.025"),  # 0.05 + 0.2
        ("mistral", "mistral-large-2512", "0.1"),  # 0.25 + 0.75
        ("mistral", "mistral-large-4", "0.14"),  # 0.35 + 1.05
        ("mistral", "mistral-medium-3-5", "0.45"),  # 0.75 + 3.75
        ("mistral", "mistral-small-2603", "0.0375"),  # 0.075 + 0.3
        ("groq", "openai/gpt-oss-120b", "0.0375"),  # 0.075 + 0.3
    ],
)
def test_a_hundred_thousand_in_and_out_at_the_other_providers(provider: str, model: str, expected: str) -> None:
    found = costs.price(provider, model, Usage(input_tokens=100_000, output_tokens=100_000), at=NOVEMBER)
    assert found == costs.Cost(Decimal(expected), discount=Decimal("0.5"))


def test_openai_cached_and_written_tokens_at_batch_price() -> None:
    usage = Usage(input_tokens=10_000, cache_read_tokens=4_000, cache_write_tokens=2_000, output_tokens=500)
    found = costs.price("openai", "gpt-6.1-sol", usage, at=NOVEMBER)
    # (4,000 × 1 + 4,000 × 0.05 + 2,000 × 1.25 + 500 × 5) / 1e6
    assert found == costs.Cost(Decimal("0.0092"), discount=Decimal("0.5"))


def test_openai_gives_no_cache_discount_in_batches_before_gpt_5() -> None:
    usage = Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=100)
    found = costs.price("openai", "gpt-4.1", usage, at=NOVEMBER)
    # (1,000 × 1 + 100 × 4) / 1e6; the standard price of cached input, 0.5, does not apply
    assert found == costs.Cost(Decimal("0.0014"), discount=Decimal("0.5"))


def test_gemini_cached_tokens_cost_the_same_in_a_batch_where_no_batch_price_is_listed() -> None:
    usage = Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=100)
    found = costs.price("gemini", "gemini-2.5-flash", usage, at=NOVEMBER)
    # (600 × 0.15 + 400 × 0.03 + 100 × 1.25) / 1e6
    assert found == costs.Cost(Decimal("0.000227"), discount=Decimal("0.5"))


def test_gemini_cached_tokens_are_a_guess_where_guide_and_price_list_disagree() -> None:
    usage = Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=100)
    found = costs.price("gemini", "gemini-4-argon", usage, at=NOVEMBER)
    # (600 × 1 + 400 × 0.05 + 100 × 5) / 1e6
    assert found == costs.Cost(Decimal("0.00112"), estimated=True, discount=Decimal("0.5"))


def test_mistral_cached_tokens_at_batch_price() -> None:
    usage = Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=100)
    # (600 × 0.075 + 400 × 0.0075 + 100 × 0.3) / 1e6
    assert costs.price("mistral", "mistral-small-2603", usage, at=NOVEMBER).usd == Decimal("0.000078")


@pytest.mark.parametrize(
    ("provider", "model", "tokens", "expected"),
    [
        ("openai", "gpt-6-sol", 272_000, "0.277"),  # (272,000 × 1 + 1,000 × 5) / 1e6
        ("openai", "gpt-6-sol", 272_001, "0.551502"),  # (272,001 × 2 + 1,000 × 7.5) / 1e6
        ("gemini", "gemini-3.1-pro-preview", 200_000, "0.206"),  # (200,000 × 1 + 1,000 × 6) / 1e6
        ("gemini", "gemini-3.1-pro-preview", 200_001, "0.409002"),  # (200,001 × 2 + 1,000 × 9) / 1e6
    ],
)
def test_price_steps_hold_for_the_whole_request(provider: str, model: str, tokens: int, expected: str) -> None:
    found = costs.price(provider, model, Usage(input_tokens=tokens, output_tokens=1_000), at=NOVEMBER)
    assert found == costs.Cost(Decimal(expected), discount=Decimal("0.5"))


def test_a_batch_row_that_lacks_the_step_of_the_standard_price_is_not_believed() -> None:
    usage = Usage(input_tokens=300_000, output_tokens=1_000)
    found = costs.price("openai", "gpt-5.5-pro", usage, at=NOVEMBER)
    # 0.5 × (300,000 × 60 + 1,000 × 270) / 1e6; the row says 15 and 90 for all sizes
    assert found == costs.Cost(Decimal("9.135"), estimated=True, discount=Decimal("0.5"))


def list_model(*variants: PriceVariant) -> None:
    standard = ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(4), output_mtok=Decimal(20)))
    model = ModelInfo(id="new-1", match=ClauseEquals("new-1"), prices=[standard], price_variants=list(variants))
    home = PriceProvider(id="openai", name="OpenAI", api_pattern="x", models=[model])
    set_custom_snapshot(DataSnapshot(providers=[home], from_auto_update=False))


@pytest.fixture
def other_prices() -> Iterator[None]:
    yield
    set_custom_snapshot(None)


@pytest.mark.usefixtures("other_prices")
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(10)), costs.Cost(Decimal("0.012"), False)),
        (ModelPrice(input_mtok=Decimal(3), output_mtok=Decimal(10)), costs.Cost(Decimal("0.013"), False)),
        (ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(10)), costs.Cost(Decimal("0.012"), True)),
        (ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(9)), costs.Cost(Decimal("0.012"), True)),
        (ModelPrice(input_mtok=Decimal(2), output_image_mtok=Decimal(9)), costs.Cost(None)),
    ],
)
def test_a_batch_row_counts_unless_it_takes_off_more_than_is_documented(
    row: ModelPrice, expected: costs.Cost
) -> None:
    list_model(PriceVariant({"processing": "batch"}, row))
    found = costs.price("openai", "new-1", Usage(input_tokens=1_000, output_tokens=1_000), at=NOVEMBER)
    assert (found.usd, found.estimated) == (expected.usd, expected.estimated)


@pytest.mark.usefixtures("other_prices")
def test_a_batch_price_may_change_alone() -> None:
    dear = ModelPrice(input_mtok=Decimal(3), output_mtok=Decimal(20))
    cheap = ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(10))
    list_model(
        PriceVariant({"processing": "batch"}, dear, StartDateConstraint(date(2026, 11, 23))),
        PriceVariant({"processing": "batch"}, cheap),
    )
    assert costs.worst("openai", "new-1", TokenCount(1_000, exact=False), 1_000, at=NOVEMBER) == Decimal("0.023")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 11, 28, 23, 59, tzinfo=UTC), costs.Cost(Decimal("0.105"), discount=Decimal("0.5"))),
        (datetime(2026, 11, 30, 12, tzinfo=UTC), costs.Cost(Decimal("0.105"), True, Decimal("0.5"))),
        (datetime(2026, 12, 1, tzinfo=UTC), costs.Cost(Decimal("0.21"), discount=Decimal("0.5"))),
    ],
)
def test_a_price_that_changes_while_the_job_may_run_makes_an_estimate(at: datetime, expected: costs.Cost) -> None:
    # (100,000 × 1 + 1,000 × 5) / 1e6, twice that from December on; a job may take 48 hours
    usage = Usage(input_tokens=100_000, output_tokens=1_000)
    assert costs.price("gemini", "gemini-4-argon", usage, at=at) == expected


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_a_time_without_a_zone_is_utc() -> None:
    usage = Usage(input_tokens=100_000)
    first = datetime(2026, 12, 1, tzinfo=UTC).replace(tzinfo=None)
    assert costs.price("gemini", "gemini-4-argon", usage, at=first).usd == Decimal("0.2")


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("anthropic", "claude-sonnet-4-20250514", "0.1575"),  # 0.5 × (100,000 × 3 + 1,000 × 15) / 1e6
        ("gemini", "gemini-3.5-flash", "0.0795"),  # 0.5 × (100,000 × 1.5 + 1,000 × 9) / 1e6
        ("mistral", "mistral-saba", "0.0103"),  # 0.5 × (100,000 × 0.2 + 1,000 × 0.6) / 1e6
        ("openai", "ft:gpt-4o-2024-08-06:us::1", "0.195"),  # 0.5 × (100,000 × 3.75 + 1,000 × 15) / 1e6
    ],
)
def test_the_documented_factor_stands_in_for_a_batch_row(provider: str, model: str, expected: str) -> None:
    found = costs.price(provider, model, Usage(input_tokens=100_000, output_tokens=1_000), at=NOVEMBER)
    assert found == costs.Cost(Decimal(expected), estimated=True, discount=Decimal("0.5"))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("nobody", "x"),
        ("compatible", "gpt-6-luna"),
        ("openrouter", "openai/gpt-6-luna"),
        ("together", "openai/gpt-oss-120b"),
        ("groq", "llama-3.3-70b-versatile"),  # has no batch row, and no discount is documented for all models
        ("anthropic", "claude-unheard-of-9"),
        ("anthropic", "claude-opus-4-10"),  # begins like claude-opus-4-1
        ("anthropic", "claude-haiku-4-5-lite"),
        ("openai", "gpt-6.2-sol"),
        ("openai", "gpt-6"),
        ("openai", "gpt-6-luna-mini"),
        ("openai", "gpt-5-nano-lite"),
        ("openai", "ft:gpt-4-0613:us::1"),  # listed beside gpt-4, and dearer
        ("openai", "ft:gpt-4.1-2025-04-14:us::1"),
        ("openai", "omni-moderation-latest"),  # listed without any price
        ("openai", "gpt-audio"),  # usage does not tell audio from text
        ("gemini", "gemini-4-carbon"),
        ("gemini", "gemini-4-argon-2-lite"),
        ("gemini", "gemini-3.8-flash-lite"),  # begins like gemini-3.8-flash
        ("gemini", "gemini-2.5-pro-computer-use-preview-10-2025"),
        ("gemini", "x-gemini-2.0-flash"),
        ("gemini", "gemini-flash-latest"),  # listed beside gemini-3.8-flash, and moves on
        ("gemini", "gemma-3-27b-it"),
        ("gemini", "claude-sonnet-5"),  # found in Anthropic's list
        ("mistral", "mistral-large-5"),
        ("mistral", "mistral-large-latest"),  # listed beside models of 2024
        ("mistral", "mistral-medium"),  # the same
        ("mistral", "mistral-ocr-latest"),  # priced by the page
    ],
)
def test_an_unknown_price_is_none_and_never_zero_or_another_models(provider: str, model: str) -> None:
    assert costs.price(provider, model, Usage(input_tokens=1), at=NOVEMBER).usd is None
    assert costs.batch_discount(provider, model, at=NOVEMBER) is None
    assert costs.worst(provider, model, TokenCount(1, exact=False), 1, at=NOVEMBER) is None
    assert costs.price_rows(provider, model, at=NOVEMBER) == ()


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("anthropic", "claude-haiku-4-5-20251001", "0.05"),
        ("anthropic", "claude-opus-4-5-20251101", "0.25"),
        ("openai", "gpt-6-luna-2026-10-01", "0.005"),
        ("openai", "gpt-5-nano-2025-08-07", "0.0025"),
        ("openai", "gpt-4o-2024-08-06", "0.125"),
        ("openai", "gpt-4o-2024-05-13", "0.25"),  # dearer than its successors of the same name
        ("openai", "GPT-6-Luna", "0.005"),
        ("gemini", "models/gemini-4-argon", "0.1"),
        ("gemini", "gemini-4-argon-001", "0.1"),
        ("gemini", "gemini-2.5-pro-preview-06-05", "0.0625"),
        ("gemini", "gemini-2.5-flash-lite-preview-09-2025", "0.005"),
        ("mistral", "mistral-large-4-0", "0.035"),
    ],
)
def test_versions_of_a_model_have_its_price(provider: str, model: str, expected: str) -> None:
    found = costs.price(provider, model, Usage(input_tokens=100_000), at=NOVEMBER)
    assert found == costs.Cost(Decimal(expected), discount=Decimal("0.5"))


def test_a_name_that_may_move_is_an_estimate_even_with_a_row_of_its_own() -> None:
    usage = Usage(input_tokens=100_000)
    found = costs.price("mistral", "mistral-small-latest", usage, at=NOVEMBER)
    assert found == costs.Cost(Decimal("0.0075"), estimated=True, discount=Decimal("0.5"))
    live = costs.price("mistral", "mistral-small-latest", usage, at=NOVEMBER, batch=False)
    assert live == costs.Cost(Decimal("0.015"), estimated=True, discount=Decimal(0))


def test_outside_a_batch_the_standard_price_holds() -> None:
    usage = Usage(input_tokens=1_000, cache_read_tokens=400)
    # (600 × 2 + 400 × 0.5) / 1e6
    found = costs.price("openai", "gpt-4.1", usage, at=NOVEMBER, batch=False)
    assert found == costs.Cost(Decimal("0.0014"), discount=Decimal(0))
    assert costs.price("mistral", "mistral-ocr-latest", usage, at=NOVEMBER, batch=False) == costs.Cost(None)


def test_writes_that_no_list_prices_are_an_estimate() -> None:
    usage = Usage(input_tokens=1_000, cache_write_tokens=100, cache_write_1h_tokens=100)
    assert costs.price("openai", "gpt-4.1", usage, at=NOVEMBER).estimated
    long = costs.price("openai", "gpt-6-sol", Usage(input_tokens=1_000, cache_write_1h_tokens=1_000), at=NOVEMBER)
    assert (long.usd, long.estimated) == (Decimal("0.00125"), True)
    assert not costs.price(
        "openai", "gpt-6-sol", Usage(input_tokens=9, cache_write_tokens=9), at=NOVEMBER
    ).estimated


def test_searches_are_billed_apart_and_never_free() -> None:
    usage = Usage(input_tokens=1_000, web_searches=2)
    assert costs.price("openai", "gpt-6-sol", usage, at=NOVEMBER).usd == Decimal(
        "0.021"
    )  # 1,000 × 1 / 1e6 + 2 × 0.01
    assert costs.price("openai", "o3-mini", usage, at=NOVEMBER).usd is None
    prices = {"gpt-6-sol": Price(input=1, output=2)}
    assert costs.price("openai", "gpt-6-sol", usage, prices=prices).usd is None


@pytest.mark.parametrize(
    "provider", ["anthropic", "openai", "gemini", "mistral", "groq", "compatible", "my-server"]
)
def test_the_users_table_serves_every_provider(provider: str) -> None:
    usage = Usage(input_tokens=1_000, output_tokens=100)
    for name in ("gpt-6.2-sol", f"{provider}/gpt-6.2-sol"):
        prices = {name: Price(input="1.5", output="4")}
        # (1,000 × 1.5 + 100 × 4) / 1e6
        assert costs.price(provider, "gpt-6.2-sol", usage, prices=prices) == costs.Cost(Decimal("0.0019"))


def test_a_name_with_its_provider_goes_before_the_bare_one() -> None:
    prices = {"openai/gpt-oss-20b": Price(input=1, output=1), "groq/openai/gpt-oss-20b": Price(input=2, output=1)}
    usage = Usage(input_tokens=1_000_000)
    assert costs.price("groq", "openai/gpt-oss-20b", usage, prices=prices).usd == Decimal(2)


@pytest.mark.parametrize(
    ("provider", "model", "tokens", "at", "expected"),
    [
        # OpenAI writes to its cache unasked: (100,000 × 0.0625 + 1,000 × 0.25) / 1e6
        ("openai", "gpt-6-luna", TokenCount(100_000, exact=False), NOVEMBER, "0.0065"),
        # with 2 % and 32 tokens: (102,032 × 0.0625 + 1,000 × 0.25) / 1e6
        ("openai", "gpt-6-luna", TokenCount(100_000, exact=True), NOVEMBER, "0.006627"),
        # the margin leads over the step: (275,432 × 2.5 + 1,000 × 7.5) / 1e6
        ("openai", "gpt-6-sol", TokenCount(270_000, exact=True), NOVEMBER, "0.69608"),
        # no writes before gpt-5.6: (100,000 × 1.25 + 1,000 × 7.5) / 1e6
        ("openai", "gpt-5.4", TokenCount(100_000, exact=False), NOVEMBER, "0.1325"),
        # no row, or one without the step, so no discount: (300,000 × 60 + 1,000 × 270) / 1e6
        ("openai", "gpt-5.5-pro", TokenCount(300_000, exact=False), NOVEMBER, "18.27"),
        # (100,000 × 1.5 + 1,000 × 9) / 1e6
        ("gemini", "gemini-3.5-flash", TokenCount(100_000, exact=False), NOVEMBER, "0.159"),
        # the standard price doubles with 2027: (100,000 × 1.5 + 1,000 × 7.5) / 1e6
        (
            "gemini",
            "gemini-3.7-flash",
            TokenCount(100_000, exact=False),
            datetime(2026, 12, 31, tzinfo=UTC),
            "0.1575",
        ),
        # a moving name: (100,000 × 0.15 + 1,000 × 0.6) / 1e6
        ("mistral", "mistral-small-latest", TokenCount(100_000, exact=False), NOVEMBER, "0.0156"),
        # over before December: (100,000 × 1 + 1,000 × 5) / 1e6
        (
            "gemini",
            "gemini-4-argon",
            TokenCount(100_000, exact=False),
            datetime(2026, 11, 28, 23, 59, tzinfo=UTC),
            "0.105",
        ),
        # may end in December: (100,000 × 2 + 1,000 × 10) / 1e6
        ("gemini", "gemini-4-argon", TokenCount(100_000, exact=False), datetime(2026, 11, 29, tzinfo=UTC), "0.21"),
        # 0.34 and 1.045, twice that from 2026-10-20 to 28: (100,000 × 0.68 + 1,000 × 2.09) / 1e6
        (
            "mistral",
            "mistral-large-4",
            TokenCount(100_000, exact=False),
            datetime(2026, 10, 15, tzinfo=UTC),
            "0.07009",
        ),
        (
            "mistral",
            "mistral-large-4",
            TokenCount(100_000, exact=False),
            datetime(2026, 10, 28, tzinfo=UTC),
            "0.07009",
        ),
        # in the United States: 1.1 × (100,000 × 1 + 1,000 × 5) / 1e6
        ("anthropic", "claude-sonnet-5-5", TokenCount(100_000, exact=False), NOVEMBER, "0.1155"),
        ("local", "smollm2-135m", TokenCount(100_000, exact=False), NOVEMBER, "0"),
    ],
)
def test_the_worst_case(provider: str, model: str, tokens: TokenCount, at: datetime, expected: str) -> None:
    assert costs.worst(provider, model, tokens, 1_000, at=at) == Decimal(expected)


def test_there_is_no_worst_case_while_one_of_two_prices_is_not_known() -> None:
    before = datetime(2026, 10, 10, tzinfo=UTC)  # Groq's batch rows begin four days later, a job may take seven
    assert costs.worst("groq", "openai/gpt-oss-120b", TokenCount(1, exact=False), 1, at=before) is None


def test_the_worst_case_of_a_request_that_asks_for_the_cache() -> None:
    count = TokenCount(100_000, exact=False)
    # 1.1 × (100,000 × 1.25 + 1,000 × 5) / 1e6
    asked = costs.worst("anthropic", "claude-sonnet-5-5", count, 1_000, caches=True, at=NOVEMBER)
    assert asked == Decimal("0.143")
    # (100,000 × 0.15 + 1,000 × 1.25) / 1e6: Google bills no writes
    assert costs.worst("gemini", "gemini-2.5-flash", count, 1_000, caches=True, at=NOVEMBER) == Decimal("0.01625")


@pytest.mark.parametrize(
    ("provider", "row", "caches", "expected"),
    [
        ("compatible", Price(input=1, output=2), False, "0.102"),
        ("compatible", Price(input=1, output=2), True, "0.127"),  # (100,000 × 1.25 + 1,000 × 2) / 1e6
        ("openai", Price(input=1, output=2), False, "0.127"),
        ("openai", Price(input=1, output=2, cache_write=1), False, "0.102"),
        ("anthropic", Price(input=1, output=2, cache_write=3), True, "0.302"),
    ],
)
def test_the_worst_case_by_the_users_table(provider: str, row: Price, caches: bool, expected: str) -> None:
    count = TokenCount(100_000, exact=False)
    assert costs.worst(provider, "m", count, 1_000, caches=caches, prices={"m": row}) == Decimal(expected)
    assert costs.prices_cache(provider, "m", {"m": row}) is ("cache_write" in row)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_answer_costs_more_than_the_worst_case(data: st.DataObject) -> None:
    provider, model, hours = data.draw(
        st.sampled_from(
            [
                ("anthropic", "claude-haiku-5-5", 24),
                ("openai", "gpt-6-sol", 24),
                ("openai", "gpt-5.5-pro", 24),
                ("openai", "gpt-4.1", 24),
                ("gemini", "gemini-4-argon", 48),
                ("gemini", "gemini-2.5-pro", 48),
                ("gemini", "gemini-3.5-flash", 48),
                ("mistral", "mistral-large-4", 168),
                ("mistral", "mistral-small-latest", 168),
            ]
        )
    )
    created = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=data.draw(st.integers(0, 2_400)))
    ran = created + timedelta(hours=data.draw(st.integers(0, hours)))
    most, max_tokens = data.draw(st.integers(0, 400_000)), data.draw(st.integers(0, 100_000))
    tokens = data.draw(st.integers(0, most))
    read = data.draw(st.integers(0, tokens))
    written = data.draw(st.integers(0, tokens - read))
    usage = Usage(
        input_tokens=tokens,
        output_tokens=data.draw(st.integers(0, max_tokens)),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )
    found = costs.price(provider, model, usage, at=ran).usd
    worst = costs.worst(provider, model, TokenCount(most, exact=False), max_tokens, caches=True, at=created)
    assert found is not None
    assert worst is not None
    assert found <= worst


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-6-luna", "0.5"),
        ("openai", "gpt-3.5-turbo-1106", "0"),  # listed at the same price in batches
        ("gemini", "gemini-3.5-flash", "0.5"),
        ("mistral", "mistral-large-2512", "0.5"),
        ("groq", "openai/gpt-oss-20b", "0.5"),
        ("local", "smollm2-135m", "0"),
    ],
)
def test_batch_discount_of_the_other_providers(provider: str, model: str, expected: str) -> None:
    assert costs.batch_discount(provider, model, at=NOVEMBER) == Decimal(expected)


def test_the_users_prices_have_no_known_discount() -> None:
    prices = {"gpt-6-luna": Price(input=1, output=1)}
    assert costs.batch_discount("openai", "gpt-6-luna", at=NOVEMBER, prices=prices) is None


def test_prices_as_rows() -> None:
    luna = costs.price_rows("openai", "gpt-6-luna", at=NOVEMBER)
    small = costs.Rates(
        input=Decimal("0.05"),
        output=Decimal("0.25"),
        cache_read=Decimal("0.005"),
        cache_write=Decimal("0.0625"),
        search=Decimal("0.01"),
    )
    large = costs.Rates(
        input=Decimal("0.1"),
        output=Decimal("0.375"),
        cache_read=Decimal("0.01"),
        cache_write=Decimal("0.125"),
        search=Decimal("0.01"),
    )
    assert luna == (costs.PriceRow(0, small, estimated=False), costs.PriceRow(272_000, large, estimated=False))
    (flash,) = costs.price_rows("gemini", "gemini-3.5-flash", at=NOVEMBER)
    assert (flash.above, flash.rates.input, flash.estimated) == (0, Decimal("0.75"), True)
    (own,) = costs.price_rows("my-server", "m", prices={"m": Price(input=1, output=2)})
    assert own == costs.PriceRow(0, costs.Rates(Decimal(1), Decimal(2)), estimated=False)
    (local,) = costs.price_rows("local", "smollm2-135m")
    assert local.rates.output == Decimal(0)


def test_the_worst_case_holds_for_a_table_in_which_cached_input_is_dearer() -> None:
    prices: dict[str, Price] = {"mine": {"input": 1, "output": 1, "cache_read": 5}}
    tokens = TokenCount(1_000_000, exact=False)
    assert costs.worst("openai", "mine", tokens, 0, prices=prices) == Decimal(5)
    assert costs.price("openai", "mine", Usage(1_000_000, cache_read_tokens=1_000_000), prices=prices).usd == 5
