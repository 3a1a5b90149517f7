"""Large bodies pass through a temporary file, never twice through memory."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Container, Iterable, Iterator
from typing import IO, Self

_IN_MEMORY_BYTES = 1_000_000
PIECE_BYTES = 256_000
"""Read and written at a time: each lets other threads in, and then has to wait for them."""


def new_spool() -> IO[bytes]:
    """A temporary file that stays in memory while it is small."""
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, buffering=PIECE_BYTES)


class Lines:
    """Lines in a temporary file, in memory while they are few: written once, then read as often as wanted.

    Attributes:
        count: how many.
        size: their bytes, with a line end after each.
    """

    def __init__(self) -> None:
        self._spool = new_spool()
        self._waiting: list[bytes] = []
        self._written = 0
        self.count = self.size = 0

    def add(self, line: bytes) -> None:
        """Write a line, soon: many small ones together."""
        self._waiting.append(line)
        self.count += 1
        self.size += len(line) + 1
        if self.size - self._written >= PIECE_BYTES:
            self.flush()

    def extend(self, lines: Iterable[bytes]) -> None:
        """Write lines, soon."""
        for line in lines:
            self.add(line)

    def flush(self) -> None:
        """Write what was added."""
        self._waiting.append(b"")  # so that the last line ends, too
        self._spool.write(b"\n".join(self._waiting))
        self._waiting.clear()
        self._written = self.size

    def file(self) -> IO[bytes]:
        """The file itself, whole and at its start; it is read in one place at a time."""
        self.flush()
        self._spool.seek(0)
        return self._spool

    def __iter__(self) -> Iterator[bytes]:
        """The lines, without their ends."""
        return read_lines(self.file())

    def joined(self, between: bytes) -> Iterator[bytes]:
        """All of it in pieces, with ``between``, one character, where a line ends and another begins."""
        file, left = self.file(), self.size - 1
        while piece := file.read(min(PIECE_BYTES, left)):
            left -= len(piece)
            yield piece.replace(b"\n", between)

    def leave_out(self, positions: Container[int]) -> None:
        """Be without some of the lines, from now on."""
        with Lines() as kept:
            kept.extend(line for at, line in enumerate(self) if at not in positions)
            kept.flush()
            self._spool, kept._spool = kept._spool, self._spool
            self.count, self.size, self._written = kept.count, kept.size, kept.size

    def close(self) -> None:
        """Give the file back."""
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
