"""Where the state of a run is kept: a JSON document, or a database."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from batchata.errors import ArgumentError, MissingExtraError
from batchata.store.base import Store
from batchata.store.document import DocumentStore, lock_path, read_document
from batchata.store.lock import read_holder as read_lock
from batchata.types import RunState

__all__ = ["Store", "open_store", "read_holder", "read_state"]


def open_store(address: str | os.PathLike[str]) -> Store:
    """Open the state of a run, and lock it until ``close``.

    Args:
        address: a path ``*.json``, or a database: ``sqlite:///state.db``, ``postgresql+psycopg://user@host/database``.
            Runs in one database are told apart by ``?run=NAME`` at the end, ``default`` without.

    Raises:
        ArgumentError: for any other address.
        StateLockedError: another process works on it.
        StateError: it is unusable, or not ours. It is left as it was.
    """
    if isinstance(address, str) and "://" in address:
        with _needing_packages():
            from batchata.store.sql import SqlStore  # noqa: PLC0415  # SQLAlchemy is imported where first used

            return SqlStore(address)
    return DocumentStore(_document(address))


def read_state(address: str | os.PathLike[str]) -> RunState | None:
    """The state of a run as it is now, also beside a process that works on it; ``None`` where nothing is stored.

    Takes no lock, makes no file and no table, and sees each step whole or not at all.

    Args:
        address: as for ``open_store``.

    Raises:
        ArgumentError: for any other address.
        StateError: it cannot be read, or is not ours.
    """
    if isinstance(address, str) and "://" in address:
        with _needing_packages():
            from batchata.store.sql import read_database  # noqa: PLC0415  # SQLAlchemy is imported where first used

            return read_database(address)
    return read_document(_document(address))


def read_holder(address: str | os.PathLike[str]) -> str | None:
    """Which process works on the run: its number, its host, and since when; ``None`` where none does.

    Takes no lock, so it may be outdated at once. Of a process on another machine whose lock is a file, it cannot tell
    whether that still runs: it counts as working.

    Args:
        address: as for ``open_store``.

    Raises:
        ArgumentError: for any other address.
        StateError: the database cannot be asked.
    """
    if isinstance(address, str) and "://" in address:
        with _needing_packages():
            from batchata.store.sql import read_database_holder  # noqa: PLC0415  # imported where first used

            return read_database_holder(address)
    holder = read_lock(lock_path(_document(address)))
    return None if holder is None else str(holder)


@contextlib.contextmanager
def _needing_packages() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The package {error.name!r} is not installed: pip install 'batchata[postgres]'."
        ) from error


def _document(address: str | os.PathLike[str]) -> Path:
    text = os.fspath(address)
    if text.lower().endswith(".json"):
        return Path(text)
    raise ArgumentError(
        f"The state cannot be kept in {text!r}. Give the path of a JSON document, such as 'run.json', or the address "
        f"of a database: 'sqlite:///run.db' or 'postgresql+psycopg://user@host/database'."
    )
