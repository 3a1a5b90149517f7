"""Provider answers on disk, as they came: whole files only, and nothing of the user's is ever deleted."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from batchata.results.files import open_folder, raw_path, write_file
from batchata.spool import PIECE_BYTES, Lines

Keep: TypeAlias = Callable[[str, bytes], object]
"""Keeps one answer: its custom_id, and the line as it came."""


def open_raw_dir(folder: str | os.PathLike[str]) -> Path:
    """Make the folder if needed, and see that it can be written, before anything is paid for."""
    return open_folder(folder, "raw_results_dir")


def write_raw(folder: Path, custom_id: str, line: bytes) -> None:
    """One answer as ``<custom_id>.json``; a crash leaves either the whole file or none.

    Not forced to the disk one by one: the provider keeps the answers, and they can be read again. Raises
    ``ResultsError`` where it cannot be written.
    """
    write_file(folder / f"{custom_id}.json", (line,), durable=False)


def write_raw_lines(folder: Path, number: int, lines: Lines) -> None:
    """The answers of one job of a run as ``job-<number>.jsonl``, a line each, in the order in which they came.

    Whole or not at all. Not forced to the disk either. Raises ``ResultsError``.
    """
    pieces = iter(partial(lines.file().read, PIECE_BYTES), b"")
    write_file(raw_path(folder, number), pieces, durable=False)
