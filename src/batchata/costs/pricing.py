"""What answers cost, and what a model's prices are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from batchata.costs import table
from batchata.costs.charge import Cost, Rates, charge
from batchata.costs.own import Prices, own_rates
from batchata.types import Usage

US_FACTOR = Decimal("1.1")
"""Anthropic: ``inference_geo: "us"`` multiplies token prices (platform.claude.com, pricing)."""

_FREE = Rates(Decimal(0), Decimal(0), Decimal(0), Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class PriceRow:
    """Batch prices of a model for prompts of more than ``above`` tokens."""

    above: int
    rates: Rates
    estimated: bool


def price(
    provider: str,
    model: str,
    usage: Usage,
    *,
    batch: bool = True,
    at: datetime | None = None,
    prices: Prices | None = None,
) -> Cost:
    """What ``usage`` costs on ``model``; as ``pricer``, for one answer."""
    return pricer(provider, model, batch=batch, at=at, prices=prices)(usage)


def pricer(
    provider: str,
    model: str,
    *,
    batch: bool = True,
    at: datetime | None = None,
    prices: Prices | None = None,
) -> Callable[[Usage], Cost]:
    """Says what answers of ``model`` cost; what many of them share is looked up once.

    Args:
        batch: the request went through the batch API; a ``service_tier`` in ``usage`` that says otherwise wins.
        at: when its job was created, for dated prices; now if not given. Times without a zone are UTC.
        prices: the user's table, by model name with or without ``provider/``; it wins over everything.

    Returns:
        A function whose cost has a ``usd`` of ``None`` when the model has no known price. Formulas: docs/costs.md.
    """
    own = own_rates(provider, model, prices)
    if own is not None:
        return lambda usage: charge(usage, own)
    if provider == "local":
        return lambda usage: charge(usage, _FREE, discount=Decimal(0))
    listed = table.find(provider, model)
    if listed is None:
        return lambda _: Cost(None)
    return _Listed(listed, utc(at), batch=batch).price


class _Listed:
    """Prices by the public price data, for jobs created at one time."""

    def __init__(self, listed: table.Listed, at: datetime, *, batch: bool) -> None:
        self._listed = listed
        self._at = at
        self._is_batch = batch
        self._moments = table.moments(listed, at)
        self._steps = sorted({step for moment in self._moments for step in table.all_steps(listed, moment)})
        self._quoted: dict[tuple[int, bool, str | None], list[_Quoted]] = {}

    def price(self, usage: Usage) -> Cost:
        if not self._is_batch or usage.service_tier not in {None, "batch"}:
            return self._standard(usage)
        # All that the prices hang on.
        key = (bisect_left(self._steps, usage.input_tokens), usage.cache_read_tokens > 0, usage.inference_geo)
        quotes = self._quoted.get(key)
        if quotes is None:
            quotes = self._quoted[key] = [_quoted(self._listed, usage, moment) for moment in self._moments]
        cost = quotes[0].cost(usage)
        # Nobody says which of the two prices holds for a job that runs while they change.
        if len(quotes) > 1 and any(each.cost(usage).usd != cost.usd for each in quotes):
            return cost._replace(estimated=True)
        return cost

    def _standard(self, usage: Usage) -> Cost:
        rates = table.standard(self._listed, usage.input_tokens, self._at)
        if rates is None:
            return Cost(None)
        is_standard = usage.service_tier in {None, "batch", "standard"} and not self._listed.moves
        return charge(usage, _in_region(rates, usage), is_sure=is_standard, discount=Decimal(0))


@dataclass(frozen=True, slots=True)
class _Quoted:
    """Batch prices as they hold for a kind of usage; ``None`` where none are known."""

    rates: Rates | None
    is_sure: bool = True
    discount: Decimal | None = None

    def cost(self, usage: Usage) -> Cost:
        if self.rates is None:
            return Cost(None)
        return charge(usage, self.rates, is_sure=self.is_sure, discount=self.discount)


def batch_discount(
    provider: str, model: str, *, at: datetime | None = None, prices: Prices | None = None
) -> Decimal | None:
    """The part that the batch API takes off the standard input price, for example ``Decimal("0.5")``.

    ``None`` when it is not known, as with the user's own prices.
    """
    return price(provider, model, Usage(input_tokens=1_000), at=at, prices=prices).discount


def price_rows(
    provider: str, model: str, *, at: datetime | None = None, prices: Prices | None = None
) -> tuple[PriceRow, ...]:
    """The model's batch prices, one row for each size of prompt that is priced apart; none if no price is known."""
    own = own_rates(provider, model, prices)
    if own is not None or provider == "local":
        return (PriceRow(0, own or _FREE, estimated=False),)
    listed = table.find(provider, model)
    if listed is None:
        return ()
    quotes = [
        (above, table.batch(listed, Usage(input_tokens=above + 1), utc(at)))
        for above in table.steps(listed, utc(at))
    ]
    return tuple(
        PriceRow(above, quote.rates, estimated=not quote.is_sure) for above, quote in quotes if quote is not None
    )


def utc(at: datetime | None) -> datetime:
    """Now if not given; UTC if it has no zone."""
    if at is None:
        return datetime.now(UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _quoted(listed: table.Listed, usage: Usage, at: datetime) -> _Quoted:
    plain = table.standard(listed, usage.input_tokens, at)
    quote = table.batch(listed, usage, at)
    if plain is None or quote is None:
        return _Quoted(None)
    discount = 1 - quote.rates.input / plain.input if plain.input else None
    return _Quoted(_in_region(quote.rates, usage), quote.is_sure, discount)


def _in_region(rates: Rates, usage: Usage) -> Rates:
    return rates.times(US_FACTOR) if usage.inference_geo == "us" else rates
