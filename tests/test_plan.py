"""Splitting and budget: tables."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchata.plan import Budget, Candidate, JobLimits, Step, count_that_fit, next_step


@pytest.mark.parametrize(
    ("items", "size", "more", "expected"),
    [
        (0, 0, 50, True),
        (0, 0, 200, True),  # what no job can hold is refused elsewhere
        (1, 50, 50, True),
        (1, 50, 51, False),
        (2, 20, 10, True),
        (3, 30, 1, False),
    ],
)
def test_what_a_job_has_room_for(items: int, size: int, more: int, expected: bool) -> None:
    assert JobLimits(items=3, bytes=100).has_room(items, size, more) is expected


def of(*worst: str | None) -> list[Candidate]:
    return [Candidate(index, 10, None if cost is None else Decimal(cost)) for index, cost in enumerate(worst)]


@pytest.mark.parametrize(
    ("worst", "cap", "spent", "reserved", "expected"),
    [
        (["1", "2"], None, "0", "0", (Step.START, 2)),
        ([None, None], None, "0", "0", (Step.START, 2)),
        (["1", "2"], "3", "0", "0", (Step.START, 2)),
        (["1", "2"], "3", "0", "0.01", (Step.WAIT, 0)),
        (["1", "2"], "2.99", "0", "0", (Step.SHRINK, 1)),
        (["1", "2"], "4", "1.5", "0", (Step.SHRINK, 1)),
        (["1", "2"], "4", "3.5", "0", (Step.STOP, 0)),
        (["1", "2"], "4", "5", "0", (Step.STOP, 0)),
        (["1", None], "9", "0", "0", (Step.SHRINK, 1)),
        (["0", "0"], "0", "0", "0", (Step.START, 2)),
    ],
)
def test_the_next_step(
    worst: list[str | None], cap: str | None, spent: str, reserved: str, expected: tuple[Step, int]
) -> None:
    budget = Budget(None if cap is None else Decimal(cap), Decimal(spent), Decimal(reserved))
    assert next_step(of(*worst), budget) == expected


money = st.decimals(min_value=0, max_value=100, places=4)


@given(st.lists(money, max_size=20), money, money, money)
def test_what_is_started_never_passes_the_cap_and_leaves_nothing_that_fits(
    worst: list[Decimal], cap: Decimal, spent: Decimal, reserved: Decimal
) -> None:
    candidates = [Candidate(index, 1, cost) for index, cost in enumerate(worst)]
    budget = Budget(cap, spent, reserved)
    step, count = next_step(candidates, budget)
    assert spent + reserved + sum(worst[:count]) <= max(cap, spent + reserved)
    if step in {Step.SHRINK, Step.STOP}:
        assert spent + sum(worst[: count + 1]) > cap
    assert count == (0 if step in {Step.WAIT, Step.STOP} else count_that_fit(candidates, budget.room_usd))
