"""Conversations from a table: a JSONL, CSV or Parquet file, read row by row."""

from __future__ import annotations

import csv
import difflib
import functools
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, TypeAlias

from batchata.errors import ArgumentError, ConversationError, DocumentNotFoundError, MissingExtraError

Conversation: TypeAlias = list[dict[str, Any]]

_MESSAGES = "messages"
_PACKED = {".gz", ".bz2", ".xz", ".zip"}


@dataclass(frozen=True)
class Table:
    """The rows of a file as conversations, read anew at each iteration, and never all at once.

    Attributes:
        place: a path, or an address.
        column: to take; ``None`` for the only one, or the one named ``messages``.
        prompt: put before every conversation, as its system message.
    """

    place: str
    column: str | None = None
    prompt: str | None = None

    def __iter__(self) -> Iterator[Conversation]:
        return (self._conversation(number, row) for number, row in enumerate(self._rows(), 1))

    def __len__(self) -> int:
        return self._count

    @functools.cached_property
    def _count(self) -> int:
        return sum(1 for _ in self._rows())

    def _rows(self) -> Iterator[object]:
        match self._kind():
            case ".jsonl" | ".ndjson":
                return self._json_lines()
            case ".csv" | ".tsv":
                return self._csv()
            case ".parquet":
                return self._parquet()
            case other:
                raise ArgumentError(
                    f"Messages are read from JSONL, CSV or Parquet, and {self.place!r} ends with {other!r}. Rename it, "
                    f"or give documents as files."
                )

    def _kind(self) -> str:
        suffixes = [each.lower() for each in PurePosixPath(self.place).suffixes]
        if suffixes and suffixes[-1] in _PACKED:
            suffixes.pop()
        return suffixes[-1] if suffixes else ""

    def _json_lines(self) -> Iterator[object]:
        with _opened(self.place, "rt") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    try:
                        row = json.loads(line)
                    except ValueError as error:
                        raise ArgumentError(f"{self.place!r}, line {number}, is no JSON: {error}.") from error
                    yield row[self._column(list(row))] if isinstance(row, dict) else row

    def _csv(self) -> Iterator[object]:
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        with _opened(self.place, "rt", newline="") as file:
            head = file.readline()
            separator = max(",;\t", key=head.count)
            columns = next(csv.reader([head], delimiter=separator), [])
            position = columns.index(self._column(columns))
            for row in csv.reader(file, delimiter=separator):
                if row:
                    if len(row) <= position:
                        raise ArgumentError(
                            f"{self.place!r} has a row with {len(row)} of {len(columns)} columns: {row}."
                        )
                    yield row[position]

    def _parquet(self) -> Iterator[object]:
        arrow = arrow_package()
        with _opened(self.place, "rb") as file:
            try:
                table = arrow.parquet.ParquetFile(file)
                column = self._column(table.schema_arrow.names)
                for batch in table.iter_batches(1_000, columns=[column]):
                    yield from batch.column(0).to_pylist()
            except arrow.ArrowException as error:
                raise ArgumentError(f"{self.place!r} cannot be read as Parquet: {error}") from error

    def _column(self, columns: list[str]) -> str:
        wanted = self.column
        if wanted is None:
            wanted = columns[0] if len(columns) == 1 else _MESSAGES
        if wanted in columns:
            return wanted
        listed = ", ".join(map(repr, columns))
        if self.column is None:
            raise ArgumentError(f"{self.place!r} has the columns {listed}. Say which to take: --column NAME.")
        close = difflib.get_close_matches(wanted, columns, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise ArgumentError(f"{self.place!r} has no column {wanted!r}; its columns are {listed}.{meant}")

    def _conversation(self, number: int, row: object) -> Conversation:
        value = row.get(_MESSAGES) if isinstance(row, Mapping) else row
        if isinstance(value, str):
            value = _parsed(value)
        if not isinstance(value, list):
            raise ConversationError(
                f"{self.place!r}, row {number}, holds no conversation: a text, or a list of {{'role', 'content'}}, is "
                f"needed, got {type(value).__name__}."
            )
        return value if self.prompt is None else [{"role": "system", "content": self.prompt}, *value]


def _parsed(text: str) -> Conversation:
    """A conversation written as JSON, else the text as what the user says."""
    if text.lstrip().startswith("[{"):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, list) and all(isinstance(turn, dict) and "role" in turn for turn in found):
            return found
    return [{"role": "user", "content": text}]


@contextmanager
def _opened(place: str, mode: str, **options: Any) -> Iterator[IO[Any]]:
    import fsspec  # noqa: PLC0415  # imported where first used

    if mode == "rt":
        options["encoding"] = "utf-8-sig"
    try:
        with fsspec.open(place, mode, compression="infer", **options) as file:
            yield file
    except FileNotFoundError as error:
        raise DocumentNotFoundError(f"There is no file {place!r}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{place!r} is not UTF-8: {error}. Save it as UTF-8.") from error
    except ImportError as error:
        raise ArgumentError(f"{place!r} needs a package that is not installed: {error}") from error
    except OSError as error:
        raise ArgumentError(f"{place!r} cannot be read: {error}") from error


def arrow_package() -> Any:
    """The package, with its ``parquet``. Raises ``MissingExtraError``."""
    try:
        import pyarrow.parquet  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "The package 'pyarrow' is not installed: pip install 'batchata[parquet]'."
        ) from error
    return pyarrow
