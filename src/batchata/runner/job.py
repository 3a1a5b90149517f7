"""One job from its submission to its entries: what a handle holds, without its public face."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from batchata import progress, results
from batchata.errors import ArgumentError, JobFailedError, ProviderError, SubmissionInDoubtError
from batchata.providers import Provider
from batchata.runner.answers import Checked, read_answers
from batchata.runner.collect import Reader
from batchata.runner.poll import OVER, wait_for_end
from batchata.runner.prepare import Preparer
from batchata.runner.submit import Submitted
from batchata.runner.task import Item, Task
from batchata.types import BatchResult, JobSnapshot, JobState


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
    """A job at a provider: asked for its state, waited for, collected once. Safe to use from several threads."""

    def __init__(self, context: Context, submitted: Submitted) -> None:
        self.context = context
        self.job_id = submitted.job_id
        self.snapshot: JobSnapshot | None = None
        self.entries: list[BatchResult[Any]] | None = None
        self.service_tier: str | None = None
        self._rivals = list(submitted.rivals)
        self._is_proven = not submitted.is_adopted
        self._reading = threading.Lock()
        if context.items == ():
            self.snapshot, self.entries = JobSnapshot(self.job_id, JobState.ENDED), []

    @property
    def public_id(self) -> str:
        """The provider's id; with our run's id behind it while it is not proven that the job is ours."""
        return self.job_id if self._is_proven else f"{self.job_id}#{self.context.run_id}"

    def check(self) -> JobSnapshot:
        """Ask the provider, unless the job is known to be over."""
        snapshot = self.snapshot
        if snapshot is None or snapshot.state not in OVER:
            snapshot = self.snapshot = self.context.provider.check(self.job_id)
        return snapshot

    def is_over(self) -> bool:
        """Ask whether results can be read."""
        return self.check().state in OVER

    def cancel(self) -> None:
        """Ask for the job's end, if it is ours and not over."""
        provider = self.context.provider
        if self.check().state in OVER:
            return
        if not self._is_proven:
            raise SubmissionInDoubtError(
                f"The job {self.job_id!r} may be somebody else's: the answer to its submission was lost, and only its "
                f"results can tell. It is not canceled.",
                provider=provider.name,
            )
        try:
            provider.cancel(self.job_id)
        except ProviderError:
            if self.check().state not in OVER:  # it may have ended meanwhile
                raise

    def wait(self, timeout: float | None) -> None:
        """Block until the job is over, with a display where somebody is looking."""
        if self.snapshot is not None and self.snapshot.state in OVER:
            return
        provider = self.context.provider
        with progress.show(counts_live=provider.limits.counts_live) as display:
            self.snapshot = wait_for_end(
                provider,
                self.job_id,
                timeout=timeout,
                on_snapshot=display.update,
                is_new=self.context.run_id is not None,
            )

    def collect(self, timeout: float | None) -> list[BatchResult[Any]]:
        """Wait, read the answers once, and keep the entries: one an input, in input order."""
        while self.entries is None:
            self.wait(timeout)
            with self._reading:
                if self.entries is None:
                    checked = self._read()
                    self.entries = None if checked is None else self._entries(checked)
        return self.entries

    def _read(self) -> Checked | None:
        """The checked answers; ``None`` when this job proved to be somebody else's and a rival is next."""
        if self.check().state is JobState.FAILED:
            self._failed()
            return None
        context, counts = self.context, self.check().counts
        expected = len(context.items or ()) if counts is None else counts.total
        keep: results.Keep = (
            (lambda *_: None) if context.raw_dir is None else partial(results.write_raw, context.raw_dir)
        )
        checked = read_answers(context.provider, self.job_id, expected, context.run_id, keep)
        if checked.outcomes:
            self._is_proven = True
        elif not self._is_proven and checked.strangers:
            self._follow_next_rival()
            return None
        elif checked.strangers and self.context.run_id is None:
            raise JobFailedError(
                f"The job {self.job_id!r} holds {checked.strangers:,} answers, and none to a request of this "
                f"library's making: their order cannot be known."
            )
        return checked

    def _failed(self) -> None:
        if not self._is_proven and self._rivals:
            self._follow_next_rival()
            return
        reason = self.check().message or "no reason given"
        raise JobFailedError(
            f"The job {self.job_id!r} ended at {self.context.provider.name} without results: {reason}."
        )

    def _follow_next_rival(self) -> None:
        if not self._rivals:
            raise SubmissionInDoubtError(
                f"The submission got no clear answer, and {self.job_id!r}, which might have been it, holds other "
                f"requests. No other job was found at {self.context.provider.name}: call batch() again.",
                provider=self.context.provider.name,
            )
        self.job_id, self.snapshot = self._rivals.pop(0), None

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
        return [
            reader.read(item, checked.outcomes.get(item.index))[0] for item in _items(context, snapshot, checked)
        ]


def _items(context: Context, snapshot: JobSnapshot, checked: Checked) -> Sequence[Item]:
    """The inputs; for an attached job that was not given them, as many as it was asked."""
    asked = max([snapshot.counts.total if snapshot.counts else 0, *(index + 1 for index in checked.outcomes)])
    if context.items is None:
        return [Item(index) for index in range(asked)]
    if len(context.items) < asked or (snapshot.counts is not None and len(context.items) > asked):
        raise ArgumentError(
            f"The job {snapshot.provider_job_id!r} was asked {asked:,} inputs, and {len(context.items):,} were given: "
            f"give the same messages= or files= as to batch(), or none."
        )
    return context.items
