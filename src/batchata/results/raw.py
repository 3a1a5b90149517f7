"""Provider answers on disk, as they came: whole files only, and nothing of the user's is ever deleted."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from batchata.results.files import open_folder, raw_path, write_file

Keep: TypeAlias = Callable[[str, bytes], object]
"""Keeps one answer: its custom_id, and the line as it came."""

_IN_MEMORY_BYTES = 1_000_000
_PIECE_BYTES = 1_000_000
_LINES_TOGETHER = 100


def open_raw_dir(folder: str | os.PathLike[str]) -> Path:
    """Make the folder if needed, and see that it can be written, before anything is paid for."""
    return open_folder(folder, "raw_results_dir")


def write_raw(folder: Path, custom_id: str, line: bytes) -> None:
    """One answer as ``<custom_id>.json``; a crash leaves either the whole file or none.

    Not forced to the disk one by one: the provider keeps the answers, and they can be read again. Raises
    ``ResultsError`` where it cannot be written.
    """
    write_file(folder / f"{custom_id}.json", (line,), durable=False)


@contextmanager
def raw_lines(folder: Path, number: int) -> Iterator[Keep]:
    """The answers of one job of a run as ``job-<number>.jsonl``, a line each, in the order in which they came.

    The file is there, whole, once the block ends. Not forced to the disk either. Raises ``ResultsError``.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
        waiting: list[bytes] = []

        def flush() -> None:
            spool.write(b"".join([line + b"\n" for line in waiting]))
            waiting.clear()

        def keep(_: str, line: bytes) -> None:
            waiting.append(line)
            if len(waiting) >= _LINES_TOGETHER:
                flush()

        yield keep
        flush()
        spool.seek(0)
        write_file(raw_path(folder, number), iter(lambda: spool.read(_PIECE_BYTES), b""), durable=False)
