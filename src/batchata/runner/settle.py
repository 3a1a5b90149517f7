"""What came of a job, onto the disk: one entry an item, then the job is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from batchata import results
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
        sums = _Sums()

        def filed() -> Iterator[results.Filed]:
            for item in items:
                index = item.index
                outcome = _unreadable(unsent[index]) if index in unsent else outcomes.get(index)
                entry, answer = reader.read(item, outcome)
                filed = results.kept(entry, digests.get(index), answer)
                sums.add(filed[0])
                yield filed

        self.results.write_job(record.number, record.items, filed())
        return sums.over(record)

    def settle_from_disk(self, record: JobRecord) -> JobRecord:
        """The job as over, from the entries that an earlier process wrote just before it died."""
        sums = _Sums()
        for entry in self.results.read_job(record.number, self.task.response_model):
            sums.add(entry)
        return sums.over(record)


@dataclass(slots=True)
class _Sums:
    """What the entries of a job come to."""

    completed: int = 0
    failed: int = 0
    cost_usd: Decimal = Decimal(0)
    unknown_costs: int = 0
    cost_is_estimate: bool = False

    def add(self, entry: BatchResult[Any]) -> None:
        if entry["error"] is None:
            self.completed += 1
        else:
            self.failed += 1
        cost = entry["cost_usd"]
        if cost is None:
            self.unknown_costs += 1
        else:
            self.cost_usd += cost
        self.cost_is_estimate |= entry["cost_is_estimate"]

    def over(self, record: JobRecord) -> JobRecord:
        """The job in its last status."""
        return record.moved(JobStatus.COLLECTED, **asdict(self))


def _unreadable(words: str) -> Failed:
    return Failed("", Reason.UNREADABLE, words)
