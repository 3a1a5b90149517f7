"""What a run is asked to do, and where it is kept: the arguments of ``BatchManager``, checked."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from batchata.errors import ArgumentError
from batchata.runner.inputs import Given
from batchata.runner.start import check_prompt, check_task
from batchata.runner.task import FileSource, Task
from batchata.store import read_state

logger = logging.getLogger(__name__)

_STATE = "state.json"
_RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for.

    ``items_per_job`` and what follows may change from one process to the next; the rest may not.
    """

    task: Task
    given: Given
    items_per_job: int
    max_parallel_jobs: int
    max_cost: Decimal | None
    max_wait_seconds: float | None
    raw_files: bool

    def check(self) -> None:
        """Raise ``ArgumentError`` for what is wrong by itself."""
        check_task(self.task)
        for name, count in (("items_per_job", self.items_per_job), ("max_parallel_jobs", self.max_parallel_jobs)):
            number: Any = count
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise ArgumentError(f"{name} must be a whole number of at least 1, got {number!r}.")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run is remembered, and where its outcomes are.

    ``is_temporary``: nobody else knows the places, so they may go when the run is over and its results are read.
    """

    state: str | os.PathLike[str]
    results_dir: Path
    is_temporary: bool = False


def given_of(messages: Iterable[object] | None, files: Iterable[FileSource] | None, prompt: str | None) -> Given:
    """The inputs. Raises ``ArgumentError`` unless there is exactly one kind of them, with a prompt where it belongs."""
    if (messages is None) == (files is None):
        raise ArgumentError("Give either messages= or files=, and not both.")
    for name, given in (("messages", messages), ("files", files)):
        single: Any = given
        if isinstance(single, (str, bytes, os.PathLike)) or not (single is None or isinstance(single, Iterable)):
            raise ArgumentError(f"{name} must be a list, got a single {type(single).__name__}: write {name}=[…].")
    for name, given in (("messages", messages), ("files", files)):
        if isinstance(given, (set, frozenset)):
            raise ArgumentError(f"{name} is a set, which has no order that lasts. Give a list: {name}=sorted(…).")
    check_prompt(has_files=files is not None, prompt=prompt)
    return Given(messages, files)


def dollars(max_cost: float | str | Decimal | None) -> Decimal | None:
    """The cap, exact. Raises ``ArgumentError`` for what is no amount of money."""
    if max_cost is None:
        return None
    try:
        amount = Decimal(str(max_cost))
    except InvalidOperation as error:
        raise ArgumentError(f"max_cost must be an amount in dollars, got {max_cost!r}.") from error
    if isinstance(max_cost, bool) or not amount.is_finite() or amount < 0:
        raise ArgumentError(f"max_cost must be an amount in dollars of 0 or more, got {max_cost!r}.")
    return amount


def seconds(max_wait_time: float | timedelta | None) -> float | None:
    """The time in seconds. Raises ``ArgumentError`` for what is no time."""
    if max_wait_time is None:
        return None
    found: Any = max_wait_time.total_seconds() if isinstance(max_wait_time, timedelta) else max_wait_time
    if not isinstance(found, (int, float)) or isinstance(found, bool) or not found >= 0:
        raise ArgumentError(f"max_wait_time must be seconds, or a timedelta, of 0 or more, got {max_wait_time!r}.")
    return float(found)


def places_of(state_path: str | os.PathLike[str] | None, results_dir: str | os.PathLike[str] | None) -> Places:
    """Both places, each beside the other where only one is named; makes a temporary folder where none is."""
    for name, place in (("state_path", state_path), ("results_dir", results_dir)):
        if place is not None and not os.fspath(place):
            raise ArgumentError(f"{name} is empty. Name a place, or leave it out.")
    if results_dir is not None:
        folder = Path(results_dir)
        return Places(folder / _STATE if state_path is None else state_path, folder)
    if state_path is None:
        folder = Path(tempfile.mkdtemp(prefix="batchata-run-"))
        return Places(folder / _STATE, folder / _RESULTS, is_temporary=True)
    if isinstance(state_path, str) and "://" in state_path:
        raise ArgumentError("With the state in a database, results_dir= must say where the outcomes go.")
    path = Path(state_path)
    return Places(state_path, path.with_name(f"{path.stem}-{_RESULTS}"))


def remove_if_over(places: Places) -> None:
    """Remove temporary places, unless the run may be gone on with."""
    state = read_state(places.state)
    if state is None or (state.planned.is_all and not state.live):
        shutil.rmtree(places.results_dir.parent, ignore_errors=True)
    else:
        logger.warning("the run is not over, so its temporary state stays: %s", places.state)
