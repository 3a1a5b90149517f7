"""Jobs as directories: written so that a crash at any instant leaves something that can be gone on with.

A job holds ``requests.jsonl`` and ``job.json`` (never changed), ``results.jsonl`` (grows line by line), the empty
markers ``canceled`` and ``ended``, and the worker's lock and log.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from batchata.spool import Lines
from batchata.types import RequestCounts

_ID = re.compile(r"localjob_[0-9a-f]{24}")
_KEEP_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Job:
    """A job's directory."""

    folder: Path

    @property
    def id(self) -> str:
        """The job's id."""
        return self.folder.name

    def about(self) -> dict[str, Any]:
        """What was fixed when it was made: weights, tag, created_at (seconds), count, slots, context."""
        found: dict[str, Any] = json.loads((self.folder / "job.json").read_bytes())
        return found

    def requests(self) -> Iterator[bytes]:
        """The request lines."""
        with (self.folder / "requests.jsonl").open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")

    def results(self) -> Iterator[bytes]:
        """The whole result lines so far; a line cut short by a crash is left out."""
        path = self.folder / "results.jsonl"
        if path.exists():
            with path.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield line.rstrip(b"\n")

    def counts(self) -> RequestCounts:
        """How the requests stand, from the result lines."""
        ended = {b"succeeded": 0, b"errored": 0, b"canceled": 0}
        for line in self.results():
            ended[kind_of(line)] += 1
        done = sum(ended.values())
        return RequestCounts(
            processing=int(self.about()["count"]) - done,
            succeeded=ended[b"succeeded"],
            errored=ended[b"errored"],
            canceled=ended[b"canceled"],
        )

    def has(self, marker: str) -> bool:
        """Whether it is marked ``canceled`` or ``ended``."""
        return (self.folder / marker).exists()

    def mark(self, marker: str) -> None:
        """Mark it as ``canceled`` or ``ended``."""
        (self.folder / marker).touch()

    def marked_at(self, marker: str) -> datetime:
        """When it was marked."""
        return datetime.fromtimestamp((self.folder / marker).stat().st_mtime, UTC)


_KIND = re.compile(rb'\{"type": ?"(succeeded|errored|canceled)"')


def kind_of(line: bytes) -> bytes:
    """How a result line says its request ended, without parsing the whole line."""
    found = _KIND.match(line)
    if found is None:
        raise ValueError(f"not a result line of the local engine: {line[:80]!r}")
    return found[1]


def folder_of_jobs(cache: Path) -> Path:
    """Where jobs are kept."""
    return cache / "local" / "jobs"


def find_job(cache: Path, job_id: str) -> Job | None:
    """The job of that id, if there is one."""
    folder = folder_of_jobs(cache) / job_id
    return Job(folder) if _ID.fullmatch(job_id) and (folder / "job.json").is_file() else None


def all_jobs(cache: Path) -> Iterator[Job]:
    """Every job in the cache, in no order."""
    folder = folder_of_jobs(cache)
    for path in folder.iterdir() if folder.is_dir() else ():
        job = find_job(cache, path.name)
        if job is not None:
            yield job


def create_job(cache: Path, entries: Lines, about: dict[str, Any]) -> Job:
    """Write a job; it exists, whole, from the moment its directory gets its name."""
    jobs = folder_of_jobs(cache)
    jobs.mkdir(parents=True, exist_ok=True)
    job_id = f"localjob_{secrets.token_hex(12)}"
    draft = jobs / f".{job_id}"
    draft.mkdir()
    try:
        with (draft / "requests.jsonl").open("wb") as file:
            shutil.copyfileobj(entries.file(), file)
            _settle(file)
        with (draft / "job.json").open("wb") as file:
            file.write(json.dumps({**about, "count": entries.count}).encode())
            _settle(file)
        (draft / "starts").touch()
        draft.rename(jobs / job_id)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Job(jobs / job_id)


def remove_old(cache: Path) -> None:
    """Remove jobs that were made long ago. Only folders that bear our ids, in our own cache."""
    for job in all_jobs(cache):
        if time.time() - float(job.about()["created_at"]) > _KEEP_SECONDS:
            shutil.rmtree(job.folder, ignore_errors=True)


class ResultWriter:
    """Appends result lines, each whole before the next; drops a line that a crash cut short."""

    def __init__(self, job: Job) -> None:
        path = job.folder / "results.jsonl"
        self._file = path.open("ab")
        self._file.truncate(sum(len(line) + 1 for line in job.results()))

    def write(self, line: bytes) -> None:
        """Append one line; after this it survives our death."""
        self._file.write(line + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Bring everything to the disk."""
        _settle(self._file)
        self._file.close()


def _settle(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def try_lock(job: Job) -> IO[bytes] | None:
    """The worker's lock, or ``None`` while another process holds it. Freed when closed, or at our death."""
    file = (job.folder / "worker.lock").open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  # only there

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  # only there

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
