"""The user's own price table."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from batchata.costs.charge import Rates
from batchata.errors import ArgumentError
from batchata.types import Price

Prices = Mapping[str, Price]


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


def prices_cache(provider: str, model: str, prices: Prices | None) -> bool:
    """Whether writes to the provider's cache can be priced: a user's table may leave them out."""
    rates = own_rates(provider, model, prices)
    return rates is None or rates.cache_write is not None


def own_rates(provider: str, model: str, prices: Prices | None) -> Rates | None:
    """The user's row for a model, under its full name or its bare one; ``None`` if there is none."""
    for name in (f"{provider}/{model}", model):
        if prices is not None and name in prices:
            row = prices[name]
            return Rates(
                input=Decimal(str(row["input"])),
                output=Decimal(str(row["output"])),
                cache_read=_read(row.get("cache_read")),
                cache_write=_read(row.get("cache_write")),
                cache_write_1h=_read(row.get("cache_write_1h", row.get("cache_write"))),
            )
    return None


def _read(value: float | str | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
