"""Why items failed, and which of them are worth another try."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from batchata.cli.out import counted
from batchata.results.load import failed_items
from batchata.types import ErrorInfo


@dataclass(frozen=True, slots=True)
class Failures:
    """The failures in a run's folder.

    Attributes:
        total: the items that have no result.
        retryable: of these, the ones that the same request may succeed for.
        by_reason: how many, and the first of them.
    """

    total: int
    retryable: int
    by_reason: dict[str, tuple[int, ErrorInfo]]

    @classmethod
    def read(cls, folder: Path) -> Failures:
        """Raises ``ResultsError``."""
        total = retryable = 0
        by_reason: dict[str, tuple[int, ErrorInfo]] = {}
        for _, error in failed_items(folder):
            total += 1
            retryable += error["retryable"]
            count, first = by_reason.get(error["reason"], (0, error))
            by_reason[error["reason"]] = (count + 1, first)
        return cls(total, retryable, by_reason)

    def lines(self, run: str) -> Iterator[str]:
        """What failed, and the way out, for people."""
        for reason, (count, first) in self.by_reason.items():
            example = "" if count == 1 else ", such as"
            yield f"  {count:,} {reason}{example}: {first['message']}"
        if self.retryable:
            yield f"Ask again for {counted(self.retryable, 'item')}: batchata retry {run}"
        if self.total > self.retryable:
            yield f"Once you mended what is wrong: batchata retry {run} --everything"
