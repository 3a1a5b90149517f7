"""What came of a job, onto the disk: one entry an item, then the job is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from batchata.providers import Provider
from batchata.results import ResultsDir
from batchata.runner.collect import Reader
from batchata.runner.prepare import Preparer
from batchata.runner.task import Item, Task
from batchata.types import BatchResult, Failed, JobRecord, JobStatus, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Settler:
    """Turns the outcomes of a run's jobs into entries on disk."""

    provider: Provider
    task: Task
    preparer: Preparer
    results: ResultsDir

    def settle(
        self,
        record: JobRecord,
        items: Sequence[Item],
        digests: Mapping[int, str],
        outcomes: Mapping[int, Outcome],
        priced_at: datetime | None,
    ) -> JobRecord:
        """Write the job's entries and return it as over; items without an outcome are ``missing``.

        Raises ``ResultsError`` if the disk refuses: the outcomes can be fetched again.
        """
        reader = Reader(self.provider, self.task, preparer=self.preparer, fingerprints=digests, priced_at=priced_at)
        unsent = dict(record.unsent)
        entries = [
            reader.entry(
                item, _unreadable(unsent[item.index]) if item.index in unsent else outcomes.get(item.index)
            )
            for item in items
        ]
        kept = self.results.write_job(record.number, record.items, entries, digests, reader.answers)
        return over(record, kept)

    def settle_from_disk(self, record: JobRecord) -> JobRecord:
        """The job as over, from the entries that an earlier process wrote just before it died."""
        return over(record, self.results.read_job(record.number, self.task.response_model))


def over(record: JobRecord, entries: Sequence[BatchResult[Any]]) -> JobRecord:
    """The job in its last status, with its sums."""
    failed = sum(entry["error"] is not None for entry in entries)
    known = [entry["cost_usd"] for entry in entries if entry["cost_usd"] is not None]
    return record.moved(
        JobStatus.COLLECTED,
        completed=len(entries) - failed,
        failed=failed,
        cost_usd=sum(known, Decimal(0)),
        unknown_costs=len(entries) - len(known),
        cost_is_estimate=any(entry["cost_is_estimate"] for entry in entries),
    )


def _unreadable(words: str) -> Failed:
    return Failed("", Reason.UNREADABLE, words)
