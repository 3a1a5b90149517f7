"""Waiting for a job's end: politely, and without taking "could not ask" for an answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from batchata.errors import NotReadyError, ProviderError
from batchata.providers import Provider
from batchata.types import JobSnapshot, JobState

logger = logging.getLogger(__name__)

OVER = frozenset({JobState.ENDED, JobState.FAILED})

_FIRST_POLL_SECONDS = 0.25
_LONGEST_POLL_SECONDS = 60.0
_PATIENCE_SECONDS = 600.0
"""How long a provider may be out of reach before waiting gives up; the job itself is not touched by that."""
_YOUNG_SECONDS = 60.0
"""A new job may be unknown to some of the provider's machines for a moment."""
_NOT_FOUND = 404


def poll_seconds(age_seconds: float) -> float:
    """How long to wait before the next check: a tenth of the wait so far, within bounds."""
    return min(_LONGEST_POLL_SECONDS, max(_FIRST_POLL_SECONDS, age_seconds / 10))


def wait_for_end(
    provider: Provider,
    job_id: str,
    *,
    timeout: float | None,
    is_new: bool,
    on_snapshot: Callable[[JobSnapshot], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> JobSnapshot:
    """Check until the job is over. Raises ``NotReadyError`` when ``timeout`` seconds pass first.

    ``is_new``: it was just submitted, so that not being found at first means nothing.
    """
    began = heard = clock()
    while True:
        try:
            snapshot = provider.check(job_id)
        except ProviderError as error:
            young = is_new and error.status_code == _NOT_FOUND and clock() - began < _YOUNG_SECONDS
            if not (error.retryable or young) or clock() - heard > _PATIENCE_SECONDS:
                raise
            logger.warning("%s Waiting goes on.", error)
        else:
            heard = clock()
            on_snapshot(snapshot)
            if snapshot.state in OVER:
                return snapshot
        waited = clock() - began
        if timeout is not None and waited >= timeout:
            raise NotReadyError(
                f"The job {job_id!r} did not end within {timeout:g} seconds. It goes on at {provider.name}: wait "
                f"again, or come back later with BatchJob.attach({job_id!r}, …)."
            )
        pause = poll_seconds(waited)
        sleep(pause if timeout is None else min(pause, max(0.0, timeout - waited)))
