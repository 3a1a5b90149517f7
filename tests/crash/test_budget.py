from __future__ import annotations

import statistics

from tests.crash.budget import drawn, play
from tests.crash.nursery import Nursery


def test_the_ledger_never_passes_the_cap() -> None:
    with Nursery() as nursery:
        results = [play(nursery, drawn(7_000_000 + number)) for number in range(25)]
    assert [problem for found in results for problem in found.problems] == []
    used = [found.used for found in results if found.used is not None]
    assert sum(found.stopped for found in results) >= 10
    assert statistics.median(used) >= 0.9
    assert sum(found.kills for found in results) >= 3
