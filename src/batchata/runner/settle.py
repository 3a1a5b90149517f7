"""What came of a job, onto the disk: one entry an item, then the job is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from batchata import results
from batchata.providers import Provider
from batchata.results import ResultsDir
from batchata.runner.answers import CheckOff, Fetched
from batchata.runner.collect import Reader
from batchata.runner.live import Live
from batchata.runner.prepare import Preparer
from batchata.runner.task import Task
from batchata.types import BatchResult, Failed, JobRecord, JobStatus, Outcome, Reason


@dataclass(slots=True)
class Settler:
    """Turns the outcomes of a run's jobs into entries on disk.

    Attributes:
        on_entry: gets each entry of a job as it is written; it counts once the job is over.
    """

    provider: Provider
    task: Task
    preparer: Preparer
    results: ResultsDir
    on_entry: Callable[[BatchResult[Any]], None] = lambda _: None

    def look(self, live: Live, fetched: Fetched) -> tuple[object | None, CheckOff]:
        """The first line that answers this very job, if there is one; and what the lines before it are."""
        check = CheckOff(self.provider, self.results.run_id, live.record.number)
        return next(check.answers(fetched), None), check

    def settle_fetched(self, live: Live, fetched: Fetched) -> JobRecord:
        """As ``settle``, with the answers that the lines hold; they are kept as they came, too."""
        number, raw = live.record.number, self.results.raw
        filing = _Filing(self, live)
        check = CheckOff(self.provider, self.results.run_id, number)
        for _, index, outcome, _ in check.answers(fetched):
            filing.put(index, outcome)
        if raw is not None:
            if check.left_out:
                fetched.lines.leave_out(check.left_out)
            results.write_raw_lines(raw, number, fetched.lines)
        return filing.over()

    def settle(self, live: Live, answers: Iterable[tuple[int, Outcome]]) -> JobRecord:
        """Write the job's entries and return it as over; items without an outcome are ``missing``.

        Raises ``ResultsError`` if the disk refuses: the outcomes can be fetched again.
        """
        filing = _Filing(self, live)
        for index, outcome in answers:
            filing.put(index, outcome)
        return filing.over()

    def settle_from_disk(self, record: JobRecord) -> JobRecord:
        """The job as over, from the entries that an earlier process wrote just before it died."""
        sums = _Sums()
        for entry in self.results.read_job(record.number, self.task.response_model):
            sums.add(entry)
        return sums.over(record)


class _Filing:
    """One job's entries: taken as they come, kept as the lines that they will be, and written in order."""

    def __init__(self, settler: Settler, live: Live) -> None:
        self._settler = settler
        self._record = live.record
        self._digests = live.digests
        self._items = {item.index: item for item in live.items}
        self._lines: dict[int, bytes] = {}
        self._sums = _Sums()
        self._reader = Reader(
            settler.provider,
            settler.task,
            preparer=settler.preparer,
            fingerprints=live.digests,
            priced_at=None if live.snapshot is None else live.snapshot.created_at,
        )
        for index, words in live.record.unsent:
            self.put(index, Failed("", Reason.UNREADABLE, words))

    def put(self, index: int, outcome: Outcome | None) -> None:
        """Take the first outcome of each item of the job."""
        item = self._items.get(index)
        if item is None or index in self._lines:
            return
        entry, answer = self._reader.read(item, outcome)
        entry, self._lines[index] = results.kept(entry, self._digests.get(index), answer)
        self._sums.add(entry)
        self._settler.on_entry(entry)

    def over(self) -> JobRecord:
        """Write them down."""
        for index in self._record.items:
            if index not in self._lines:
                self.put(index, None)
        lines = [self._lines[index] for index in self._record.items]
        self._settler.results.write_job(self._record.number, self._record.items, lines)
        return self._sums.over(self._record)


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
