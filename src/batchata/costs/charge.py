"""Tokens times rates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from batchata.types import Usage

_MILLION = Decimal(1_000_000)


class Cost(NamedTuple):
    """Dollars for one answer or for many.

    Attributes:
        usd: exact amount; ``None`` when no price is known.
        estimated: it rests on a documented factor, or on one of two prices that may hold, instead of a price row.
        discount: part taken off the standard input price; ``None`` when it is not known.
    """

    usd: Decimal | None
    estimated: bool = False
    discount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens, for one size of prompt; ``None`` where the price list says nothing.

    Attributes:
        search: dollars for one web search.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    search: Decimal | None = None

    def times(self, factor: Decimal) -> Rates:
        """All token prices multiplied: neither the batch discount nor a region's surcharge applies to searches."""

        def scaled(rate: Decimal | None) -> Decimal | None:
            return None if rate is None else rate * factor

        return Rates(
            input=self.input * factor,
            output=self.output * factor,
            cache_read=scaled(self.cache_read),
            cache_write=scaled(self.cache_write),
            cache_write_1h=scaled(self.cache_write_1h),
            search=self.search,
        )


def charge(usage: Usage, rates: Rates, *, is_sure: bool = True, discount: Decimal | None = None) -> Cost:
    """What ``usage`` costs; a kind of token without a rate of its own costs what plain input does.

    Providers charge more for cache writes than for plain input, so writes without a rate are flagged as a guess.
    """
    if usage.web_searches and rates.search is None:
        return Cost(None, estimated=not is_sure, discount=discount)
    is_guess = False
    plain = usage.input_tokens
    total = usage.output_tokens * rates.output
    if usage.cache_read_tokens:
        plain -= usage.cache_read_tokens
        total += usage.cache_read_tokens * (rates.input if rates.cache_read is None else rates.cache_read)
    write = rates.input if rates.cache_write is None else rates.cache_write
    if usage.cache_write_tokens:
        plain -= usage.cache_write_tokens
        total += usage.cache_write_tokens * write
        is_guess = rates.cache_write is None
    if usage.cache_write_1h_tokens:
        plain -= usage.cache_write_1h_tokens
        total += usage.cache_write_1h_tokens * (write if rates.cache_write_1h is None else rates.cache_write_1h)
        is_guess = is_guess or rates.cache_write_1h is None
    usd = (total + plain * rates.input) / _MILLION
    if usage.web_searches and rates.search is not None:
        usd += usage.web_searches * rates.search
    return Cost(usd, is_guess or not is_sure, discount)
