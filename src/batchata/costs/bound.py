"""The most that a request can be billed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from batchata.costs import table
from batchata.costs.charge import Rates, charge
from batchata.costs.own import Prices, own_rates
from batchata.costs.pricing import US_FACTOR, utc
from batchata.types import TokenCount, Usage

_WRITE_FACTOR = Decimal("1.25")
"""What Anthropic and OpenAI charge for cache writes, on the price of input."""

_WRITES_UNASKED = frozenset({"openai", "openrouter"})
"""From gpt-5.6 on, OpenAI writes prompts to its cache by itself, and bills that."""

_COUNT_MARGIN = 32
"""Tokens beside 2 %, by which a provider's own count may be short of what it bills."""


def worst(
    provider: str,
    model: str,
    tokens: TokenCount,
    max_tokens: int,
    *,
    caches: bool = False,
    at: datetime | None = None,
    prices: Prices | None = None,
) -> Decimal | None:
    """The most that one request can be billed, in dollars; ``None`` without a known price.

    A count of the provider's gets a margin, for Anthropic calls its own an estimate. The batch discount is taken off
    only where a price row says so, a workspace may have its inference run in the US, which costs more, and of two
    prices that change while the job may run the dearer is taken.

    Args:
        tokens: of the input.
        max_tokens: most tokens of the answer.
        caches: whether the request asks for its beginning to be cached, which costs more than plain input.
        at: when the job is created; now if not given.
    """
    most = tokens.tokens if not tokens.exact else tokens.tokens + tokens.tokens // 50 + _COUNT_MARGIN
    writes = most if caches or provider in _WRITES_UNASKED else 0
    plain = Usage(input_tokens=most, output_tokens=max_tokens)
    own = own_rates(provider, model, prices)
    if own is not None:
        # A table that says nothing about writes must not make the worst case less than it is.
        possible = [own if own.cache_write is not None else replace(own, cache_write=own.input * _WRITE_FACTOR)]
    elif provider == "local":
        return Decimal(0)
    else:
        possible = _listed_rates(provider, model, plain, at)
    usages = (plain, replace(plain, cache_write_tokens=writes), replace(plain, cache_read_tokens=most))
    costs = [charge(usage, rates).usd for rates in possible for usage in usages]
    return max((usd for usd in costs if usd is not None), default=None)


def _listed_rates(provider: str, model: str, usage: Usage, at: datetime | None) -> list[Rates]:
    """Every set of rates that may hold until the job is over; none if one of them is not known."""
    listed = table.find(provider, model)
    if listed is None:
        return []
    found: list[Rates] = []
    for moment in table.moments(listed, utc(at)):
        standard = table.standard(listed, usage.input_tokens, moment)
        quote = table.batch(listed, usage, moment)
        if standard is None or quote is None:
            return []
        rates = quote.rates if quote.is_sure else standard
        found.append(rates.times(US_FACTOR) if provider == "anthropic" else rates)
    return found
