"""Usage in, dollars out: exact, in ``Decimal``, and never 0 for what is not known.

Prices come from genai-prices (bundled with it, dated, no network), unless the user gives a table. The traps of that
library are closed in ``table``; what is billed, and what is guessed, is in docs/costs.md.
"""

from __future__ import annotations

from batchata.costs.bound import worst
from batchata.costs.charge import Cost, Rates
from batchata.costs.own import Prices, check_prices, prices_cache
from batchata.costs.pricing import PriceRow, batch_discount, price, price_rows, pricer
from batchata.costs.table import listed_models

__all__ = [
    "Cost",
    "PriceRow",
    "Prices",
    "Rates",
    "batch_discount",
    "check_prices",
    "listed_models",
    "price",
    "price_rows",
    "pricer",
    "prices_cache",
    "worst",
]
