"""Where the state of a run is kept: a JSON document, or a database."""

from __future__ import annotations

import os
from pathlib import Path

from batchata.errors import ArgumentError, MissingExtraError
from batchata.store.base import Store
from batchata.store.document import DocumentStore

__all__ = ["Store", "open_store"]


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
    text = os.fspath(address)
    if isinstance(address, str) and "://" in text:
        try:
            from batchata.store.sql import SqlStore  # noqa: PLC0415  # SQLAlchemy is imported where first used

            return SqlStore(text)
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"The package {error.name!r} is not installed: pip install 'batchata[postgres]'."
            ) from error
    if text.lower().endswith(".json"):
        return DocumentStore(Path(text))
    raise ArgumentError(
        f"The state cannot be kept in {text!r}. Give the path of a JSON document, such as 'run.json', or the address "
        f"of a database: 'sqlite:///run.db' or 'postgresql+psycopg://user@host/database'."
    )
