from __future__ import annotations

from tests.crash.kills import tally


def test_a_run_killed_anywhere_is_bought_once_and_whole() -> None:
    found = tally(40, seed=1)
    assert found.problems == []
    assert found.kills.total() >= 40
    assert found.kills["random"] >= 10
    assert found.with_faults > 0
