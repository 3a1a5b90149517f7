"""One contract for all stores, on a real disk and a real PostgreSQL server, with processes that are really killed."""

from __future__ import annotations

import gc
import os
import random
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from batchata.errors import ArgumentError, StateError, StateLockedError
from batchata.store import open_store, read_state
from batchata.types import JobRecord, JobStatus, Planned, RunState, Totals
from tests.stores import (
    BARE,
    FULL,
    PLANNED,
    RUN,
    begin,
    child,
    child_fork_save,
    child_hold,
    child_kills,
    child_save,
    interrupted,
    killed,
    loaded,
    opened,
    out,
    over,
    say,
    state_after,
    step_of,
)


def test_nothing_is_stored_at_first(address: str) -> None:
    assert loaded(address) is None


def test_a_run_begins_without_jobs(address: str) -> None:
    begin(address)
    assert loaded(address) == RunState(run=RUN, planned=Planned(), live={}, over=(), totals=Totals())


def test_a_run_is_not_begun_over_another(address: str) -> None:
    begin(address, FULL)
    with opened(address) as store, pytest.raises(StateError, match="already holds a run"):
        store.create(replace(RUN, run_id="other"))
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})


def test_no_job_is_saved_into_no_run(address: str) -> None:
    with opened(address) as store, pytest.raises(StateError, match="holds no run"):
        store.save(FULL, PLANNED)
    assert loaded(address) is None


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.COLLECTED])
def test_every_field_comes_back_in_every_status(address: str, status: JobStatus) -> None:
    job = replace(FULL, status=status)
    begin(address, BARE, job)
    state = loaded(address)
    assert state == RunState(run=RUN, planned=PLANNED, live={0: BARE, 7: job})
    assert state is not None
    assert [type(state.live[7].items), type(state.live[7].unsent[0])] == [tuple, tuple]
    assert str(state.live[7].reserved_usd) == "0.1250"
    assert state.live[7].submitting_at == datetime(2026, 11, 22, 18, 29, 59, 999_999, tzinfo=UTC)
    assert list(state.live) == [0, 7]


def test_what_is_loaded_is_what_the_store_itself_goes_on_with(address: str) -> None:
    with opened(address) as store:
        store.create(RUN)
        store.save(FULL, PLANNED)
        assert store.load() == RunState(run=RUN, planned=PLANNED, live={7: FULL})
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})


def test_a_job_goes_its_way_and_leaves_its_sums(address: str) -> None:
    job = JobRecord(number=0, status=JobStatus.PLANNED, items=(0, 1, 2), inputs="5e0d", reserved_usd=Decimal("0.5"))
    with opened(address) as store:
        store.create(RUN)
        for status in (JobStatus.PLANNED, JobStatus.SUBMITTING, JobStatus.IN_PROGRESS, JobStatus.ENDED):
            job = replace(job, status=status)
            store.save(job, PLANNED)
            assert store.load() == RunState(run=RUN, planned=PLANNED, live={0: job})
        store.save(job.moved(JobStatus.COLLECTED, completed=2, failed=1, cost_usd=Decimal("0.03")), PLANNED)
    totals = Totals(jobs=1, completed=2, failed=1, cost_usd=Decimal("0.03"))
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={}, over=(0,), totals=totals)


def test_the_same_end_saved_twice_counts_once(address: str) -> None:
    begin(address, over(0), over(1), over(0))
    with opened(address) as store:
        store.save(over(1), Planned(items=90, digest="c3"))
    assert loaded(address) == RunState(
        run=RUN,
        planned=Planned(items=90, digest="c3"),
        over=(0, 1),
        totals=Totals(jobs=2, completed=2, cost_usd=Decimal("0.02")),
    )


def test_a_job_that_is_over_stays_over(address: str) -> None:
    begin(address, over(0))
    with opened(address) as store, pytest.raises(ValueError, match="job 0 is over, and cannot become planned"):
        store.save(BARE, Planned(items=1, digest="ff"))
    totals = Totals(jobs=1, completed=1, cost_usd=Decimal("0.01"))
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, over=(0,), totals=totals)


def test_sums_are_exact(address: str) -> None:
    tiny = "0.000000000000000000001"
    retry = replace(over(4, completed=2, failed=1, cost="10.10"), is_retry=True)
    estimate = replace(over(5, cost="0"), cost_is_estimate=True)
    jobs = [over(0, completed=7, failed=3, cost="0.1"), over(1, cost="0.1"), over(2, cost=tiny), over(3, cost="0")]
    begin(address, *jobs, retry, estimate)
    state = loaded(address)
    assert state is not None
    assert state.totals == Totals(
        jobs=6,
        completed=7 + 1 + 1 + 1 + 2 + 1,
        failed=3 + 1 - 3,
        cost_usd=Decimal("10.300000000000000000001"),
        has_estimates=True,
    )


def test_what_is_not_known_holds_the_rest_of_its_reserve_once(address: str) -> None:
    part = replace(over(0, cost="0.04"), reserved_usd=Decimal("0.10"), unknown_costs=1)
    free = replace(over(1, completed=2, cost="0"), unknown_costs=2)  # nothing was reserved, so nothing is held
    full = replace(over(2, cost="0.07"), reserved_usd=Decimal("0.05"), unknown_costs=1)
    known = replace(over(3, cost="0.01"), reserved_usd=Decimal("0.20"))
    live = replace(BARE, number=4, reserved_usd=Decimal("0.30"), unknown_costs=1)
    begin(address, part, free, full, known, live, part)
    state = loaded(address)
    assert state is not None
    assert state.totals == Totals(
        jobs=4,
        completed=5,
        failed=0,
        cost_usd=Decimal("0.12"),
        unknown_costs=4,
        held_usd=Decimal("0.06"),
        unheld_costs=2,
    )
    assert state == read_state(address)


def test_jobs_end_in_any_order(address: str) -> None:
    numbers = [*range(30), 40, 41, 1000]
    random.Random(4).shuffle(numbers)  # the same order every time  # noqa: S311  # the same order every time
    with opened(address) as store:
        store.create(RUN)
        for count, number in enumerate(numbers, 1):
            store.save(over(number), PLANNED)
            state = store.load()
            assert state is not None
            assert state.over == tuple(sorted(numbers[:count]))
    assert loaded(address) == state


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_steps_leaves_what_was_saved_last(address: str, seed: int) -> None:
    chance = random.Random(seed)  # repeatable  # noqa: S311  # repeatable
    live: dict[int, JobRecord] = {}
    ended: dict[int, JobRecord] = {}
    with opened(address) as store:
        store.create(RUN)
        for count in range(60):
            number = chance.randrange(12)
            status = chance.choice(list(JobStatus))
            job = replace(FULL, number=number, status=status, is_retry=False, message=str(count), failed=count)
            if status is JobStatus.COLLECTED or number in ended:
                job = ended.setdefault(number, replace(job, status=JobStatus.COLLECTED))
                live.pop(number, None)
            else:
                live[number] = job
            store.save(job, Planned(items=count, digest=str(count)))
    state = loaded(address)
    assert state is not None
    assert (state.live, state.over) == (live, tuple(sorted(ended)))
    assert state.planned == Planned(items=59, digest="59")
    assert state.totals.failed == sum(job.failed for job in ended.values())


def test_messages_may_hold_what_is_no_text(address: str) -> None:
    job = replace(FULL, message="a\0b \udcff", unsent=((1, "'\udce9t\udce9.pdf' cannot be read"),))
    begin(address, job)
    state = loaded(address)
    assert state is not None
    assert state.live[7].message == r"a\x00b \udcff"
    assert state.live[7].unsent == ((1, r"'\udce9t\udce9.pdf' cannot be read"),)


def test_a_large_job_is_kept(address: str) -> None:
    job = replace(FULL, items=tuple(range(100_000)))
    begin(address, job)
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={7: job})


def test_a_closed_store_writes_nothing(address: str) -> None:
    begin(address, FULL)
    store = open_store(address)
    store.close()
    store.close()
    with pytest.raises(StateError, match="closed"):
        store.save(BARE, PLANNED)
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})


def test_a_second_opening_is_refused_by_name(address: str) -> None:
    mine = f"process {os.getpid()} on host {socket.gethostname()!r}, since 20\\d\\d-"
    with opened(address), pytest.raises(StateLockedError, match=mine):
        open_store(address)
    assert loaded(address) is None


KILLS = int(os.environ.get("BATCHATA_KILLS", "16"))
"""Processes killed for each store; with 500 and more, one at every line."""
LINES = 500
"""More than a store runs through from its opening to the end of a step."""


def test_a_kill_at_any_line_leaves_a_whole_state(address: str) -> None:
    """One fork after the other gets some lines further, from the opening of nothing to steps that are saved."""
    steps = kills = unsaid = lines = 0
    with child(child_kills, address) as server:
        while steps < 5:
            lines += max(1, LINES // KILLS)
            assert lines <= LINES
            returned = killed(server, steps, lines=lines)
            steps = steps_found(address, returned)
            kills, unsaid = kills + 1, unsaid + steps - returned
    say(f"\n{kills} kills up to line {lines}, {steps} steps, {unsaid} of them saved but not said")


def test_a_kill_at_any_moment_leaves_a_whole_state(address: str) -> None:
    chance = random.Random(1)  # noqa: S311  # repeatable
    steps = unsaid = 0
    with child(child_kills, address) as server:
        for _ in range(KILLS // 4):
            after, seconds = chance.randrange(20), chance.uniform(0, 0.02)
            returned = killed(server, steps, after=after, seconds=seconds)
            steps = steps_found(address, returned)
            unsaid += steps - returned
    say(f"\n{KILLS // 4} kills, {steps} steps, {unsaid} of them saved but not said")
    assert steps > KILLS // 4


def steps_found(address: str, returned: int) -> int:
    """The steps that are stored: all that returned, and at most the one that was under way."""
    state = read_state(address)
    assert loaded(address) == state  # the dead process's lock is taken over
    if state is None:
        assert returned == 0
        return 0
    assert state in (state_after(returned), state_after(returned + 1))
    return returned + (state == state_after(returned + 1))


# What it interrupts may be a file's closing, which Python then does by itself, or a transaction's end.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:transaction already deassociated",
)
def test_an_interrupt_leaves_a_whole_state_and_no_lock(address: str) -> None:
    chance = random.Random(3)  # noqa: S311  # repeatable
    steps = interrupts = 0
    begin(address)
    for _ in range(12):
        try:
            with interrupted(chance.uniform(0.001, 0.03)), opened(address) as store:
                for step in range(steps, steps + 1000):  # Python can swallow an interrupt, in a callback
                    store.save(*step_of(step))
                    steps = step + 1
        except KeyboardInterrupt:
            interrupts += 1
        gc.collect()
        state = loaded(address)
        if steps == 0 and state == RunState(run=RUN):
            continue
        assert state in (state_after(steps), state_after(steps + 1))
        steps += state == state_after(steps + 1)
    say(f"\n{interrupts} interrupts, {steps} steps")
    assert interrupts >= 6


def test_a_fork_does_not_write_nor_end_what_it_came_from(address: str) -> None:
    with child(child_fork_save, address) as process:
        assert "forked from" in out(process).readline()
        assert out(process).readline() == "saved\n"
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})


def test_a_reader_finds_nothing_and_makes_nothing(address: str, tmp_path: Path) -> None:
    assert read_state(address) is None
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_what_is_saved_beside_the_holder(address: str, tmp_path: Path) -> None:
    with opened(address) as store:
        assert read_state(address) is None
        store.create(RUN)
        assert read_state(address) == RunState(run=RUN)
        store.save(FULL, PLANNED)
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert read_state(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
        store.save(over(1), PLANNED)  # the reader has left no lock of its own
        with pytest.raises(StateLockedError):
            open_store(address)
    totals = Totals(jobs=1, completed=1, cost_usd=Decimal("0.01"))
    assert read_state(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL}, over=(1,), totals=totals)


def test_a_reader_sees_each_step_whole(address: str) -> None:
    """Of a process that saves without a pause: never half of a step, nor an earlier one than before."""
    seen = [0]
    begin(address, step_of(0)[0], planned=step_of(0)[1])
    with child(child_save, address, "1") as process:
        assert out(process).readline() == "open\n"
        drain = threading.Thread(target=out(process).read)
        drain.start()
        while len(set(seen)) < 20:
            assert process.poll() is None
            state = read_state(address)
            assert state is not None
            first = len(state.over) // 3 * 12
            (steps,) = (step for step in range(first, first + 12) if state_after(step) == state)
            seen.append(steps)
        process.kill()
        drain.join(30)
    assert seen == sorted(seen)


def test_a_holder_is_named_and_its_death_sets_free(address: str) -> None:
    with child(child_hold, address) as process:
        assert out(process).readline() == "held\n"
        with pytest.raises(
            StateLockedError, match=f"process {process.pid} on host {socket.gethostname()!r}"
        ) as error:
            open_store(address)
        assert "take the run up again" in str(error.value)
        process.kill()
        process.wait(30)
        assert loaded(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("run.yaml", "kept in 'run.yaml'.*sqlite:///run.db"),
        ("", "kept in ''"),
        ("mysql://me:s3cret@host/db", "kept in a database 'mysql'.*postgresql\\+psycopg://"),
        ("postgresql://me:s3cret@host/db", "kept in a database 'postgresql'.*postgresql\\+psycopg://"),
        ("postgresql+psycopg://me:s3cret@host:port/db", "cannot be read"),
        ("sqlite://", "give SQLite a file"),
        ("sqlite:///:memory:", "give SQLite a file"),
        ("sqlite:///run.db?run=a/b", "name 'a/b' must be of"),
        ("sqlite:///run.db?run=a&run=b", "name .'a', 'b'. must be of"),
    ],
)
def test_addresses_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=reason) as error:
        open_store(address)
    assert "s3cret" not in str(error.value)
    with pytest.raises(ArgumentError, match=reason):
        read_state(address)
    assert list(tmp_path.iterdir()) == []


def test_a_document_needs_no_sqlalchemy() -> None:
    code = "import batchata.store, sys; print('sqlalchemy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert found.stdout == "False\n"
