"""Entries from disk, one at a time: without provider SDKs, keys, or more memory than an index of the items."""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec, TypeVar, overload

from batchata.results import entries
from batchata.results.files import RUN, check_version, foreign, job_numbers, job_path, unreadable
from batchata.results.jsons import from_json
from batchata.types import BatchResult, ErrorInfo
from batchata.types.runs import to_ranges

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")
R = TypeVar("R")
P = ParamSpec("P")

HEAD = b'"entries":['
"""Ends the first line of a job's file; each entry is a line of its own, so that it can be read alone."""
END = b"]}"
"""Its last line."""

_BETWEEN = b" \r\n,"
_NOT_OURS = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)
_NOWHERE = -1
_VERSION = re.compile(rb'\s*{\s*"version"\s*:\s*(\d{1,9})\b')
_HEAD_BYTES = 100


@overload
def load_results_from_disk(
    results_dir: str | os.PathLike[str], response_model: None = None
) -> list[BatchResult[Any]]: ...


@overload
def load_results_from_disk(
    results_dir: str | os.PathLike[str], response_model: type[M]
) -> list[BatchResult[M]]: ...


def load_results_from_disk(
    results_dir: str | os.PathLike[str], response_model: type[BaseModel] | None = None
) -> list[BatchResult[Any]]:
    """The entries of a run, in input order, from its results directory alone. Neither provider SDK nor key is needed.

    Args:
        results_dir: as it was given to ``BatchManager``.
        response_model: the model of the run, or another that fits; without it results are text, or plain JSON values
            (dicts, lists, strings) by field name.

    Returns:
        One entry an input that has an outcome on disk, the latest where it was retried. A result that does not fit
        the model is an ``invalid_output``, with its JSON as ``raw_text``; the others are not touched by it.

    Raises:
        ResultsError: a file is missing, not as this library wrote it, or written by a newer version; says which.
    """
    folder = Path(results_dir)
    read_run(folder)
    return list(iter_entries(folder, response_model))


def read_run(folder: Path) -> dict[str, Any]:
    """What was run, from ``run.json``. Raises ``ResultsError``."""
    path = folder / RUN
    try:
        about = from_json(path.read_bytes())
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise foreign(path, "it is not JSON") from error
    if not isinstance(about, dict) or not isinstance(about.get("run_id"), str):
        raise foreign(path, "it names no run")
    check_version(path, about.get("version"))
    return about


def read_job(folder: Path, number: int, model: type[BaseModel] | None) -> Iterator[BatchResult[Any]]:
    """The entries of one job, by item. Raises ``ResultsError``."""
    path = job_path(folder, number)
    return (_made(path, entries.read, data, model) for _, data in _lines(path, number))


def fingerprints(folder: Path, number: int) -> dict[int, str]:
    """By item, what the documents of one job were when they were sent. Raises ``ResultsError``."""
    path = job_path(folder, number)
    found = ((data["index"], data.get("fingerprint")) for _, data in _lines(path, number))
    return {index: digest for index, digest in found if digest is not None}


def iter_entries(folder: Path, model: type[BaseModel] | None) -> Iterator[BatchResult[Any]]:
    """All entries in input order, each item once. Raises ``ResultsError``."""
    return _latest(folder, _index(folder).places(), partial(entries.read, model=model))


def failed_items(folder: Path) -> Iterator[tuple[int, ErrorInfo]]:
    """The items that have no result yet, in input order, and the latest reason. Raises ``ResultsError``."""
    return _latest(folder, _index(folder).places(failed=True), entries.failure)


@dataclass(frozen=True, slots=True)
class _Index:
    """Where the outcome of each item stands that counts: a few bytes an item, for there may be millions."""

    jobs: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    completed: bytearray = field(default_factory=bytearray)

    def add(self, item: int, job: int, offset: int, *, completed: bool) -> None:
        """One more outcome, jobs ascending: the latest counts, but no failure takes the place of a result."""
        more = item + 1 - len(self.jobs)
        if more > 0:
            self.jobs.extend([_NOWHERE] * more)
            self.offsets.extend([_NOWHERE] * more)
            self.completed.extend(bytes(more))
        if completed or not self.completed[item]:
            self.jobs[item], self.offsets[item], self.completed[item] = job, offset, completed

    def places(self, *, failed: bool = False) -> Iterator[tuple[int, int]]:
        """Job and offset of every item that has an outcome, or of every one that failed."""
        for job, offset, completed in zip(self.jobs, self.offsets, self.completed, strict=True):
            if job != _NOWHERE and not (failed and completed):
                yield job, offset


def _index(folder: Path) -> _Index:
    index = _Index()
    for number in job_numbers(folder):
        for offset, data in _lines(job_path(folder, number), number):
            index.add(data["index"], number, offset, completed=entries.is_completed(data))
    return index


def _latest(folder: Path, places: Iterator[tuple[int, int]], make: Callable[[Mapping[str, Any]], R]) -> Iterator[R]:
    for number, group in groupby(places, key=lambda place: place[0]):
        path = job_path(folder, number)
        with _opened(path) as file:
            for _, offset in group:
                file.seek(offset)
                yield _made(path, make, _made(path, _parsed, file.readline()))


def _lines(path: Path, number: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each entry of a job's file, parsed, and where its line begins; checked to be whole and to be this job's."""
    items: list[int] = []
    with _opened(path) as file:
        head = _head(path, file, number)
        offset = file.tell()
        for line in file:
            if line.strip(_BETWEEN) == END:
                break
            data = _made(path, _parsed, line)
            items.append(data["index"])
            yield offset, data
            offset += len(line)
        else:
            raise foreign(path, "it is cut short")
    if to_ranges(items) != head.get("items"):
        raise foreign(path, f"it has entries for the items {to_ranges(items)!r}, and not for {head.get('items')!r}")


def _head(path: Path, file: BinaryIO, number: int) -> dict[str, Any]:
    found = _VERSION.match(file.read(_HEAD_BYTES))
    check_version(path, None if found is None else int(found[1]))
    file.seek(0)
    line = file.readline().strip(_BETWEEN)
    if not line.endswith(HEAD):
        raise foreign(path, "its entries do not stand one a line, as if another program had laid it out anew")
    head: dict[str, Any] = _made(path, from_json, line + END)
    if head.get("job") != number:
        raise foreign(path, f"it is of job {head.get('job')!r}")
    return head


def _parsed(line: bytes) -> dict[str, Any]:
    return entries.parsed(line.strip(_BETWEEN))


def _made(path: Path, make: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return make(*args, **kwargs)
    except _NOT_OURS as error:
        raise foreign(path, f"{type(error).__name__}: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise unreadable(path, error) from error
