"""Large bodies pass through a temporary file, never twice through memory."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

_IN_MEMORY_BYTES = 1_000_000
PIECE_BYTES = 256_000
"""Read and written at a time: each lets other threads in, and then has to wait for them."""


def new_spool() -> IO[bytes]:
    """A temporary file that stays in memory while it is small."""
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, buffering=PIECE_BYTES)


class LineWriter:
    """Writes lines into a file, each but the first after ``between``; many small ones together."""

    def __init__(self, file: IO[bytes], between: bytes = b"\n") -> None:
        self._file = file
        self._between = between
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, line: bytes) -> None:
        """Write a line, soon."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= PIECE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was added."""
        if self._lines:
            self._file.write(self._between.join(self._lines))
            self._lines = [b""]  # so that the next one comes after ``between``
            self._size = 0


def spool_array(prefix: bytes, entries: Iterable[bytes], suffix: bytes) -> tuple[IO[bytes], int]:
    """Write ``prefix entry,entry,… suffix``; returns the file, at its start, and its length in bytes."""
    spool = new_spool()
    spool.write(prefix)
    writer = LineWriter(spool, b",")
    for entry in entries:
        writer.add(entry)
    writer.flush()
    spool.write(suffix)
    size = spool.tell()
    spool.seek(0)
    return spool, size


def read_lines(spool: IO[bytes]) -> Iterator[bytes]:
    """The lines of a spooled file from its start, without line ends; empty ones are left out."""
    spool.seek(0)
    for line in spool:
        stripped = line.strip()
        if stripped:
            yield stripped


def ends_whole(spool: IO[bytes]) -> bool:
    """Whether a spooled file of JSON lines ends with a whole line: a proxy may cut a download in silence."""
    size, tail, reach = spool.seek(0, os.SEEK_END), b"", PIECE_BYTES
    while True:
        spool.seek(max(0, size - reach))
        tail = spool.read(reach).rstrip()
        if b"\n" in tail or reach >= size:
            break
        reach *= 8
    try:
        json.loads(tail.rpartition(b"\n")[2] or b"null")
    except ValueError:
        return False
    return True
