from __future__ import annotations

from tests.crash.many_jobs import bytes_ratio, measure


def test_a_longer_run_writes_no_more_state_a_job() -> None:
    short, long = measure(100, 10), measure(400, 10)
    assert bytes_ratio(short, long) <= 1.3
    assert long.saves <= 3 * 400 + 2
    assert long.peak_kb <= 1.3 * short.peak_kb
