"""Who works on a run, told without taking its lock."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from batchata.errors import StateError
from batchata.store import open_store, read_holder
from batchata.store.lock import Holder


def write_lock(target: Path, holder: Holder) -> None:
    values = {name: getattr(holder, name) for name in ("host", "pid", "started", "boot")}
    lock = target.with_name(f"{target.name}.lock")
    lock.write_text(json.dumps({**values, "since": "2026-11-22T09:30:00+00:00"}), "utf-8")


@pytest.mark.parametrize("form", ["{}/run.json", "sqlite:///{}/run.db", "sqlite:///{}/run.db?run=two"])
def test_the_holder_is_named_while_it_works_and_not_after(tmp_path: Path, form: str) -> None:
    address = form.format(tmp_path)
    assert read_holder(address) is None
    store = open_store(address)
    told = read_holder(address)
    assert told is not None
    assert told.startswith(f"process {os.getpid()} on host {socket.gethostname()!r}, since 20")
    store.close()
    assert read_holder(address) is None


def test_the_holder_in_postgres(postgres: str) -> None:
    store = open_store(f"{postgres}&run=held")
    told = read_holder(f"{postgres}&run=held")
    assert told is not None
    assert told.startswith(f"process {os.getpid()} on host {socket.gethostname()!r}, since 20")
    assert read_holder(f"{postgres}&run=other") is None
    store.close()


def test_a_database_that_cannot_be_asked() -> None:
    with pytest.raises(StateError, match="cannot be read"):
        read_holder("postgresql+psycopg://u:secret@127.0.0.1:1/x")


def test_looking_takes_no_lock_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    store = open_store(target)
    before = sorted(tmp_path.iterdir())
    read_holder(target)
    assert sorted(tmp_path.iterdir()) == before
    assert store.load() is None
    store.close()


def test_a_dead_process_does_not_work(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    write_lock(target, replace(Holder.me(), started=1))  # this process's id, of an earlier process
    assert read_holder(target) is None


def test_where_the_system_does_not_tell_when_processes_began_their_numbers_decide(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    write_lock(target, replace(Holder.me(), started=None, boot=None))
    told = read_holder(target)
    assert told == f"process {os.getpid()} on host {socket.gethostname()!r}, since 2026-11-22T09:30:00+00:00"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    write_lock(target, replace(Holder.me(), pid=gone.pid, started=None, boot=None))
    assert read_holder(target) is None


def test_a_process_on_another_machine_counts_as_working(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    write_lock(target, replace(Holder.me(), host="elsewhere", pid=7, boot="another"))
    assert read_holder(target) == "process 7 on host 'elsewhere', since 2026-11-22T09:30:00+00:00"


def test_what_is_no_lock_of_ours_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "run.json.lock").write_text("something else")
    assert read_holder(tmp_path / "run.json") is None
