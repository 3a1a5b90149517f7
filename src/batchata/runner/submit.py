"""Creating a job exactly once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from batchata.errors import ProviderError, SubmissionInDoubtError
from batchata.providers import Provider
from batchata.providers.spool import new_spool, read_lines
from batchata.types import JobSnapshot

logger = logging.getLogger(__name__)

_SUBMIT_ATTEMPTS = 8
_LOOK_AFTER_SECONDS = (0.5, 3.0)
"""When to look for a job whose creation got no clear answer: at once, and once it had time to show."""

_LONGEST_BACKOFF_SECONDS = 60.0

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job at the provider.

    Attributes:
        job_id: the provider's id.
        rivals: other jobs that may be ours instead, when the provider's answer was lost; only the custom_ids in
            the results can tell.
        is_adopted: the job was found afterwards; its results must still prove that it is ours.
    """

    job_id: str
    rivals: tuple[str, ...] = ()
    is_adopted: bool = False


def submit(provider: Provider, lines: Iterable[bytes], tag: str, *, sleep: Sleep = time.sleep) -> Submitted:
    """Create one job and never a second: what is in doubt is looked for before anything is sent again."""
    with new_spool() as spool:
        count = 0
        for line in lines:
            spool.write(line + b"\n")
            count += 1
        for attempt in range(_SUBMIT_ATTEMPTS):
            since = datetime.now(UTC)
            try:
                spool.seek(0)
                return Submitted(provider.submit(read_lines(spool), tag=tag))
            except SubmissionInDoubtError as doubt:
                logger.warning("%s Looking for it.", doubt)
                found = _look(provider, tag, since, count, sleep)
                if found:
                    ids = [job.provider_job_id for job in found]
                    return Submitted(ids[0], tuple(ids[1:]), is_adopted=True)
                failure: ProviderError = doubt
            except ProviderError as error:
                if not error.retryable:
                    raise
                logger.warning("%s Trying again.", error)
                failure = error
            sleep(_backoff(attempt, failure.retry_after))
        raise failure


def _look(provider: Provider, tag: str, since: datetime, count: int, sleep: Sleep) -> list[JobSnapshot]:
    for seconds in _LOOK_AFTER_SECONDS:
        sleep(seconds)
        found = provider.find(tag, since, count)
        if found:
            return list(found)
    return []


def _backoff(attempt: int, retry_after: float | None) -> float:
    return min(_LONGEST_BACKOFF_SECONDS, 0.5 * 2**attempt if retry_after is None else retry_after)
