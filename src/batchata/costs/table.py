"""The public price data, and where it may not be trusted.

genai-prices answers every question, also those it has no answer to; the rules below are there for that. It matches
models by the beginnings of their names, so a newer or smaller model gets an older one's price; it puts names that move
from model to model beside the dated ones; it takes the standard price where a batch row, or one price in it, is
missing; and a row without token prices comes out as 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from batchata.costs.charge import Rates
from batchata.types import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, PriceVariant, TieredPrices


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a provider documents beside its prices.

    Attributes:
        listed_as: its name in the price data.
        batch_factor: of batch to standard prices for every model; ``None`` if only some models are said to be cheaper.
        longest_job: until a job is over for sure.
    """

    listed_as: str
    batch_factor: Decimal | None
    longest_job: timedelta


_HALF = Decimal("0.5")

_TERMS = {
    "anthropic": _Terms("anthropic", _HALF, timedelta(hours=24)),
    "openai": _Terms("openai", _HALF, timedelta(hours=24)),
    "gemini": _Terms("google", _HALF, timedelta(hours=48)),
    "mistral": _Terms("mistral", _HALF, timedelta(days=7)),
    "groq": _Terms("groq", None, timedelta(days=7)),
}
"""Our provider names. Others (OpenRouter, Together, any server) promise no discount that could be counted on."""

_BATCH = {"processing": "batch"}
"""How the price data names its batch rows; a context that is spelled otherwise is ignored there without complaint."""

_OTHER_MEDIA = frozenset({"input_image_mtok", "output_image_mtok", "output_audio_mtok", "output_video_mtok"})
"""Priced apart for some models, and not told apart in ``Usage``: such a model's price cannot be worked out."""

_VERSION = re.compile(
    r"(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|\d{4}|\d{3}|latest|preview(?:-\d{2}-(?:\d{4}|\d{2}))?))+$"
)
"""What may follow a model's name without making it another model."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A model in the price data.

    Attributes:
        moves: its name may mean another model tomorrow.
    """

    provider: str
    model: ModelInfo
    moves: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """Batch prices, and whether the price data says so itself."""

    rates: Rates
    is_sure: bool


def find(provider: str, model: str) -> Listed | None:
    """The model's own entry in the price data, or ``None``: never that of another model."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  # imported where first used

    if provider not in _TERMS:
        return None
    name = model.lower().removeprefix("models/")
    try:
        home, found = get_snapshot().find_provider_model(name, None, _TERMS[provider].listed_as, None)
    except LookupError:
        return None
    # Google's list falls back to Anthropic's, whose batch rows it then ignores.
    if not any(found is own for own in home.models) or not _is_named(found, name):
        return None
    return Listed(provider, found, moves=_moves(name))


def listed_models(provider: str) -> list[str]:
    """Every model of a provider in the price data; none of one whose prices are not in it."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  # imported where first used

    name = _TERMS[provider].listed_as if provider in _TERMS else None
    return [model.id for home in get_snapshot().providers if home.id == name for model in home.models]


def standard(listed: Listed, prompt_tokens: int, at: datetime) -> Rates | None:
    """Prices of a request outside a batch; ``None`` where the price data has none by the token."""
    return _rates(listed.model.get_prices(at), prompt_tokens)


def batch(listed: Listed, usage: Usage, at: datetime) -> Quote | None:
    """Prices of a request in a batch; ``None`` where nothing is known about them."""
    plain = standard(listed, usage.input_tokens, at)
    if plain is None:
        return None
    factor = _TERMS[listed.provider].batch_factor
    by_factor = None if factor is None else Quote(plain.times(factor), is_sure=False)
    variants = [row for row in listed.model.price_variants or () if row.when == _BATCH and _is_active(row, at)]
    if not variants:
        return by_factor
    rates = _rates(listed.model.get_prices(at, _BATCH), usage.input_tokens)
    if rates is None:
        return None
    if by_factor is not None and (
        rates.input < by_factor.rates.input or rates.output < by_factor.rates.output
    ):  # the row left out the step for long prompts that the standard price has (gpt-5.5-pro)
        return by_factor
    lists_reads = any(row.prices.__dict__.get("cache_read_mtok") is not None for row in variants)
    if listed.provider == "openai" and not lists_reads:
        # OpenAI: no discount for cached input in batches; the standard price for it would be the wrong one.
        rates = replace(rates, cache_read=None)
    # Google's guide says that cached tokens cost the same in a batch, its price list halves them for some models.
    reads_are_sure = listed.provider != "gemini" or not lists_reads or not usage.cache_read_tokens
    return Quote(rates, is_sure=reads_are_sure and not listed.moves)


def moments(listed: Listed, start: datetime) -> list[datetime]:
    """``start``, and every later moment at which a price changes while a job created at ``start`` may still run."""
    from genai_prices.types import StartDateConstraint  # noqa: PLC0415  # imported where first used

    model = listed.model
    constraints = [row.constraint for row in model.price_variants or () if row.when == _BATCH]
    if isinstance(model.prices, list):
        constraints += [row.constraint for row in model.prices]
    days = {each.start_date for each in constraints if isinstance(each, StartDateConstraint)}
    midnights = sorted(datetime.combine(day, time(), UTC) for day in days)
    end = start + _TERMS[listed.provider].longest_job
    return [start, *(moment for moment in midnights if start < moment <= end)]


def steps(listed: Listed, at: datetime) -> list[int]:
    """Prompt sizes above which another price holds, beginning with 0."""
    return sorted({0} | _starts(listed.model.get_prices(at)))


def all_steps(listed: Listed, at: datetime) -> set[int]:
    """The same of standard and of batch prices, without 0."""
    return _starts(listed.model.get_prices(at)) | _starts(listed.model.get_prices(at, _BATCH))


def _starts(listed: ModelPrice) -> set[int]:
    prices: Mapping[str, Decimal | TieredPrices | None] = listed.__dict__
    return {tier.start for value in prices.values() for tier in getattr(value, "tiers", ())}


def _is_named(model: ModelInfo, name: str) -> bool:
    """Whether ``name`` is this very model, perhaps with a date, and not one whose name begins or ends alike."""
    base = _VERSION.sub("", name)
    if name == model.id:
        return True
    if _moves(name):
        return False
    if name.startswith("ft:"):
        return model.id.startswith("ft:")  # the base model is cheaper than what is tuned from it
    if base in {model.id, _VERSION.sub("", model.id)}:
        return True
    return any(
        model.is_match(candidate) and not model.is_match(f"{candidate}-x") and not model.is_match(f"x-{candidate}")
        for candidate in (name, base)
    )


def _moves(name: str) -> bool:
    return name.endswith("-latest") or not re.search(r"\d", name)


def _is_active(row: PriceVariant, at: datetime) -> bool:
    return row.constraint is None or row.constraint.active(at)


def _rates(prices: ModelPrice, prompt_tokens: int) -> Rates | None:
    listed: dict[str, Decimal | TieredPrices | None] = prices.__dict__
    rate = {key: _step(value, prompt_tokens) for key, value in listed.items() if value is not None}
    if "input_mtok" not in rate or "output_mtok" not in rate or rate.keys() & _OTHER_MEDIA:
        return None
    thousand_searches = rate.get("web_searches_kcount")
    return Rates(
        input=rate["input_mtok"],
        output=rate["output_mtok"],
        cache_read=rate.get("cache_read_mtok"),
        cache_write=rate.get("cache_write_mtok"),
        cache_write_1h=rate.get("cache_write_1h_mtok"),
        search=None if thousand_searches is None else thousand_searches / 1000,
    )


def _step(value: Decimal | TieredPrices, prompt_tokens: int) -> Decimal:
    """Steps look at the whole prompt, cache included, and price the whole request."""
    if isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if prompt_tokens > tier.start]
    return reached[-1] if reached else value.base
