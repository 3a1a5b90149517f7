"""The legal moves of a job, ranges of numbers, and sums over jobs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchata.types import JobRecord, JobStatus, Totals
from batchata.types.runs import MOVES, OVER, from_ranges, to_ranges

JOB = JobRecord(number=7, status=JobStatus.PLANNED, items=(70, 71, 72), inputs="5e0d")
LEGAL = {
    ("planned", "planned"): False,
    ("planned", "submitting"): True,
    ("planned", "in_progress"): False,
    ("planned", "ended"): False,
    ("planned", "collected"): True,
    ("planned", "rejected"): False,
    ("submitting", "planned"): True,
    ("submitting", "submitting"): False,
    ("submitting", "in_progress"): True,
    ("submitting", "ended"): False,
    ("submitting", "collected"): False,
    ("submitting", "rejected"): True,
    ("in_progress", "planned"): True,
    ("in_progress", "submitting"): False,
    ("in_progress", "in_progress"): False,
    ("in_progress", "ended"): True,
    ("in_progress", "collected"): False,
    ("in_progress", "rejected"): False,
    ("ended", "planned"): True,
    ("ended", "submitting"): False,
    ("ended", "in_progress"): False,
    ("ended", "ended"): False,
    ("ended", "collected"): True,
    ("ended", "rejected"): False,
    ("collected", "planned"): False,
    ("collected", "submitting"): False,
    ("collected", "in_progress"): False,
    ("collected", "ended"): False,
    ("collected", "collected"): False,
    ("collected", "rejected"): False,
    ("rejected", "planned"): True,
    ("rejected", "submitting"): False,
    ("rejected", "in_progress"): False,
    ("rejected", "ended"): False,
    ("rejected", "collected"): False,
    ("rejected", "rejected"): False,
}


def test_the_table_has_every_status_and_move() -> None:
    assert set(LEGAL) == {(before.value, after.value) for before in JobStatus for after in JobStatus}
    assert set(MOVES) == set(JobStatus)


@pytest.mark.parametrize(("before", "after"), LEGAL)
def test_every_move_is_made_or_refused(before: str, after: str) -> None:
    job = replace(JOB, status=JobStatus(before))
    if LEGAL[before, after]:
        moved = job.moved(JobStatus(after), message="why")
        assert moved == replace(JOB, status=JobStatus(after), message="why")
    else:
        with pytest.raises(ValueError, match=f"job 7 cannot go from {before} to {after}$"):
            job.moved(JobStatus(after), message="why")


def test_what_is_over_goes_nowhere() -> None:
    assert {status.value for status in OVER} == {"collected"}
    assert {status.value for status in JobStatus if not MOVES[status]} == {"collected"}


@pytest.mark.parametrize(
    ("reserved", "cost", "unknown", "held"),
    [
        ("0.10", "0.04", 1, "0.06"),
        ("0.10", "0.04", 3, "0.06"),
        ("0.10", "0.04", 0, "0"),
        ("0.10", "0", 1, "0.10"),
        ("0.10", "0.10", 1, "0"),
        ("0.10", "0.11", 1, "0"),
        (None, "0.04", 1, "0"),
        (None, "0.04", 0, "0"),
    ],
)
def test_what_a_job_holds(reserved: str | None, cost: str, unknown: int, held: str) -> None:
    reserved_usd = None if reserved is None else Decimal(reserved)
    job = replace(JOB, reserved_usd=reserved_usd, cost_usd=Decimal(cost), unknown_costs=unknown)
    assert job.held_usd == Decimal(held)


BEFORE = Totals(jobs=2, completed=17, failed=3, cost_usd=Decimal("0.20"), unknown_costs=1, held_usd=Decimal("0.05"))


@pytest.mark.parametrize(
    ("before", "job", "after"),
    [
        pytest.param(
            Totals(),
            replace(JOB, completed=2, failed=1, cost_usd=Decimal("0.03")),
            Totals(jobs=1, completed=2, failed=1, cost_usd=Decimal("0.03")),
            id="the first",
        ),
        pytest.param(
            BEFORE,
            replace(JOB, completed=3, cost_usd=Decimal("0.01")),
            replace(BEFORE, jobs=3, completed=20, cost_usd=Decimal("0.21")),
            id="one more",
        ),
        pytest.param(
            BEFORE,
            replace(JOB, is_retry=True, completed=2, failed=1, cost_usd=Decimal("0.01")),
            replace(BEFORE, jobs=3, completed=19, failed=1, cost_usd=Decimal("0.21")),
            id="a retry, of which one failed again",
        ),
        pytest.param(
            BEFORE,
            replace(JOB, is_retry=True, failed=3),
            replace(BEFORE, jobs=3, completed=17, failed=3),
            id="a retry that mended nothing",
        ),
        pytest.param(
            BEFORE,
            replace(JOB, failed=3, reserved_usd=Decimal("0.10"), cost_usd=Decimal("0.04"), unknown_costs=2),
            replace(
                BEFORE,
                jobs=3,
                failed=6,
                cost_usd=Decimal("0.24"),
                unknown_costs=3,
                held_usd=Decimal("0.11"),
            ),
            id="costs that nobody knows",
        ),
        pytest.param(
            BEFORE,
            replace(JOB, completed=3, cost_is_estimate=True),
            replace(BEFORE, jobs=3, completed=20, has_estimates=True),
            id="an estimate",
        ),
        pytest.param(
            replace(BEFORE, has_estimates=True),
            replace(JOB, completed=3),
            replace(BEFORE, jobs=3, completed=20, has_estimates=True),
            id="after an estimate",
        ),
    ],
)
def test_sums_with_one_more_job(before: Totals, job: JobRecord, after: Totals) -> None:
    assert before.plus(job) == after


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((), ""),
        ((0,), "0"),
        ((0, 1), "0-1"),
        ((5, 7), "5,7"),
        ((*range(10), 14), "0-9,14"),
        ((3, 5, 6, 7, 9, 1_000_000), "3,5-7,9,1000000"),
        (tuple(range(100_000)), "0-99999"),
    ],
)
def test_ranges(numbers: tuple[int, ...], text: str) -> None:
    assert to_ranges(numbers) == text
    assert from_ranges(text) == numbers


@given(st.sets(st.integers(0, 400) | st.integers(0, 10**9)))
def test_numbers_come_back_from_their_ranges(numbers: set[int]) -> None:
    text = to_ranges(sorted(numbers))
    assert from_ranges(text) == tuple(sorted(numbers))
    assert to_ranges(from_ranges(text)) == text


@pytest.mark.parametrize("text", ["a", "-1", "1,", ",", "1-2-3", "1 to 3", "0-9;14"])
def test_what_are_no_ranges(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        from_ranges(text)
