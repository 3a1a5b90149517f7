from __future__ import annotations

import pytest

from tests.crash.kills import tally


@pytest.mark.parametrize(("provider", "kills"), [("anthropic", 40), ("openai", 24), ("gemini", 24)])
def test_a_run_killed_anywhere_is_bought_once_and_whole(provider: str, kills: int) -> None:
    found = tally(kills, seed=1, provider=provider)
    assert found.problems == []
    assert found.kills.total() >= kills
    assert found.kills["random"] >= kills // 4
    assert found.with_faults > 0
