"""Tokens times rates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from batchata.types import Usage

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
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


def charge(usage: Usage, rates: Rates) -> Cost:
    """What ``usage`` costs; a kind of token without a rate of its own costs what plain input does.

    Providers charge more for cache writes than for plain input, so writes without a rate are flagged as a guess.
    """
    if usage.web_searches and rates.search is None:
        return Cost(None)
    read = rates.input if rates.cache_read is None else rates.cache_read
    write = rates.input if rates.cache_write is None else rates.cache_write
    write_1h = write if rates.cache_write_1h is None else rates.cache_write_1h
    plain = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens - usage.cache_write_1h_tokens
    total = plain * rates.input + usage.output_tokens * rates.output
    total += usage.cache_read_tokens * read
    total += usage.cache_write_tokens * write + usage.cache_write_1h_tokens * write_1h
    is_guess = bool(
        (usage.cache_write_tokens and rates.cache_write is None)
        or (usage.cache_write_1h_tokens and rates.cache_write_1h is None)
    )
    return Cost(total / _MILLION + usage.web_searches * (rates.search or 0), estimated=is_guess)
