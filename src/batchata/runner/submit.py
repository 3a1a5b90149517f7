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

logger = logging.getLogger(__name__)

_SUBMIT_ATTEMPTS = 8
_LOOK_AFTER_SECONDS = (0.5, 3.0)
"""When to look for a job whose creation got no clear answer: at once, and once it had time to show."""

_LONGEST_BACKOFF_SECONDS = 60.0
_LONGEST_RETRY_AFTER_SECONDS = 600.0

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
    """Create one job and never a second: what is in doubt is looked for before anything is sent again.

    Raises ``ProviderError`` for a clear refusal, and ``SubmissionInDoubtError`` if any attempt may have made a job
    that could not be looked for.
    """
    since = datetime.now(UTC)
    with new_spool() as spool:
        count = 0
        for line in lines:
            spool.write(line + b"\n")
            count += 1
        for attempt in range(1, _SUBMIT_ATTEMPTS + 1):
            try:
                return Submitted(provider.submit(read_lines(spool), tag=tag))
            except SubmissionInDoubtError as doubt:
                logger.warning("%s Looking for it.", doubt)
                found = _look(provider, tag, since, count, doubt, sleep=sleep)
                if found:
                    return Submitted(found[0], tuple(found[1:]), is_adopted=True)
                failure: ProviderError = doubt
            except ProviderError as error:
                if not error.retryable or attempt == _SUBMIT_ATTEMPTS:
                    raise
                logger.warning("%s Trying again.", error)
                failure = error
            if attempt < _SUBMIT_ATTEMPTS:
                sleep(_backoff(attempt, failure.retry_after))
        raise failure


def _look(
    provider: Provider, tag: str, since: datetime, count: int, doubt: SubmissionInDoubtError, *, sleep: Sleep
) -> list[str]:
    """Ids of the jobs that may be it. Not being able to ask leaves the doubt standing: nothing is sent again."""
    for seconds in _LOOK_AFTER_SECONDS:
        sleep(seconds)
        try:
            found = provider.find(tag, since, count)
        except ProviderError as error:
            raise SubmissionInDoubtError(
                f"{doubt} It could not be looked for either: {error} Before calling again, look at "
                f"{provider.name} for a job of {count:,} requests created after {since:%Y-%m-%d %H:%M:%S} UTC with "
                f"custom_ids that begin with {tag!r}; BatchJob.attach(its id, …) takes it up.",
                provider=provider.name,
            ) from error
        if found:
            return [job.provider_job_id for job in found]
    return []


def _backoff(attempt: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return min(_LONGEST_RETRY_AFTER_SECONDS, max(0.0, retry_after))
    return min(_LONGEST_BACKOFF_SECONDS, 0.25 * float(2**attempt))
