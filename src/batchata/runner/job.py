"""One job from its submission to its entries: what a handle holds, without its public face."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchata import progress
from batchata.errors import JobFailedError, SubmissionInDoubtError
from batchata.providers import Provider
from batchata.runner.collect import Checked, Reader, check_off
from batchata.runner.poll import OVER, wait_for_end
from batchata.runner.prepare import Preparer
from batchata.runner.submit import Submitted
from batchata.runner.task import Item, Task
from batchata.types import BatchResult, JobSnapshot, JobState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything about a job that does not change while it runs.

    Attributes:
        items: the inputs, where they are known (an attached job may not know them).
        preparer: reads the inputs' documents again, to check citations; ``None`` without the inputs.
        fingerprints: by item index, what the documents were when they were sent.
        run_id: whose answers count; ``None`` takes the run that the answers name.
        raw_dir: where raw answers go.
    """

    provider: Provider
    task: Task
    items: tuple[Item, ...] | None
    preparer: Preparer | None = None
    fingerprints: Mapping[int, str] = field(default_factory=dict)
    run_id: str | None = None
    raw_dir: Path | None = None


class RunningJob:
    """A job at a provider: asked for its state, waited for, collected once."""

    def __init__(self, context: Context, submitted: Submitted) -> None:
        self.context = context
        self.job_id = submitted.job_id
        self.snapshot: JobSnapshot | None = None
        self.entries: list[BatchResult[Any]] | None = None
        if context.items == ():
            self.snapshot, self.entries = JobSnapshot(self.job_id, JobState.ENDED), []
        self.service_tier: str | None = None
        self._rivals = list(submitted.rivals)
        self._is_proven = not submitted.is_adopted

    def check(self) -> JobSnapshot:
        """Ask the provider, unless the job is known to be over."""
        if self.snapshot is None or self.snapshot.state not in OVER:
            self.snapshot = self.context.provider.check(self.job_id)
        return self.snapshot

    def is_over(self) -> bool:
        """Ask the provider whether results can be read."""
        return self.check().state in OVER

    def wait(self, timeout: float | None) -> None:
        """Block until the job is over, with a display where somebody is looking."""
        if self.snapshot is not None and self.snapshot.state in OVER:
            return
        provider = self.context.provider
        with progress.show(counts_live=provider.limits.counts_live) as display:
            self.snapshot = wait_for_end(provider, self.job_id, timeout=timeout, on_snapshot=display.update)

    def collect(self, timeout: float | None) -> list[BatchResult[Any]]:
        """Wait, read the answers once, and keep the entries: one an input, in input order."""
        while self.entries is None:
            self.wait(timeout)
            checked = self._read()
            if checked is not None:
                self.entries = self._entries(checked)
        return self.entries

    def _read(self) -> Checked | None:
        """The checked answers; ``None`` when this job proved to be somebody else's and a rival is next."""
        context, snapshot = self.context, self.check()
        if snapshot.state is JobState.FAILED:
            raise JobFailedError(
                f"The job {self.job_id!r} ended at {context.provider.name} without results: "
                f"{snapshot.message or 'no reason given'}."
            )
        checked = self._fetch()
        if self._is_proven and self._is_short(checked):
            logger.warning("answers of %s are missing; reading its results once more", self.job_id)
            checked = self._fetch()
        if checked.outcomes or self._is_proven:
            return checked
        if not self._rivals:
            raise SubmissionInDoubtError(
                f"The submission got no clear answer, and {self.job_id!r}, which might have been it, holds other "
                f"requests. Nothing of this run is at {context.provider.name}: call batch() again.",
                provider=context.provider.name,
            )
        self.job_id, self.snapshot = self._rivals.pop(0), None
        return None

    def _fetch(self) -> Checked:
        context = self.context
        return check_off(context.provider, context.provider.fetch(self.job_id), context.run_id, context.raw_dir)

    def _is_short(self, checked: Checked) -> bool:
        items = self.context.items
        return items is not None and len(checked.outcomes) < len(items)

    def _entries(self, checked: Checked) -> list[BatchResult[Any]]:
        context, snapshot = self.context, self.check()
        reader = Reader(
            context.provider,
            context.task,
            preparer=context.preparer,
            fingerprints=context.fingerprints,
            priced_at=snapshot.created_at,
        )
        tiers = [outcome.usage.service_tier for outcome in checked.outcomes.values() if outcome.usage is not None]
        self.service_tier = next((tier for tier in tiers if tier is not None), None)
        return [reader.entry(item, checked.outcomes.get(item.index)) for item in self._items(checked)]

    def _items(self, checked: Checked) -> Sequence[Item]:
        if self.context.items is not None:
            return self.context.items
        counts = self.check().counts
        known = 0 if counts is None else counts.total
        return [Item(index) for index in range(max([known, *(index + 1 for index in checked.outcomes)]))]
