"""Calls that are safe to repeat, for SDKs that do not repeat them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from batchata.errors import ProviderError

T = TypeVar("T")

_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
_LONGEST_WAIT = 60.0
"""A quota of the day asks for hours: that is for the run to wait for, not for one call."""


def patiently(call: Callable[[], T]) -> T:
    """The answer of the call, which raises ``ProviderError``; asked again where that may help."""
    for wait in _WAITS:
        try:
            return call()
        except ProviderError as error:
            longer = max(wait, error.retry_after or 0.0)
            if not error.retryable or longer > _LONGEST_WAIT:
                raise
            time.sleep(longer)
    return call()
