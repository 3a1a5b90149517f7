"""The loop of a run: one thread that starts, checks, collects and records; a pool only overlaps the calls."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from threading import Event

from batchata.errors import NotReadyError, ProviderError, StateError, SubmissionInDoubtError
from batchata.runner.live import Answer, Calls, Live
from batchata.runner.recorder import Recorder
from batchata.runner.starting import Progress, Starter
from batchata.runner.submit import Submitted, backoff_seconds, late_seconds
from batchata.types import Failed, JobRecord, JobStatus, Reason

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 3600.0
"""How long the provider may be out of reach before the run stops; what is in flight is not touched by that."""
_CHECKED_TOGETHER = 4
"""So many jobs are checked by one call, where the provider can."""
_LAST_WORDS_SECONDS = 3.0
"""How long the answers to submissions are waited for without a word when the run is broken off."""
_TOO_LARGE = 413
_LONGEST_WAIT_SECONDS = 1.0
"""So that a wish to cancel, from another thread, is heard."""


class Loop:
    """Works on a run until nothing is left to do.

    Args:
        deadline: in the time of ``clock``; past it the run is left as it is.
        canceled: set by another thread to have the jobs in flight canceled, and no more started.
        on_change: called after whatever a looker-on might want to see.
    """

    def __init__(
        self,
        *,
        progress: Progress,
        starter: Starter,
        recorder: Recorder,
        calls: Calls,
        pool: Executor,
        max_parallel_jobs: int,
        deadline: float | None,
        canceled: Event,
        on_change: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._progress = progress
        self._starter = starter
        self._recorder = recorder
        self._calls = calls
        self._pool = pool
        self._max_parallel_jobs = max_parallel_jobs
        self._deadline = deadline
        self._canceled = canceled
        self._on_change = on_change
        self._clock = clock
        self._sleep = sleep
        self._start_at = 0.0
        self._started_at = clock()
        self._start_failures = 0
        self._trouble: ProviderError | None = None
        self._were_canceled: set[int] = set()

    def steps(self) -> Iterator[JobRecord]:
        """Every job, as it is over. Raises what stops the run; everything is saved by then."""
        live = self._progress.live
        try:
            while True:
                yield from self._start()
                if not live and not (self._start_failures and self._may_start()):
                    break
                self._ask()
                self._wait()
                yield from self._heed()
        finally:
            self._part()
        if self._trouble is not None:
            raise self._trouble

    def _may_start(self) -> bool:
        """Whether a job may be started; none is while one waits to be taken by the provider."""
        live = self._progress.live
        return (
            self._trouble is None
            and not self._canceled.is_set()
            and len(live) < min(self._max_parallel_jobs, self._progress.room or self._max_parallel_jobs)
            and not any(each.failures and each.record.status is JobStatus.SUBMITTING for each in live.values())
        )

    def _start(self) -> Iterator[JobRecord]:
        """As many jobs as may be in flight; those without anything to send are over at once."""
        while self._may_start():
            started = self._started()
            if started is None:
                return
            self._on_change()
            if started.record.status is JobStatus.PLANNED:
                yield self._recorder.settle(started)
            else:
                self._ask()

    def _started(self) -> Live | None:
        """The next job; ``None`` if none can start now, also because its tokens cannot be counted for the moment."""
        now = self._clock()
        if now < self._start_at:
            return None
        try:
            live = self._starter.start(now)
        except ProviderError as error:
            self._start_failures += 1
            self._start_at = now + backoff_seconds(self._start_failures, error.retry_after)
            if not error.retryable or now - self._started_at > _PATIENCE_SECONDS:
                raise
            logger.warning("%s", error)
            return None
        self._started_at, self._start_failures = now, 0
        return live

    def _ask(self) -> None:
        """Put the question that is due to each job that none is asked about."""
        now = self._clock()
        if self._deadline is not None and now >= self._deadline:
            raise NotReadyError(
                "The run did not end within max_wait_time. Its jobs go on at the provider, and run() goes on with them."
            )
        idle = [live for live in self._progress.live.values() if live.call is None]
        if self._canceled.is_set():
            idle = [live for live in idle if not self._give_up(live)]
        running = [live for live in idle if live.record.status is JobStatus.IN_PROGRESS and not live.is_alone]
        if len(running) >= _CHECKED_TOGETHER and any(live.next_at <= now for live in running):
            # One call for all: those that are not due yet will not have to be asked about so soon.
            together = self._pool.submit(self._calls.check_all(running))
            for live in running:
                live.call = together
        for live in idle:
            if live.call is None and live.next_at <= now:
                if not live.record.is_proven and live.record.provider_job_id in self._recorder.known_ids:
                    self._recorder.disprove(live)
                live.call = self._pool.submit(self._calls.next(live, self._recorder.known_ids))

    def _give_up(self, live: Live) -> bool:
        """Have a job canceled, if it can be told to be ours; whether there is nothing more to ask now."""
        record = live.record
        if record.status is JobStatus.SUBMITTING and not live.must_look:
            self._recorder.put_off(live, JobStatus.PLANNED)
            return True
        if record.status is JobStatus.SUBMITTING or not record.is_proven:
            self._recorder.set_aside(live)  # it may be somebody else's, or not exist
            return True
        if record.status is JobStatus.IN_PROGRESS and record.number not in self._were_canceled:
            self._were_canceled.add(record.number)
            live.call = self._pool.submit(self._calls.cancel, live)
            return True
        return False

    def _wait(self) -> None:
        """Until an answer is there, or a question is due."""
        live = self._progress.live.values()
        now = self._clock()
        due = [each.next_at for each in live if each.call is None]
        if self._deadline is not None:
            due.append(self._deadline)
        if self._start_failures and self._may_start():
            due.append(self._start_at)
        seconds = min([_LONGEST_WAIT_SECONDS, *(max(0.0, at - now) for at in due)])
        asked: list[Future[Answer]] = [each.call for each in live if each.call is not None]
        if asked:
            wait(asked, timeout=seconds, return_when=FIRST_COMPLETED)
        else:
            self._sleep(seconds)

    def _heed(self) -> Iterator[JobRecord]:
        """Take note of the answers that are there; the jobs that are over now."""
        for live in list(self._progress.live.values()):
            call = live.call
            if call is None or not call.done():
                continue
            live.call = None
            try:
                answer = call.result()
            except ProviderError as error:
                record = self._failed(live, error, self._clock())
            else:
                record = self._recorder.answered(live, answer, self._clock())
            if record is not None:
                yield record

    def _failed(self, live: Live, error: ProviderError, now: float) -> JobRecord | None:
        """A call failed: try again later, or leave the job as it is, and stop once the others are over."""
        logger.warning("%s", error)
        live.failed(error, now)
        has_patience = now - live.heard_at <= _PATIENCE_SECONDS
        is_submitting = live.record.status is JobStatus.SUBMITTING
        if is_submitting and not isinstance(error, SubmissionInDoubtError):
            if error.retryable and (has_patience or len(self._progress.live) > 1):
                return None
            if error.status_code == _TOO_LARGE:
                # For what stands before the provider; its items may go into smaller jobs.
                return self._recorder.fail_all(live, Failed("", Reason.ERRORED, str(error), retryable=True))
            self._recorder.put_off(live, JobStatus.REJECTED, str(error))
            self._trouble = self._trouble or error
            return None
        if is_submitting and not live.must_look:
            live.must_look, live.late_until = True, now + late_seconds(error)
        if not (live.is_patient_with(error, now) and has_patience):
            self._recorder.set_aside(live)
            self._trouble = self._trouble or error
        return None

    def _part(self) -> None:
        """Before the run is left: write down which submissions were accepted after all."""
        sent = {
            live.call: live
            for live in self._progress.live.values()
            if live.call is not None and live.record.status is JobStatus.SUBMITTING and not live.call.cancel()
        }
        _, unheard = wait(sent, timeout=_LAST_WORDS_SECONDS)
        if unheard:
            logger.warning(
                "Waiting for the answer to %d submissions, so that none is sent twice. Ctrl+C leaves at once.",
                len(unheard),
            )
            wait(unheard)
        for call, live in sent.items():
            if call.exception() is None and isinstance(answer := call.result(), Submitted):
                try:
                    self._recorder.accepted(live, answer, self._clock())
                except StateError as error:  # the next run will look for it
                    logger.warning("%s", error)
        self._starter.close()
        for live in [*self._progress.live.values(), *self._progress.waiting]:
            live.close()
