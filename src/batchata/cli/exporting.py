"""The command ``results``: outcomes as JSON lines, CSV or Parquet."""

from __future__ import annotations

import contextlib
import csv
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from batchata.cli.exits import Code
from batchata.cli.flat import ColumnType, column_types, flat
from batchata.cli.folder import path_of
from batchata.cli.out import Out, counted, json_line
from batchata.cli.tables import arrow_package
from batchata.errors import ArgumentError, ResultsError
from batchata.results import iter_entries
from batchata.types import BatchResult

Format: TypeAlias = Literal["jsonl", "csv", "parquet"]
Entries: TypeAlias = Callable[[], Iterator[BatchResult[Any]]]

_BY_SUFFIX: Mapping[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_ROWS_A_GROUP = 10_000


def results(target: str | None, form: Format | None, output: Path | None, out: Out) -> Code:
    """Write every outcome that is on disk; read from the folder alone, so neither key nor schema is needed."""
    folder = path_of(target)
    form = form or _BY_SUFFIX.get("" if output is None else output.suffix.lower(), "jsonl")
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise ArgumentError("Parquet is nothing for a terminal. Name a file: --output results.parquet.")

    def entries() -> Iterator[BatchResult[Any]]:
        return iter_entries(folder, None)

    if form == "parquet":
        with _binary(output) as target_file:
            count = _write_parquet(entries, target_file)
    else:
        with _text(output) as file:
            count = (_write_csv if form == "csv" else _write_lines)(entries, file)
    if output is not None:
        out.remark(f"{counted(count, 'item')} in {output}")
    return Code.OK


def _write_lines(entries: Entries, file: IO[str]) -> int:
    count = 0
    for count, entry in enumerate(entries(), 1):  # noqa: B007  # it is what is returned
        file.write(f"{json_line(entry)}\n")
    return count


def _write_csv(entries: Entries, file: IO[str]) -> int:
    """Twice through the entries, so that no more than one is in memory."""
    columns = column_types(entries())
    writer = csv.DictWriter(file, list(columns), lineterminator="\n")
    writer.writeheader()
    count = 0
    for count, entry in enumerate(entries(), 1):  # noqa: B007  # as above
        writer.writerow(
            {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in flat(entry).items()}
        )
    return count


def _write_parquet(entries: Entries, file: IO[bytes]) -> int:
    pa = arrow_package()
    kinds = {
        ColumnType.BOOLEAN: pa.bool_(),
        ColumnType.INTEGER: pa.int64(),
        ColumnType.NUMBER: pa.float64(),
        ColumnType.MONEY: pa.decimal128(38, 18),
        ColumnType.TEXT: pa.string(),
    }
    count = 0
    columns = column_types(entries())
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with pa.parquet.ParquetWriter(file, schema) as writer:
        for rows in _groups(entries()):
            data = {name: [kind.value_of(row.get(name)) for row in rows] for name, kind in columns.items()}
            writer.write_table(pa.table(data, schema=schema))
            count += len(rows)
    return count


def _groups(entries: Iterator[BatchResult[Any]]) -> Iterator[list[dict[str, object]]]:
    group: list[dict[str, object]] = []
    for entry in entries:
        group.append(flat(entry))
        if len(group) == _ROWS_A_GROUP:
            yield group
            group = []
    yield group


@contextlib.contextmanager
def _text(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    # A name of a file in it may hold bytes that are no UTF-8.
    with _told(output), output.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield file


@contextlib.contextmanager
def _binary(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        return
    with _told(output), output.open("wb") as file:
        yield file


@contextlib.contextmanager
def _told(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultsError(f"{str(output)!r} cannot be written: {error.strerror}. Give another file.") from error
