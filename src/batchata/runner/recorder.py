"""What an answer of the provider's means for a job: its next step, saved before anything else is done."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping

from batchata.runner.answers import Fetched
from batchata.runner.live import Answer, Live, job_id_of
from batchata.runner.settle import Settler
from batchata.runner.starting import Progress
from batchata.runner.submit import Submitted
from batchata.store import Store
from batchata.types import Failed, JobRecord, JobSnapshot, JobState, JobStatus, Outcome, Reason

logger = logging.getLogger(__name__)


class Recorder:
    """Moves the jobs of a run on.

    Attributes:
        known_ids: jobs at the provider of which is known which they are: this run's, or nothing of this run's.
    """

    def __init__(
        self, *, progress: Progress, store: Store, settler: Settler, on_change: Callable[[], None]
    ) -> None:
        self._progress = progress
        self._store = store
        self._settler = settler
        self._on_change = on_change
        self.known_ids = {
            live.record.provider_job_id
            for live in progress.live.values()
            if live.record.is_proven and live.record.provider_job_id is not None
        }

    def answered(self, live: Live, answer: Answer, now: float) -> JobRecord | None:
        """Take note of an answer; returns the job if it is over now."""
        if answer is not None or live.record.status is not JobStatus.SUBMITTING:
            live.heard(now)
        match answer:
            case Submitted():
                self.accepted(live, answer, now)
            case JobSnapshot():
                return self._checked(live, answer, now)
            case Fetched():
                with contextlib.closing(answer):
                    return self._read(live, answer)
            case Mapping():
                snapshot = answer.get(job_id_of(live))
                if snapshot is not None:
                    return self._checked(live, snapshot, now)
                live.is_alone = True
            case None if live.record.status is JobStatus.SUBMITTING:
                self._not_found(live, now)
            case None:
                live.rest(now)
        return None

    def _not_found(self, live: Live, now: float) -> None:
        """The job may still turn up; else it was looked for and does not exist, so it is sent, or weighed again."""
        live.must_look = now < live.late_until
        live.next_at = max(live.next_at, live.late_until)
        if not live.must_look and live.draft is None:
            self._save(live, live.record.moved(JobStatus.PLANNED))
            del self._progress.live[live.record.number]
            self._progress.waiting.append(live)

    def accepted(self, live: Live, submitted: Submitted, now: float) -> None:
        changes = {
            "provider_job_id": submitted.job_id,
            "rivals": submitted.rivals,
            "is_proven": not submitted.is_adopted,
        }
        self._save(live, live.record.moved(JobStatus.IN_PROGRESS, **changes))
        if not submitted.is_adopted:
            self.known_ids.add(submitted.job_id)
        live.close()
        live.began_at, live.is_new = now, True
        live.rest(now)
        self._on_change()

    def _checked(self, live: Live, snapshot: JobSnapshot, now: float) -> JobRecord | None:
        live.snapshot = snapshot
        if snapshot.state is JobState.ENDED:
            live.record = live.record.moved(JobStatus.ENDED)  # not saved: nothing is lost by asking again
        elif snapshot.state is not JobState.FAILED:
            live.rest(now)
        elif live.record.rivals:
            self.disprove(live)
        elif snapshot.is_crowded_out and len(self._progress.live) > 1:
            self._crowded_out(live)
        else:
            reason = snapshot.message or "no reason given"
            words = f"the job {snapshot.provider_job_id!r} ended without results: {reason}"
            billed = snapshot.is_billed
            return self.fail_all(live, Failed("", Reason.ERRORED, words, retryable=True, is_billed=billed))
        return None

    def _crowded_out(self, live: Live) -> None:
        """Send the job again when one of those beside it is over, and no more at a time from now on."""
        logger.warning(
            "the provider has no room for more than %d jobs of this size now; the others wait",
            len(self._progress.live) - 1,
        )
        self._progress.room = len(self._progress.live) - 1
        if live.record.provider_job_id is not None:
            live.others.add(live.record.provider_job_id)
        changes = {"provider_job_id": None, "rivals": (), "is_proven": True}
        self._save(live, live.record.moved(JobStatus.PLANNED, **changes))
        del self._progress.live[live.record.number]
        self._progress.waiting.append(live)

    def fail_all(self, live: Live, failed: Failed) -> JobRecord:
        """The job is over, and every item of it failed."""
        status = JobStatus.PLANNED if live.record.status is JobStatus.SUBMITTING else JobStatus.ENDED
        live.record = live.record.moved(status)
        return self.settle(live, ((index, failed) for index in live.record.items))

    def _read(self, live: Live, fetched: Fetched) -> JobRecord | None:
        if not live.record.is_proven:
            first, check = self._settler.look(live, fetched)
            if first is None and check.strangers:
                if not check.kin and live.record.provider_job_id is not None:
                    self.known_ids.add(live.record.provider_job_id)  # no job of this run needs to look at it again
                self.disprove(live)
                return None
        return self._over(live, self._settler.settle_fetched(live, fetched))

    def settle(self, live: Live, answers: Iterable[tuple[int, Outcome]] = ()) -> JobRecord:
        """The job is over, with these outcomes by item; those that have none are missing."""
        return self._over(live, self._settler.settle(live, answers))

    def _over(self, live: Live, record: JobRecord) -> JobRecord:
        self._save(live, record)
        self._progress.totals = self._progress.totals.plus(live.record)
        live.close()
        del self._progress.live[live.record.number]
        self._on_change()
        return live.record

    def disprove(self, live: Live) -> None:
        """What was taken for the job is another: go on with the next that may be it, or look anew."""
        record = live.record
        if record.provider_job_id is not None:
            live.others.add(record.provider_job_id)
        live.snapshot, live.next_at = None, 0.0
        submitting = record.moved(JobStatus.PLANNED, provider_job_id=None, rivals=(), is_proven=True).moved(
            JobStatus.SUBMITTING
        )
        if record.rivals:
            first, *rest = record.rivals
            changes = {"provider_job_id": first, "rivals": tuple(rest), "is_proven": False}
            self._save(live, submitting.moved(JobStatus.IN_PROGRESS, **changes))
            return
        self._save(live, submitting)
        live.must_look = True

    def put_off(self, live: Live, status: JobStatus, message: str | None = None) -> None:
        """Keep a job that surely does not exist at the provider, to be sent by another process."""
        self._save(live, live.record.moved(status, message=message))
        self.set_aside(live)

    def set_aside(self, live: Live) -> None:
        """Leave a job to another process, as the store has it."""
        live.close()
        self._progress.aside[live.record.number] = self._progress.live.pop(live.record.number).record
        self._on_change()

    def _save(self, live: Live, record: JobRecord) -> None:
        self._store.save(record, self._progress.planned)
        live.record = record
