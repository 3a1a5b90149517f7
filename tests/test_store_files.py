"""The JSON document and the SQLite file: what is in them, what is refused, and disks without room."""

from __future__ import annotations

import contextlib
import gc
import json
import random
import re
import resource
import sqlite3
import subprocess
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from batchata.errors import StateError, StateLockedError
from batchata.store import open_store, read_state
from batchata.types import JobRecord, JobStatus, Planned, RunState, Totals
from batchata.types.runs import from_ranges
from tests.stores import (
    BARE,
    FULL,
    PLANNED,
    RUN,
    begin,
    child,
    child_save,
    interrupted,
    loaded,
    opened,
    out,
    over,
    say,
    state_after,
    step_of,
)

DATA = Path(__file__).parent / "data" / "state"


def test_the_document_is_as_agreed(tmp_path: Path) -> None:
    live = replace(BARE, number=3, items=(30, 31, 32, 39), reserved_usd=Decimal("1E-7"))
    held = replace(over(4, cost="0.04"), reserved_usd=Decimal("0.10"), unknown_costs=1)
    begin(tmp_path / "run.json", over(0), over(1), held, live)
    raw = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert datetime.fromisoformat(raw.pop("updated_at")).utcoffset() == timedelta()
    job = raw["live"].pop()
    assert (job["number"], job["items"], job["reserved_usd"]) == (3, "30-32,39", "1E-7")
    assert raw == {
        "version": 1,
        "run": {
            "run_id": "k3x9",
            "created_at": "2026-11-22T09:30:00.250000Z",
            "arguments": {"model": "local/tiny", "prompt": "9f2c"},
        },
        "planned": {"items": 80, "digest": "a1b2", "is_all": True},
        "live": [],
        "over": "0-1,4",
        "totals": {
            "jobs": 3,
            "completed": 3,
            "failed": 0,
            "cost_usd": "0.06",
            "unknown_costs": 1,
            "held_usd": "0.06",
            "unheld_costs": 0,
            "has_estimates": False,
        },
    }


def test_the_document_stays_small() -> None:
    """Bytes written by 10,000 jobs, five at a time, four steps each: ten times those of 1,000."""
    written = {}
    memory = Path("/dev/shm")  # noqa: S108  # the disk's time is not in question
    for jobs in (1_000, 10_000):
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            began = time.perf_counter()
            written[jobs] = write_jobs(Path(folder) / "run.json", jobs)
            say(f"\n{jobs} jobs: {written[jobs]} bytes, {time.perf_counter() - began:.2f} s without the disk")
    assert written[1_000] < 1_000 * 4 * 3_000
    assert written[10_000] < 10.2 * written[1_000]


def write_jobs(target: Path, jobs: int) -> int:
    written = 0
    with opened(target) as store:
        store.create(RUN)
        for number in range(jobs + 4):
            job = JobRecord(number, JobStatus.PLANNED, tuple(range(10 * number, 10 * number + 10)), "5e0d" * 16)
            steps = [replace(job, status=status) for status in list(JobStatus)[:3] if number < jobs]
            if number >= 4:
                steps.append(over(number - 4))
            for step in steps:
                store.save(step, Planned(items=10 * number, digest="a1b2" * 16))
                written += target.stat().st_size
        state = store.load()
        assert state is not None
        assert (state.live, state.over) == ({}, tuple(range(jobs)))
    return written


def test_a_reader_sees_whole_documents_only(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    seen: set[str] = set()
    with child(child_save, str(target), "0") as process:
        assert [out(process).readline() for _ in range(2)] == ["open\n", "1\n"]
        until = time.monotonic() + 20
        while len(seen) < 50 and time.monotonic() < until:
            seen.add(json.loads(target.read_bytes())["updated_at"])
        assert process.poll() is None
    assert len(seen) == 50


FOREIGN = {
    "nothing at all": (b"", "it is not JSON"),
    "cut short": (b'{"version": 1, "run": {"run_', "it is not JSON"),
    "no object": (b"[1, 2]", "it is no JSON object"),
    "another program's": (b'{"name": "page", "dependencies": {}}', "it names no version"),
    "another program's version": (b'{"version": "1.2"}', "it names no version"),
    "another program's number": (b'{"version": 1, "lockfileVersion": 3}', "it has no 'run'"),
    "newer": (b'{"version": 2, "run": {}}', "is of version 2, this library reads up to 1"),
    "wrong jobs": (
        b'{"version": 1, "run": {}, "planned": {}, "live": [1], "over": "", "totals": {}}',
        "its jobs are not as they should be",
    ),
    "a job without items": (
        b'{"version": 1, "run": {}, "planned": {}, "live": [{"number": 1}], "over": "", "totals": {}}',
        "a job in it has no items",
    ),
    "wrong run": (
        b'{"version": 1, "run": {"run_id": 5}, "planned": {}, "live": [], "over": "", "totals": {}}',
        "run_id",
    ),
    "wrong ranges": (
        b'{"version": 1, "run": {}, "planned": {}, "live": [], "over": "9-3", "totals": {}}',
        "do not ascend: '9-3'",
    ),
    "live and over": (
        (
            b'{"version": 1, "run": {}, "planned": {}, "over": "0-3", "totals": {}, "live": '
            b'[{"number": 2, "status": "planned", "items": "", "inputs": ""}]}'
        ),
        "job 2 in it is both live and over",
    ),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_not_ours_is_refused_and_left(tmp_path: Path, case: str) -> None:
    content, reason = FOREIGN[case]
    target = tmp_path / "run.json"
    target.write_bytes(content)
    with pytest.raises(StateError) as error:
        open_store(target)
    assert repr(str(target)) in str(error.value)
    assert reason in str(error.value)
    assert re.search("name another place|Install a newer", str(error.value))
    with pytest.raises(StateError) as other:
        read_state(target)
    assert str(other.value) == str(error.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"run.json": content}


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with opened(tmp_path / "run.json") as store:
        (tmp_path / "run.json").write_text("mine")
        with pytest.raises(StateError, match="already holds a run"):
            store.create(RUN)
    assert (tmp_path / "run.json").read_text() == "mine"


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(StateError, match="cannot be read: Is a directory"):
        open_store(tmp_path / "run.json")
    with pytest.raises(StateError, match="cannot be read: Is a directory"):
        read_state(tmp_path / "run.json")


def test_places_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for address in (str(tmp_path / "file" / "run.json"), f"sqlite:///{tmp_path}/file/run.db"):
        with pytest.raises(StateError, match="cannot be read: Not a directory"):
            read_state(address)
    with pytest.raises(StateError, match="unable to open database file"):
        read_state(f"sqlite:///{tmp_path}")


def test_a_reader_of_a_database_with_an_odd_name(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/50% of a#b&c.db"
    begin(address, FULL)
    assert read_state(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})
    assert [path.name for path in tmp_path.iterdir()] == ["50% of a#b&c.db"]


def test_a_database_without_our_tables_holds_nothing(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as database, database:
        database.execute("CREATE TABLE jobs (number)")
    before = (tmp_path / "run.db").read_bytes()
    assert read_state(f"sqlite:///{tmp_path}/run.db") is None
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"run.db": before}


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be locked: .*Not a directory|cannot be locked: .*File exists"):
        open_store(tmp_path / "file" / "run.json")


def test_folders_are_made(tmp_path: Path) -> None:
    begin(tmp_path / "a" / "b" / "run.json", FULL)
    begin(f"sqlite:///{tmp_path}/c/d/run.db", FULL)
    assert loaded(tmp_path / "a" / "b" / "run.json") == loaded(f"sqlite:///{tmp_path}/c/d/run.db")


def test_a_link_stays_and_has_the_lock_of_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "run.json")
    begin(link, FULL)
    assert link.is_symlink()
    assert loaded(tmp_path / "run.json") == RunState(run=RUN, planned=PLANNED, live={7: FULL})
    with opened(tmp_path / "run.json"), pytest.raises(StateLockedError):
        open_store(link)


def test_an_unwritable_step_leaves_the_step_before(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    begin(target, FULL)
    with opened(target) as store:
        (tmp_path / ".run.json.partial").mkdir()
        with pytest.raises(StateError, match="cannot be written into .*run.json'?: Is a directory") as error:
            store.save(BARE, PLANNED)
        assert isinstance(error.value.__cause__, OSError)
        assert store.load() == RunState(run=RUN, planned=PLANNED, live={7: FULL})
        (tmp_path / ".run.json.partial").rmdir()
        store.save(BARE, PLANNED)
    assert loaded(target) == RunState(run=RUN, planned=PLANNED, live={0: BARE, 7: FULL})


def test_the_ranges_of_the_document_are_those_of_the_types(tmp_path: Path) -> None:
    begin(tmp_path / "run.json", *(over(number) for number in (5, 3, 4, 0, 9)))
    assert from_ranges(json.loads((tmp_path / "run.json").read_bytes())["over"]) == (0, 3, 4, 5, 9)


# One that comes between a file's opening and its ``with`` leaves the closing to Python.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_leaves_the_store_and_its_disk_of_one_mind(tmp_path: Path) -> None:
    chance = random.Random(2)  # noqa: S311  # repeatable
    steps = 0
    with opened(tmp_path / "run.json") as store:
        store.create(RUN)
        for _ in range(40):
            store.save(*step_of(steps))
            steps += 1
            with contextlib.suppress(KeyboardInterrupt), interrupted(chance.uniform(0.0005, 0.006)):
                for _ in range(1000):  # Python can swallow an interrupt, in a callback
                    store.save(*step_of(steps))
                    steps += 1
            state = store.load()
            assert state is not None
            written = json.loads((tmp_path / "run.json").read_bytes())
            assert state in (state_after(steps), state_after(steps + 1))
            assert written["planned"]["items"] == state.planned.items
            assert from_ranges(written["over"]) == state.over
            assert [job["status"] for job in written["live"]] == [job.status for job in state.live.values()]
            steps += state == state_after(steps + 1)
    gc.collect()
    assert loaded(tmp_path / "run.json") == state_after(steps)
    assert steps >= 40


@pytest.mark.parametrize("name", ["run.json", "sqlite:///run.db"])
def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By the system's limit on the size of a file, which needs no disk of its own."""
    monkeypatch.chdir(tmp_path)
    begin(name, FULL)
    large = replace(BARE, message="x" * 400_000)
    with opened(name) as store:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(StateError, match="run.(json|db)"):
                store.save(large, PLANNED)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert store.load() == RunState(run=RUN, planned=PLANNED, live={7: FULL})
        store.save(large, PLANNED)
    assert loaded(name) == RunState(run=RUN, planned=PLANNED, live={0: large, 7: FULL})
    assert not (tmp_path / ".run.json.partial").exists()


@pytest.mark.parametrize("name", ["run.json", "sqlite:///run.db"])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", tmp_path], check=False, timeout=30)
    if made.returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            begin(name, FULL)
            with opened(name) as store:
                filler = tmp_path / "filler"
                with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                    while file.write(bytes(4096)):
                        pass
                with pytest.raises(StateError, match="run.(json|db).*(No space|full|I/O)"):
                    store.save(replace(BARE, message="x" * 9_000), PLANNED)
                filler.unlink()
                assert store.load() == RunState(run=RUN, planned=PLANNED, live={7: FULL})
                store.save(BARE, PLANNED)
            assert loaded(name) == RunState(run=RUN, planned=PLANNED, live={0: BARE, 7: FULL})
            subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True, timeout=30)
            with pytest.raises(StateError, match="cannot be locked: .*Read-only"):
                open_store(name)
    finally:
        subprocess.run(["umount", tmp_path], check=True, timeout=30)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    begin(f"sqlite:///{tmp_path}/run.db?run=other", FULL)
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as database, database:
        database.execute("UPDATE batchata_runs SET version = 2")
    with pytest.raises(StateError, match="is of version 2, this library reads up to 1"):
        open_store(f"sqlite:///{tmp_path}/run.db")
    with pytest.raises(StateError, match="is of version 2, this library reads up to 1"):
        read_state(f"sqlite:///{tmp_path}/run.db")


def test_what_is_no_database_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "run.db").write_text("these are my notes, not a database\n" * 100)
    with pytest.raises(StateError, match="run.db.*file is not a database"):
        open_store(f"sqlite:///{tmp_path}/run.db")
    with pytest.raises(StateError, match="run.db.*file is not a database"):
        read_state(f"sqlite:///{tmp_path}/run.db")
    assert (tmp_path / "run.db").read_text() == "these are my notes, not a database\n" * 100
    assert not (tmp_path / "run.db.lock").exists()


def test_another_program_s_tables_are_left(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as database, database:
        database.execute("CREATE TABLE jobs (number)")
        database.execute("INSERT INTO jobs VALUES (5)")
    begin(f"sqlite:///{tmp_path}/run.db", FULL)
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as database:
        assert database.execute("SELECT * FROM jobs").fetchall() == [(5,)]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE batchata_jobs SET status = 'lost'",
        "UPDATE batchata_runs SET run = '{'",
        "UPDATE batchata_runs SET planned = '[]'",
        "UPDATE batchata_jobs SET items = '1-x'",
        "UPDATE batchata_jobs SET status = 'collected', cost_usd = 'much'",
    ],
)
def test_broken_values_are_refused(tmp_path: Path, harm: str) -> None:
    address = f"sqlite:///{tmp_path}/run.db"
    begin(address, FULL)
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as database, database:
        database.execute(harm)
    with pytest.raises(StateError, match="holds no state as this"):
        read_state(address)
    with opened(address) as store, pytest.raises(StateError, match="holds no state as this"):
        store.load()


def test_a_row_a_job(tmp_path: Path) -> None:
    begin(f"sqlite:///{tmp_path}/run.db", FULL, over(1), replace(FULL, status=JobStatus.ENDED))
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as database:
        rows = database.execute(
            "SELECT run, number, status, items, item_count, cost_usd FROM batchata_jobs"
        ).fetchall()
    assert sorted(rows) == [
        ("default", 1, "collected", "10", 1, "0.01"),
        ("default", 7, "ended", "70-72,75", 4, "3.75E-8"),
    ]


def expected_of_version_1() -> RunState:
    return RunState(
        run=RUN,
        planned=PLANNED,
        live={7: FULL},
        over=(0, 1, 4),
        totals=Totals(
            jobs=3,
            completed=8,
            failed=2,
            cost_usd=Decimal("0.16"),
            unknown_costs=1,
            held_usd=Decimal("0.06"),
        ),
    )


@pytest.mark.parametrize("version", [1])
def test_documents_of_every_version_load(tmp_path: Path, version: int) -> None:
    (tmp_path / "run.json").write_bytes((DATA / f"version-{version}.json").read_bytes())
    assert read_state(tmp_path / "run.json") == expected_of_version_1()
    assert loaded(tmp_path / "run.json") == expected_of_version_1()


@pytest.mark.parametrize("version", [1])
def test_databases_of_every_version_load(tmp_path: Path, version: int) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as database:
        database.executescript((DATA / f"version-{version}.sql").read_text("utf-8"))
    assert read_state(f"sqlite:///{tmp_path}/run.db") == expected_of_version_1()
    assert loaded(f"sqlite:///{tmp_path}/run.db") == expected_of_version_1()
