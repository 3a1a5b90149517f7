"""Creating a job exactly once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from batchata.errors import ProviderError, SubmissionInDoubtError
from batchata.providers import Provider
from batchata.spool import Lines

logger = logging.getLogger(__name__)

_SUBMIT_ATTEMPTS = 8
_LOOK_AFTER_SECONDS = (0.5, 3.5)
"""When to look for a job whose creation got no clear answer: at once, and once it had time to show."""

_LATE_SECONDS = 30.0
"""How long after a submission without any answer its job may still turn up: a large body takes a while to work on."""

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


@dataclass(frozen=True, slots=True)
class Creation:
    """What it takes to create one job, and to find it again.

    Attributes:
        tag: the job's name at the provider, where it takes one.
        since: when its creation was first tried.
        count: how many requests it has.
        is_other: whether an id is known to be that of another job.
    """

    provider: Provider
    tag: str
    since: datetime
    count: int
    is_other: Callable[[str], bool] = lambda _: False

    def send(self, lines: Lines, *, sleep: Sleep = time.sleep) -> Submitted:
        """Create the job, or find it where that got no clear answer.

        Raises ``SubmissionInDoubtError`` if it may exist and could not be looked for, and ``ProviderError`` if it does
        not exist; a retryable one may be sent again.
        """
        try:
            return Submitted(self.provider.submit(lines, tag=self.tag))
        except SubmissionInDoubtError as doubt:
            logger.warning("%s Looking for it.", doubt)
            looked_at = 0.0
            for seconds in sorted({*_LOOK_AFTER_SECONDS, late_seconds(doubt)}):
                sleep(seconds - looked_at)
                looked_at = seconds
                found = self.look(doubt)
                if found is not None:
                    return found
            raise ProviderError(
                f"{doubt} It was looked for, and it does not.",
                provider=doubt.provider,
                status_code=doubt.status_code,
                request_id=doubt.request_id,
                retryable=True,
                retry_after=doubt.retry_after,
            ) from doubt

    def look(self, doubt: object = "The job may exist and may be billed.") -> Submitted | None:
        """The jobs that may be it; ``None`` if there is none.

        Not being able to ask leaves the doubt standing: raises ``SubmissionInDoubtError``, and nothing may be sent.
        """
        try:
            found = self.provider.find(self.tag, self.since, self.count)
        except ProviderError as error:
            raise SubmissionInDoubtError(
                f"{doubt} It could not be looked for: {error} Before sending it again, look at "
                f"{self.provider.name} for a job of {self.count:,} requests created after "
                f"{self.since:%Y-%m-%d %H:%M:%S} UTC with custom_ids that begin with {self.tag!r}.",
                provider=self.provider.name,
                retryable=error.retryable,
                retry_after=error.retry_after,
            ) from error
        ids = [job.provider_job_id for job in found if not self.is_other(job.provider_job_id)]
        return Submitted(ids[0], tuple(ids[1:]), is_adopted=True) if ids else None


def late_seconds(doubt: ProviderError | None) -> float:
    """How long after a submission in doubt its job may still turn up; ``None``: nobody heard what came of it."""
    return _LATE_SECONDS if doubt is None or doubt.status_code is None else _LOOK_AFTER_SECONDS[-1]


def submit(provider: Provider, lines: Iterable[bytes], tag: str, *, sleep: Sleep = time.sleep) -> Submitted:
    """Create one job and never a second: what is in doubt is looked for before anything is sent again.

    Raises ``ProviderError`` for a clear refusal, and ``SubmissionInDoubtError`` if any attempt may have made a job
    that could not be looked for.
    """
    with Lines() as spooled:
        spooled.extend(lines)
        creation = Creation(provider, tag, datetime.now(UTC), spooled.count)
        attempt = 0
        while True:
            attempt += 1
            try:
                return creation.send(spooled, sleep=sleep)
            except SubmissionInDoubtError as doubt:
                raise SubmissionInDoubtError(
                    f"{doubt} BatchJob.attach(its id, …) takes it up.", provider=doubt.provider
                ) from doubt
            except ProviderError as error:
                if not error.retryable or attempt == _SUBMIT_ATTEMPTS:
                    raise
                logger.warning("%s Trying again.", error)
                pause = backoff_seconds(attempt, error.retry_after)
            sleep(pause)


def backoff_seconds(attempt: int, retry_after: float | None) -> float:
    """How long to wait after so many failures: what the provider asks for, within reason, else longer each time."""
    if retry_after is not None:
        return min(_LONGEST_RETRY_AFTER_SECONDS, max(0.0, retry_after))
    return min(_LONGEST_BACKOFF_SECONDS, 0.25 * float(2 ** min(attempt, 10)))
