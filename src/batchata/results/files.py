"""Files of a results directory: where they are, and how each gets there whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from batchata.disk import make_folder, write_whole
from batchata.errors import ArgumentError, ResultsError

VERSION = 1
"""Of the format of ``run.json`` and of the files of ``processed``; both begin with it, in every version."""

RUN = "run.json"
PROCESSED = "processed"
RAW = "raw"

_JOB = re.compile(r"job-(\d{8,})\.json")
_PROBE = bytes(4096)


def job_path(folder: Path, number: int) -> Path:
    """Where the entries of a job are."""
    return folder / PROCESSED / f"job-{number:08d}.json"


def raw_path(raw_dir: Path, number: int) -> Path:
    """Where the answers of a job are as they came."""
    return raw_dir / f"job-{number:08d}.jsonl"


def job_numbers(folder: Path) -> list[int]:
    """The jobs that have entries, ascending. Raises ``ResultsError`` where there is no folder of them."""
    try:
        names = [path.name for path in (folder / PROCESSED).iterdir()]
    except OSError as error:
        raise unreadable(folder / PROCESSED, error) from error
    return sorted(int(found[1]) for found in map(_JOB.fullmatch, names) if found is not None)


def open_folder(folder: str | os.PathLike[str], argument: str) -> Path:
    """Make the folder if needed, and see that it can be written, before anything is paid for."""
    path = Path(folder)
    if not str(folder):
        raise ArgumentError(f"{argument} is empty. Name a folder, or leave it out.")
    probe = path / f".batchata-{os.getpid()}"
    try:
        make_folder(path)
        try:
            probe.write_bytes(_PROBE)
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise ArgumentError(f"{argument} {str(path)!r} cannot be written: {error.strerror}.") from error
    return path


def write_file(path: Path, chunks: Iterable[bytes], *, durable: bool = True) -> None:
    """``write_whole``, into the results directory. Raises ``ResultsError``."""
    try:
        write_whole(path, chunks, durable=durable)
    except OSError as error:
        raise ResultsError(
            f"{path.name!r} cannot be written into the results directory {str(path.parent)!r}: {error.strerror}. What "
            f"was written before is whole. Make room there, or make it writable, and run again: what was bought is "
            f"read again from the provider."
        ) from error


def unreadable(path: Path, error: OSError) -> ResultsError:
    """What to raise for a file or folder that the system does not give."""
    return ResultsError(
        f"{str(path)!r} cannot be read: {error.strerror}. Give the results directory of a run, which holds {RUN!r} and "
        f"{PROCESSED!r}."
    )


def foreign(path: Path, reason: str) -> ResultsError:
    """What to raise for a file that no version of ours left there like this."""
    return ResultsError(
        f"{str(path)!r} is not a file as this library writes it: {reason}. Put back the file as it was, or move it "
        f"elsewhere."
    )


def check_version(path: Path, version: object) -> None:
    """Raises ``ResultsError`` for a file that this version of the library cannot read."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise foreign(path, "it names no version of the format")
    if version > VERSION:
        raise ResultsError(
            f"{str(path)!r} is written in version {version} of the format, and this library reads up to {VERSION}. "
            f"Install a newer batchata to read it."
        )
