"""A disk that is full, or becomes read-only, in the middle of a run: a real one, in memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import batchata
from tests.crash.kills import ITEMS, check
from tests.crash.nursery import Ended
from tests.crash.work import Attempt, answer
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.jobs import Seconds


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode()}")
    yield folder
    while os.path.ismount(folder):
        subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def make_room(disk: Path) -> None:
    (disk / "filler").unlink()


def make_read_only(disk: Path) -> None:
    """The same disk over itself: the system refuses to remount one where a file, our lock, is open for writing."""
    subprocess.run(["mount", "--bind", disk, disk], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)


def make_writable(disk: Path) -> None:
    subprocess.run(["umount", disk], check=True)


@dataclass(frozen=True, slots=True)
class Harm:
    """What befalls a disk, how it is mended, and the system's word for it."""

    spoil: Callable[[Path], None]
    mend: Callable[[Path], None]
    words: str


FULL = Harm(fill, make_room, "No space left on device")
READ_ONLY = Harm(make_read_only, make_writable, "Read-only file system")


@pytest.mark.parametrize("place", ["results", "state", "both"])
@pytest.mark.parametrize("harm", [FULL, READ_ONLY], ids=["full", "read-only"])
def test_nothing_bought_is_lost(
    anthropic_server: AnthropicServer, tmp_path: Path, disk: Path, place: str, harm: Harm
) -> None:
    anthropic_server.answer = answer
    anthropic_server.ends_after = Seconds(0.01)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    attempt = Attempt(
        str(elsewhere if place == "state" else disk),
        anthropic_server.url,
        anthropic_server.key,
        state=str((elsewhere if place == "results" else disk) / "state.json"),
    )
    entries = attempt.manager().iter_results()
    seen = [next(entries)["input"]["index"] for _ in range(30)]
    harm.spoil(disk)
    with pytest.raises((batchata.StateError, batchata.ResultsError)) as caught:
        list(entries)
    assert str(disk) in str(caught.value)
    assert harm.words in str(caught.value)
    assert "Make room there, or make it writable" in str(caught.value)
    assert 3 <= len(anthropic_server.ledger.created) < 20
    with pytest.raises(batchata.BatchataError) as again:  # still no room
        attempt.manager().run()
    assert str(disk) in str(again.value)
    harm.mend(disk)
    summary = attempt.manager().run()
    assert check(anthropic_server, attempt, Ended(was_killed=False, summary={**summary})) == []
    assert len(set(seen)) == 30
    assert len(anthropic_server.ledger.billed) == ITEMS
