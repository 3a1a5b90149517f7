"""The state as one JSON document, replaced as a whole at every step."""

from __future__ import annotations

import itertools
import os
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from batchata.disk import write_whole
from batchata.errors import StateError
from batchata.store.base import (
    VERSION,
    check_version,
    decode,
    decode_job,
    encode,
    encode_job,
    exists,
    foreign,
    missing,
)
from batchata.store.lock import FileLock
from batchata.types import JobRecord, Planned, RunInfo, RunState, Totals
from batchata.types.runs import OVER, from_ranges


class DocumentStore:
    """A ``Store`` in a file ``*.json``, any JSON reader's at any instant.

    Jobs that are over are only ranges of numbers and sums in it, so it stays small however long the run.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        # Through a link to the file itself, so that the link is kept and both names have one lock.
        self._path = Path(os.path.realpath(path))
        self._lock = FileLock(lock_path(path), self.name)
        self._document: _Document | None = None
        self._is_known = False
        try:
            self._now()
        except BaseException:
            self._lock.release()
            raise

    def load(self) -> RunState | None:
        document = self._now()
        return None if document is None else document.state()

    def create(self, run: RunInfo) -> None:
        if self._now() is not None or self._path.exists():
            raise exists(self.name)
        self._write(_Document(run=encode(run)))

    def save(self, job: JobRecord, planned: Planned) -> None:
        document = self._now()
        if document is None:
            raise missing(self.name)
        self._write(document.with_job(job, planned))

    def close(self) -> None:
        self._lock.release()

    def _now(self) -> _Document | None:
        """What the disk has."""
        if not self._is_known:
            self._document = _read(self._path, self.name)
            self._is_known = True
        return self._document

    def _write(self, document: _Document) -> None:
        self._lock.check()
        self._is_known = False  # whatever breaks in here, Ctrl+C too, may do so before the replacement or after
        try:
            write_whole(self._path, (document.to_json(),))
        except OSError as error:
            raise StateError(
                f"The state cannot be written into {self.name!r}: {error.strerror}. What it held before is whole. Make "
                f"room there, or make it writable, and take the run up again."
            ) from error
        self._document = document
        self._is_known = True


def lock_path(path: Path) -> Path:
    """Where the lock of the document ``path`` is."""
    real = Path(os.path.realpath(path))
    return real.with_name(f"{real.name}.lock")


def read_document(path: Path) -> RunState | None:
    """What is stored there, without a lock: a document is replaced as a whole, so it is whole at any instant.

    Raises ``StateError`` for what is not ours.
    """
    document = _read(path, str(path))
    return None if document is None else document.state()


def _read(path: Path, name: str) -> _Document | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"The state in {name!r} cannot be read: {error.strerror}.") from error
    try:
        raw = orjson.loads(data)
    except ValueError as error:
        raise foreign(name, f"it is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise foreign(name, "it is no JSON object")
    check_version(name, raw.get("version"))
    try:
        document = _Document.parse(raw)
        document.state()
    except ValueError as error:
        raise foreign(name, error) from error
    return document


@dataclass(frozen=True, slots=True)
class _Document:
    """The document's values. All but the sums are kept as they are written, so that a step encodes only its own job."""

    run: dict[str, Any]
    planned: dict[str, Any] = field(default_factory=lambda: encode(Planned()))
    live: dict[int, dict[str, Any]] = field(default_factory=dict)
    over: _Ranges = field(default_factory=lambda: _Ranges.parse(""))
    totals: Totals = field(default_factory=Totals)

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> _Document:
        """Raises ``ValueError`` for what ``to_json`` does not write."""
        if lacks := [key for key in ("run", "planned", "live", "over", "totals") if key not in raw]:
            raise ValueError(f"it has no {lacks[0]!r}")
        live, over = raw["live"], raw["over"]
        if (
            not isinstance(live, list)
            or not all(isinstance(job, dict) for job in live)
            or not isinstance(over, str)
        ):
            raise ValueError("its jobs are not as they should be")
        return cls(
            run=raw["run"],
            planned=raw["planned"],
            live={decode_job(job).number: job for job in live},
            over=_Ranges.parse(over),
            totals=decode(Totals, raw["totals"]),
        )

    def to_json(self) -> bytes:
        return orjson.dumps(
            {
                "version": VERSION,
                "run": self.run,
                "planned": self.planned,
                "live": [self.live[number] for number in sorted(self.live)],
                "over": str(self.over),
                "totals": encode(self.totals),
                "updated_at": datetime.now(UTC).isoformat(),
            }
        )

    def state(self) -> RunState:
        """Raises ``ValueError`` for values that ``to_json`` does not write."""
        jobs = {number: decode_job(self.live[number]) for number in sorted(self.live)}
        if wrong := [number for number, job in jobs.items() if job.status in OVER or number in self.over]:
            raise ValueError(f"job {wrong[0]} in it is both live and over")
        return RunState(
            run=decode(RunInfo, self.run),
            planned=decode(Planned, self.planned),
            live=jobs,
            over=from_ranges(str(self.over)),
            totals=self.totals,
        )

    def with_job(self, job: JobRecord, planned: Planned) -> _Document:
        """After a job's step."""
        number, after = job.number, replace(self, planned=encode(planned))
        if number in self.over:
            if job.status not in OVER:
                raise ValueError(f"job {number} is over, and cannot become {job.status}")
            return after
        if job.status not in OVER:
            return replace(after, live=self.live | {number: encode_job(job)})
        live = {other: raw for other, raw in self.live.items() if other != number}
        return replace(after, live=live, over=self.over.plus(number), totals=self.totals.plus(job))


@dataclass(frozen=True, slots=True)
class _Ranges:
    """A set of numbers in the form of ``to_ranges``; adding one costs by the ranges, not by the numbers."""

    pairs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> _Ranges:
        """Raises ``ValueError`` for what ``to_ranges`` does not write."""
        parts = [part.partition("-") for part in text.split(",")] if text else []
        pairs = tuple((int(first), int(last or first)) for first, _, last in parts)
        ends = list(itertools.chain.from_iterable(pairs))
        if ends != sorted(ends):
            raise ValueError(f"its numbers of jobs do not ascend: {text[:80]!r}")
        return cls(pairs)

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self.pairs, (number + 1,))
        return at > 0 and self.pairs[at - 1][1] >= number

    def __str__(self) -> str:
        return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in self.pairs)

    def plus(self, number: int) -> _Ranges:
        """With one more number, which is not in it."""
        at = bisect_left(self.pairs, (number + 1,))
        before, after = self.pairs[:at], self.pairs[at:]
        first = last = number
        if before and before[-1][1] == number - 1:
            first, before = before[-1][0], before[:-1]
        if after and after[0][0] == number + 1:
            last, after = after[0][1], after[1:]
        return _Ranges((*before, (first, last), *after))
