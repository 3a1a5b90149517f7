"""Files and folders that are on the disk, whole and under their names, before what is in them counts."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path

_CANNOT_SYNC = {errno.EBADF, errno.EINVAL, errno.ENOTSUP}
"""What file systems say that keep no folder waiting to be written; the same that PostgreSQL passes over."""


def write_whole(path: Path, chunks: Iterable[bytes], *, durable: bool = True) -> None:
    """A crash leaves either the whole new file or what was there before; so does a full disk. Raises ``OSError``.

    Args:
        path: the file's final name.
        chunks: its contents.
        durable: wait until the disk has it, so that even a power cut cannot take it back.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(chunks)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
        if durable:
            sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder where there is none, after its parents. Raises ``OSError``."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of what is in a folder, where the system can. Raises ``OSError``."""
    if os.name == "nt":  # Windows cannot open a folder, and keeps names safe by itself
        return
    with contextlib.suppress(PermissionError):  # it may be written, but not be listed
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise
        finally:
            os.close(descriptor)
