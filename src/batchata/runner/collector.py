"""Python's garbage collector, while a run makes and drops objects by the million."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_YOUNG_OBJECTS = 100_000


@contextlib.contextmanager
def unhurried_collector() -> Iterator[None]:
    """Let 100,000 new objects come together before they are looked at, instead of 700, until the block ends.

    A full collection looks at every object of the process, a hundred thousand of them a provider's SDK's. By Python's
    own threshold that is a fifth of the time of a run of small requests (docs/performance.md). A program that set a
    higher one, or none, keeps its own.
    """
    before = gc.get_threshold()
    if not 0 < before[0] < _YOUNG_OBJECTS:
        yield
        return
    gc.set_threshold(_YOUNG_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
