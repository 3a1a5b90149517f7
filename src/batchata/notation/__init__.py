"""Numbers and dates as people write them: which ones stand in a text, where, and what they may mean.

Nothing is guessed: a notation with two readings ("1.234", "03/04/2024") gives both, and what is part of an
identifier (an IBAN, "RE-2024-77", a URL) is no number.
"""

from __future__ import annotations

from batchata.notation.dates import DateToken, dates
from batchata.notation.numbers import NumberToken, numbers
from batchata.notation.words import CURRENCY_SIGNS

__all__ = ["CURRENCY_SIGNS", "DateToken", "NumberToken", "dates", "numbers"]
