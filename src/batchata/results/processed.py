"""A run's results directory, while the run writes it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchata.errors import ArgumentError, ResultsError
from batchata.results import load
from batchata.results.files import PROCESSED, RAW, RUN, VERSION, job_numbers, job_path, open_folder, write_file
from batchata.results.jsons import to_json
from batchata.types import BatchResult, ErrorInfo
from batchata.types.runs import to_ranges

if TYPE_CHECKING:
    from pydantic import BaseModel

_LINES_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class ResultsDir:
    """Where a run puts its answers. Every method but ``open`` raises ``ResultsError`` for what the disk refuses.

    Attributes:
        path: the folder.
        run_id: whose results it holds.
        raw: where answers go as they came; ``None`` if they are not wanted.
    """

    path: Path
    run_id: str
    raw: Path | None

    @classmethod
    def open(cls, folder: str | os.PathLike[str], *, run_id: str, raw_files: bool) -> ResultsDir:
        """Make the folder if needed, see that it can be written, and that no other run's results are in it.

        Raises ``ArgumentError``, and leaves alone whatever it finds.
        """
        path = open_folder(folder, "results_dir")
        _check_owner(path, run_id)
        open_folder(path / PROCESSED, "results_dir")
        return cls(path, run_id, open_folder(path / RAW, "results_dir") if raw_files else None)

    def has_run(self) -> bool:
        """Whether ``run.json`` is there."""
        return (self.path / RUN).exists()

    def write_run(self, about: Mapping[str, object]) -> None:
        """Say in ``run.json`` what is run: what is given, after the versions of format and library and the run's id."""
        from importlib.metadata import version  # noqa: PLC0415  # dear, and used once a run

        head = {"version": VERSION, "batchata": version("batchata"), "run_id": self.run_id}
        write_file(self.path / RUN, (to_json({**head, **about}), b"\n"))

    def write_job(self, number: int, items: Sequence[int], entry_lines: Sequence[bytes]) -> None:
        """Put the outcomes of one job on the disk, all or none; once this returns, a power cut cannot take them back.

        Args:
            number: of the job.
            items: indexes of its items, ascending.
            entry_lines: one for each of them, in this order, as ``kept`` makes them.
        """
        if len(items) != len(entry_lines):
            raise ValueError(f"{len(entry_lines):,} entries of {len(items):,} items")
        write_file(job_path(self.path, number), _job_file(number, items, entry_lines))

    def has_job(self, number: int) -> bool:
        """Whether the job's outcomes are on the disk."""
        return job_path(self.path, number).exists()

    def job_numbers(self) -> list[int]:
        """The jobs whose outcomes are on the disk, ascending."""
        return job_numbers(self.path)

    def read_job(self, number: int, response_model: type[BaseModel] | None) -> Iterator[BatchResult[Any]]:
        """The entries of one job, by item."""
        return load.read_job(self.path, number, response_model)

    def fingerprints(self, number: int) -> dict[int, str]:
        """By item, what the documents of one job were when they were sent, as far as that was said."""
        return load.fingerprints(self.path, number)

    def failed_items(self) -> Iterator[tuple[int, ErrorInfo]]:
        """The items that have no result in any job so far, in input order, and why by the latest job."""
        return load.failed_items(self.path)

    def iter_entries(self, response_model: type[BaseModel] | None) -> Iterator[BatchResult[Any]]:
        """All entries so far in input order, each item once: its result, else its latest failure."""
        return load.iter_entries(self.path, response_model)


def _check_owner(path: Path, run_id: str) -> None:
    if (path / RUN).exists():
        try:
            owner = load.read_run(path)["run_id"]
        except ResultsError as error:
            raise ArgumentError(f"results_dir {str(path)!r} cannot be used: {error}") from error
        if owner == run_id:
            return
        held = f"the results of the run {owner!r}"
    elif (path / PROCESSED).is_dir() and job_numbers(path):
        held = f"results of a run that no {RUN!r} names"
    else:
        return
    raise ArgumentError(
        f"results_dir {str(path)!r} holds {held}, and this is the run {run_id!r}. Name another folder, or "
        f"continue that run with its own state_path."
    )


def _job_file(number: int, items: Sequence[int], entry_lines: Sequence[bytes]) -> Iterator[bytes]:
    """JSON with an entry a line, so that any of them can be read without the others."""
    head = to_json({"version": VERSION, "job": number, "items": to_ranges(items)})
    yield head.removesuffix(b"}") + b"," + load.HEAD + b"\n"
    for start in range(0, len(entry_lines), _LINES_TOGETHER):
        yield b",\n" * bool(start) + b",\n".join(entry_lines[start : start + _LINES_TOGETHER])
    yield b"\n" * bool(entry_lines) + load.END + b"\n"
