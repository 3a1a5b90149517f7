"""Usage in, dollars out: exact, in ``Decimal``, and never 0 for what is not known.

Prices come from genai-prices (bundled with it, dated, no network), unless the user gives a table. Four traps of
that library are closed here (docs/costs.md): a missing batch row falls back to the standard
price in silence, the price context must be spelled ``processing``, its ``input_tokens`` is the whole prompt, and
an unknown model must not become 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from batchata.errors import ArgumentError
from batchata.types import Price, TokenCount, Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceContext
    from genai_prices.types import Provider as PriceProvider

__all__ = ["Cost", "Prices", "batch_discount", "check_prices", "price", "prices_cache", "worst"]

Prices = Mapping[str, Price]

_PRICE_PROVIDERS = {"anthropic": "anthropic"}
"""Our provider names → theirs."""

_BATCH_FACTOR = {"anthropic": Decimal("0.5")}
"""What the provider documents for batch work; used, and flagged, where the price data has no batch row."""

_US_FACTOR = Decimal("1.1")
"""Anthropic: ``inference_geo: "us"`` multiplies token prices (platform.claude.com, pricing)."""

_MILLION = Decimal(1_000_000)

_WRITE_FACTOR = Decimal("1.25")

_COUNT_MARGIN = 32
"""Tokens beside 2 %, by which a provider's own count may be short of what it bills."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars for one answer or for many.

    Attributes:
        usd: exact amount; ``None`` when no price is known.
        estimated: it rests on a documented factor instead of a price row.
        discount: part taken off the standard price; ``None`` when it is not known.
    """

    usd: Decimal | None
    estimated: bool = False
    discount: Decimal | None = None


def check_prices(prices: Prices | None) -> None:
    """Raise ``ArgumentError`` for a price table that cannot be used."""
    if prices is not None and not isinstance(prices, Mapping):
        raise ArgumentError(f"prices must be a dict of model name → Price, got {type(prices).__name__}.")
    for model, row in (prices or {}).items():
        if not isinstance(row, Mapping):
            raise ArgumentError(f"prices[{model!r}] must be a dict with 'input' and 'output', got {row!r}.")
        unknown = set(row) - set(Price.__annotations__)
        if unknown or "input" not in row or "output" not in row:
            raise ArgumentError(
                f"prices[{model!r}] needs 'input' and 'output' in dollars per million tokens, and may have "
                f"'cache_read', 'cache_write', 'cache_write_1h'; got {sorted(row)}."
            )
        for key, value in row.items():
            try:
                amount = Decimal(str(value))
            except InvalidOperation as error:
                raise ArgumentError(f"prices[{model!r}][{key!r}] is not a number: {value!r}.") from error
            if not amount.is_finite() or amount < 0:
                raise ArgumentError(f"prices[{model!r}][{key!r}] must be 0 or more, got {value!r}.")


def price(
    provider: str,
    model: str,
    usage: Usage,
    *,
    batch: bool = True,
    at: datetime | None = None,
    prices: Prices | None = None,
) -> Cost:
    """What ``usage`` costs on ``model``.

    Args:
        batch: the request went through the batch API; a ``service_tier`` in ``usage`` that says otherwise wins.
        at: when it ran, for dated prices; now if not given.
        prices: the user's table, by model name with or without ``provider/``; it wins over everything.

    Returns:
        A cost whose ``usd`` is ``None`` when the model has no known price. Formulas: docs/costs.md.
    """
    row = _own_row(provider, model, prices)
    if row is not None:
        return _price_by_row(usage, row)
    if provider == "local":
        return Cost(Decimal(0), discount=Decimal(0))
    found = _look_up(provider, model)
    if found is None:
        return Cost(None)
    batch = batch and usage.service_tier in {None, "batch"}
    return _price_by_table(provider, found, usage, batch=batch, at=at or datetime.now(UTC))


def batch_discount(
    provider: str, model: str, *, at: datetime | None = None, prices: Prices | None = None
) -> Decimal | None:
    """The part that the batch API takes off the standard input price, for example ``Decimal("0.5")``.

    ``None`` when it is not known, as with the user's own prices.
    """
    return price(provider, model, Usage(input_tokens=1_000), at=at, prices=prices).discount


def prices_cache(provider: str, model: str, prices: Prices | None) -> bool:
    """Whether writes to the provider's cache can be priced: a user's table may leave them out."""
    row = _own_row(provider, model, prices)
    return row is None or "cache_write" in row


def worst(
    provider: str,
    model: str,
    tokens: TokenCount,
    max_tokens: int,
    *,
    caches: bool = False,
    prices: Prices | None = None,
) -> Decimal | None:
    """The most that one request can be billed, in dollars; ``None`` without a known price.

    A count of the provider's gets a margin, for Anthropic calls its own an estimate. The batch discount is taken off
    only where a price row says so, and a workspace may have its inference run in the US, which costs more.

    Args:
        tokens: of the input.
        max_tokens: most tokens of the answer.
        caches: whether the request asks for its beginning to be cached, which costs more than plain input.
    """
    most = tokens.tokens if not tokens.exact else tokens.tokens + tokens.tokens // 50 + _COUNT_MARGIN
    geo = "us" if provider == "anthropic" else None
    plain = Usage(input_tokens=most, output_tokens=max_tokens, inference_geo=geo)
    usages = [plain, replace(plain, cache_write_tokens=most)] if caches else [plain]
    row = _own_row(provider, model, prices)
    if row is not None and "cache_write" not in row:
        # Anthropic's factor: a table that says nothing must not make the worst case less than it is.
        dearer: Price = {**row, "cache_write": Decimal(str(row["input"])) * _WRITE_FACTOR}
        prices = {model: dearer}
    found: list[Decimal] = []
    for usage in usages:
        cost = price(provider, model, usage, prices=prices)
        if cost.estimated and row is None:
            cost = price(provider, model, usage, batch=False, prices=prices)
        if cost.usd is None:
            return None
        found.append(cost.usd)
    return max(found)


def _own_row(provider: str, model: str, prices: Prices | None) -> Price | None:
    for name in (model, f"{provider}/{model}"):
        if prices is not None and name in prices:
            return prices[name]
    return None


def _price_by_row(usage: Usage, row: Price) -> Cost:
    if usage.web_searches:
        return Cost(None)  # a price table has no row for them
    # Providers charge more for cache writes than for plain input, so a table without them is a guess.
    estimated = bool(
        (usage.cache_write_tokens and "cache_write" not in row)
        or (usage.cache_write_1h_tokens and not row.keys() & {"cache_write", "cache_write_1h"})
    )
    per_input = Decimal(str(row["input"]))
    per_write = Decimal(str(row.get("cache_write", per_input)))
    plain = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens - usage.cache_write_1h_tokens
    total = plain * per_input + usage.output_tokens * Decimal(str(row["output"]))
    total += usage.cache_read_tokens * Decimal(str(row.get("cache_read", per_input)))
    total += usage.cache_write_tokens * per_write
    total += usage.cache_write_1h_tokens * Decimal(str(row.get("cache_write_1h", per_write)))
    return Cost(total / _MILLION, estimated=estimated)


def _look_up(provider: str, model: str) -> tuple[PriceProvider, ModelInfo] | None:
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  # imported where first used

    if provider not in _PRICE_PROVIDERS:
        return None
    try:
        return get_snapshot().find_provider_model(model, None, _PRICE_PROVIDERS[provider], None)
    except LookupError:
        return None


def _price_by_table(
    provider: str, found: tuple[PriceProvider, ModelInfo], usage: Usage, *, batch: bool, at: datetime
) -> Cost:
    price_provider, model = found
    standard = _price_tokens(price_provider, model, usage, at)
    searches = _price_searches(price_provider, model, usage, at)
    if not batch:
        return Cost(standard + searches, discount=Decimal(0))
    if not _has_batch_row(model, at):
        factor = _BATCH_FACTOR[provider]
        return Cost(standard * factor + searches, estimated=True, discount=1 - factor)
    usd = _price_tokens(price_provider, model, usage, at, {"processing": "batch"})
    return Cost(usd + searches, discount=1 - usd / standard if standard else None)


def _price_tokens(
    provider: PriceProvider,
    model: ModelInfo,
    usage: Usage,
    at: datetime,
    context: PriceContext | None = None,
) -> Decimal:
    from genai_prices import Usage as PriceUsage  # noqa: PLC0415  # imported where first used

    counted = PriceUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens + usage.cache_write_1h_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
    )
    found = model.calc_price(counted, provider, genai_request_timestamp=at, price_context=context)
    return found.total_price * (_US_FACTOR if usage.inference_geo == "us" else 1)


def _price_searches(provider: PriceProvider, model: ModelInfo, usage: Usage, at: datetime) -> Decimal:
    """Web searches are billed by the piece; the batch discount does not apply to them."""
    from genai_prices import Usage as PriceUsage  # noqa: PLC0415  # imported where first used

    if not usage.web_searches:
        return Decimal(0)
    counted = PriceUsage(web_searches=usage.web_searches)
    return model.calc_price(counted, provider, genai_request_timestamp=at).total_price


def _has_batch_row(model: ModelInfo, at: datetime) -> bool:
    return any(
        variant.when == {"processing": "batch"} and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )
