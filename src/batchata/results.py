"""Provider answers on disk, as they came: whole files only, and nothing of the user's is ever deleted."""

from __future__ import annotations

import os
from pathlib import Path

from batchata.errors import ArgumentError

__all__ = ["open_raw_dir", "write_raw"]


def open_raw_dir(folder: str | os.PathLike[str]) -> Path:
    """Make the folder if needed, and see that it can be written, before anything is paid for."""
    path = Path(folder)
    if not str(folder):
        raise ArgumentError("raw_results_dir is empty. Name a folder, or leave it out.")
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".batchata-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ArgumentError(f"raw_results_dir {str(path)!r} cannot be written: {error.strerror}.") from error
    return path


def write_raw(folder: Path, custom_id: str, line: bytes) -> None:
    """One answer as ``<custom_id>.json``; a crash leaves either the whole file or none.

    Not forced to the disk one by one: the provider keeps the answers, and they can be read again.
    """
    partial = folder / f".{custom_id}.partial"
    partial.write_bytes(line)
    partial.replace(folder / f"{custom_id}.json")
