"""What a report is made of, gathered by the runner."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from batchata.types import BatchResult, Document


@dataclass(frozen=True, slots=True)
class Run:
    """What was run, as far as it is known.

    Attributes:
        title: what the report is called.
        facts: label and text of what the overview says of the run, in order.
        billed: dollars of all tries of all items, as far as known; ``None`` where only the last tries are known.
        billed_is_least: whether the cost of some tries is not known.
        remarks: what holds for the whole report, and a careful reader should know.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    billed: Decimal | None = None
    billed_is_least: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One item.

    Attributes:
        entry: what came of it.
        leaves: path and value of every leaf of its result.
        documents: what its citations point into, as far as it is at hand and what it was.
        remarks: why a document is not there.
    """

    entry: BatchResult[Any]
    leaves: tuple[tuple[str, object], ...] = ()
    documents: tuple[Document, ...] = ()
    remarks: tuple[str, ...] = ()
