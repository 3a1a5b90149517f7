"""Provider answers on disk, as they came: whole files only, and nothing of the user's is ever deleted."""

from __future__ import annotations

import os
from pathlib import Path

from batchata.results.files import open_folder, write_file


def open_raw_dir(folder: str | os.PathLike[str]) -> Path:
    """Make the folder if needed, and see that it can be written, before anything is paid for."""
    return open_folder(folder, "raw_results_dir")


def write_raw(folder: Path, custom_id: str, line: bytes) -> None:
    """One answer as ``<custom_id>.json``; a crash leaves either the whole file or none.

    Not forced to the disk one by one: the provider keeps the answers, and they can be read again. Raises
    ``ResultsError`` where it cannot be written.
    """
    write_file(folder / f"{custom_id}.json", (line,), durable=False)
