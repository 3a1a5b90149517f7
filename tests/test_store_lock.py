"""The lock file of a store: one holder, living or dead, here or elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchata.disk import sync_folder
from batchata.errors import StateError, StateLockedError
from batchata.store import open_store
from batchata.store.lock import FileLock, Holder
from batchata.types import Planned, RunState
from tests.stores import BARE, FULL, PLANNED, RUN, child, child_fork, child_race, loaded, opened, out


def write_holder(target: Path, holder: Holder) -> Path:
    values = {name: getattr(holder, name) for name in ("host", "pid", "started", "boot")}
    lock = target.with_name(f"{target.name}.lock")
    lock.write_text(json.dumps({**values, "since": "2026-11-22T09:30:00+00:00"}), "utf-8")
    return lock


def test_of_many_that_want_a_dead_lock_one_gets_it(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        racers = [stack.enter_context(child(child_race)) for _ in range(5)]
        for number in range(20):
            target = tmp_path / f"run{number}.json"
            dead = replace(Holder.me(), started=1)  # this process's id, of an earlier process
            write_holder(target, dead)
            for racer in racers:
                assert racer.stdin is not None
                racer.stdin.write(f"{target}\n")
                racer.stdin.flush()
            assert sorted(out(racer).readline() for racer in racers) == ["got\n"] + ["refused\n"] * 4


def test_what_was_forked_off_does_not_keep_the_lock(tmp_path: Path) -> None:
    target = str(tmp_path / "run.json")
    with child(child_fork, target) as process:
        left_behind = int(out(process).readline())
        try:
            with pytest.raises(StateLockedError):
                open_store(target)
            process.kill()
            process.wait(30)
            os.kill(left_behind, 0)
            assert loaded(target) is None
        finally:
            os.kill(left_behind, signal.SIGKILL)


def test_the_lock_file_says_who_holds_it_and_goes(tmp_path: Path) -> None:
    with opened(tmp_path / "run.json"):
        said = json.loads((tmp_path / "run.json.lock").read_text("utf-8"))
        assert (said["host"], said["pid"]) == (socket.gethostname(), os.getpid())
        assert datetime.now(UTC) - datetime.fromisoformat(said["since"]) < timedelta(minutes=1)
    assert list(tmp_path.iterdir()) == []


def test_a_reused_pid_is_not_taken_for_the_holder(tmp_path: Path) -> None:
    me = Holder.me()
    assert me.started is not None
    write_holder(tmp_path / "run.json", replace(me, started=me.started - 1))
    assert loaded(tmp_path / "run.json") is None


def test_a_holder_from_before_the_machine_started_is_dead(tmp_path: Path) -> None:
    write_holder(tmp_path / "run.json", replace(Holder.me(), boot="another"))
    assert loaded(tmp_path / "run.json") is None


def test_a_dead_container_of_this_machine_is_dead(tmp_path: Path) -> None:
    write_holder(tmp_path / "run.json", replace(Holder.me(), host="c0ffee", started=1))
    assert loaded(tmp_path / "run.json") is None


def test_a_living_holder_counts_where_the_system_forgot_the_lock(tmp_path: Path) -> None:
    write_holder(tmp_path / "run.json", Holder.me())
    with pytest.raises(StateLockedError, match=f"process {os.getpid()} on host"):
        open_store(tmp_path / "run.json")


def test_a_holder_on_another_host_is_for_a_person_to_judge(tmp_path: Path) -> None:
    lock = write_holder(tmp_path / "run.json", Holder("elsewhere", 12, 345, "another", datetime.now(UTC)))
    with pytest.raises(StateLockedError) as error:
        open_store(tmp_path / "run.json")
    assert str(error.value) == (
        f"The state '{tmp_path}/run.json' is in use by process 12 on host 'elsewhere', since "
        f"2026-11-22T09:30:00+00:00. If you are sure that it does not run any more, delete '{lock}' and take the run "
        f"up again."
    )
    lock.unlink()
    assert loaded(tmp_path / "run.json") is None


def test_a_lock_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    lock = tmp_path / "run.json.lock"
    lock.write_text("packages = []")
    with pytest.raises(StateError, match="is not a lock file of this library"):
        open_store(tmp_path / "run.json")
    assert lock.read_text() == "packages = []"


@pytest.mark.parametrize("name", ["run.json", "run.db"])
def test_who_lost_the_lock_writes_no_more(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    address = str(target) if name == "run.json" else f"sqlite:///{target}"
    with opened(address) as store:
        store.create(RUN)
        target.with_name(f"{name}.lock").unlink()
        with opened(address) as other:
            other.save(FULL, PLANNED)
            with pytest.raises(StateLockedError, match="was taken away from this process"):
                store.save(BARE, Planned())
            store.close()
            assert target.with_name(f"{name}.lock").exists()
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})


def test_a_holder_that_says_nothing_yet_holds_all_the_same(tmp_path: Path) -> None:
    held = FileLock(tmp_path / "run.json.lock", "run.json")
    (tmp_path / "run.json.lock").write_bytes(b"")
    with pytest.raises(StateLockedError, match="a process that has only just begun"):
        open_store(tmp_path / "run.json")
    held.release()


def test_a_lock_that_could_not_be_written_is_not_held(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(StateError, match="cannot be locked: .*No space left"):
            open_store(tmp_path / "run.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "run.json.lock").read_bytes() == b""
    assert loaded(tmp_path / "run.json") is None


def test_what_a_power_cut_left_of_a_lock_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "run.json.lock").write_bytes(bytes(153))
    assert loaded(tmp_path / "run.json") is None


def test_a_lock_that_nobody_has_any_more_is_released(tmp_path: Path) -> None:
    FileLock(tmp_path / "run.json.lock", "run.json")
    assert list(tmp_path.iterdir()) == []


def test_folders_whose_names_the_system_does_not_keep() -> None:
    sync_folder(Path("/proc"))
    with pytest.raises(OSError, match="No such file"):
        sync_folder(Path("/proc/none"))
