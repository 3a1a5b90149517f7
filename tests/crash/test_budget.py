from __future__ import annotations

import statistics

import pytest

from tests.crash.budget import drawn, play
from tests.crash.nursery import Nursery


@pytest.mark.parametrize(("provider", "runs"), [("anthropic", 25), ("openai", 12), ("gemini", 12)])
def test_the_ledger_never_passes_the_cap(provider: str, runs: int) -> None:
    with Nursery(provider) as nursery:
        results = [play(nursery, drawn(7_000_000 + number, provider)) for number in range(runs)]
    assert [problem for found in results for problem in found.problems] == []
    used = [found.used for found in results if found.used is not None]
    assert sum(found.stopped for found in results) >= runs * 2 // 5
    assert statistics.median(used) >= 0.9
    assert sum(found.kills for found in results) >= 3
