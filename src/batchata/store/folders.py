"""Folders whose names are on the disk before what is in them counts."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

_CANNOT_SYNC = {errno.EBADF, errno.EINVAL, errno.ENOTSUP}
"""What file systems say that keep no folder waiting to be written; the same that PostgreSQL passes over."""


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
