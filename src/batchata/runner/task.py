"""What is asked, of which inputs, and under which ids."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from batchata import costs, documents
from batchata.types import CitationMode

if TYPE_CHECKING:
    from pydantic import BaseModel

FileSource: TypeAlias = str | os.PathLike[str] | bytes
ExampleInput: TypeAlias = FileSource | Sequence[Mapping[str, object]]
ExampleOutput: TypeAlias = "str | Mapping[str, object] | BaseModel"
WorkedExample: TypeAlias = tuple[ExampleInput, ExampleOutput]


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class Item:
    """One input: a file, or a conversation."""

    index: int
    file: FileSource | None = None
    conversation: object = None

    @property
    def name(self) -> str | None:
        """The file's name, for the user; ``None`` for bytes and conversations."""
        return None if self.file is None else documents.file_name(self.file)

    @property
    def source(self) -> str | None:
        """Where the file can be read again: an absolute path, or an address; ``None`` for bytes and conversations."""
        if self.file is None or isinstance(self.file, bytes):
            return None
        place = os.fspath(self.file)
        if "://" not in place:
            return os.path.abspath(place)  # noqa: PTH100  # without following links
        return re.sub(r"(?<=://)[^/@]*@", "", place)  # a name and a password are nobody else's business


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of every item.

    ``citations`` is ``None`` without citations, and never ``AUTO`` once the provider is known.
    """

    model: str
    prompt: str | None = None
    response_model: type[BaseModel] | None = None
    citations: CitationMode | None = None
    max_tokens: int = 4096
    temperature: float | None = None
    examples: tuple[WorkedExample, ...] = ()
    prices: costs.Prices | None = None


_CUSTOM_ID = re.compile(r"bt[0-9a-f]{12}-[0-9]+-[0-9]+")


def new_run_id() -> str:
    """An id that no other run has."""
    return f"bt{secrets.token_hex(6)}"


def custom_id(run_id: str, job: int, index: int) -> str:
    """The proof that a request is ours, and the way back to its input: run, job and item."""
    return f"{run_id}-{job}-{index}"


def parse_custom_id(text: str) -> tuple[str, int, int] | None:
    """Run, job and item's index; ``None`` for an id that this library did not make."""
    if _CUSTOM_ID.fullmatch(text) is None:
        return None
    run, job, index = text.split("-")
    return run, int(job), int(index)
