"""What a store is, and how its values are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter

from batchata.errors import StateError
from batchata.types import JobRecord, Planned, RunInfo, RunState, Totals
from batchata.types.runs import from_ranges, to_ranges

VERSION = 1
"""Of what is stored, in every shape of it."""

T = TypeVar("T")


class Store(Protocol):
    """The memory of one run, with one writer: opening takes a lock."""

    name: str
    """For messages, without a password."""

    def load(self) -> RunState | None:
        """What is stored; ``None`` if nothing is yet."""
        ...

    def create(self, run: RunInfo) -> None:
        """Begin a run. Raises ``StateError`` if there is one already."""
        ...

    def save(self, job: JobRecord, planned: Planned) -> None:
        """One durable step: once it returns, the disk has it; if it raises, what was stored before is whole.

        Saving a job that is over again changes nothing but ``planned``. Raises ``ValueError`` for a job that was
        over and now is not.
        """
        ...

    def close(self) -> None:
        """Release the lock."""
        ...


def encode(value: object) -> dict[str, Any]:
    """A dataclass of ours as plain JSON values: ``Decimal`` as text, times in ISO with their offset."""
    found: dict[str, Any] = _adapters()[type(value)].dump_python(value, mode="json")
    return found


def decode(kind: type[T], raw: object) -> T:
    """The inverse of ``encode``; fields that an older version did not write get their defaults.

    Raises ``ValueError`` for anything else.
    """
    found: T = _adapters()[kind].validate_python(raw)
    return found


def encode_job(job: JobRecord) -> dict[str, Any]:
    """A job as plain JSON values. Its items become ranges, for there may be 100,000."""
    clean = replace(
        job,
        items=(),
        unsent=tuple((index, _storable(reason)) for index, reason in job.unsent),
        message=None if job.message is None else _storable(job.message),
    )
    return encode(clean) | {"items": to_ranges(job.items)}


def decode_job(raw: Mapping[str, Any]) -> JobRecord:
    """The inverse of ``encode_job``. Raises ``ValueError`` for anything else."""
    items = raw.get("items")
    if not isinstance(items, str):
        raise ValueError("a job in it has no items")  # noqa: TRY004  # wrong data, not a wrong argument
    return decode(JobRecord, {**raw, "items": from_ranges(items)})


def foreign(name: str, reason: object) -> StateError:
    """What to raise for data that no version of ours left there like this."""
    return StateError(
        f"{name!r} holds no state as this library writes it, and is left as it is: {reason}. Put back what was there, "
        f"or name another place for the state."
    )


def check_version(name: str, version: object) -> None:
    """Raises ``StateError`` for a state that this version of the library cannot read."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise foreign(name, "it names no version")
    if version > VERSION:
        raise StateError(
            f"The state in {name!r} is of version {version}, this library reads up to {VERSION}, and leaves it as it "
            f"is. Install a newer batchata to go on with it."
        )


def exists(name: str) -> StateError:
    """What to raise where a run would be begun over another."""
    return StateError(f"{name!r} already holds a run. Take it up again, or name another place for the state.")


def missing(name: str) -> StateError:
    """What to raise where a job would be saved into no run."""
    return StateError(f"{name!r} holds no run. Begin one before a job is saved.")


@cache
def _adapters() -> dict[type, TypeAdapter[Any]]:
    return {kind: TypeAdapter(kind) for kind in (JobRecord, Planned, RunInfo, Totals)}


def _storable(text: str) -> str:
    """Free text as every store takes it: file names can hold bytes that are no Unicode; PostgreSQL takes no NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
