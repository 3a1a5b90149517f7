"""What a provider's HTTP answers mean, in the same words for all of them; the adapters say only what was heard."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from batchata.errors import ArgumentError, ProviderError, SubmissionInDoubtError

_BAD_REQUEST = frozenset({400, 413, 422})
_REFUSED = 400
_UNCLEAR = frozenset({408, 499})
"""The server gave the call up, at its own time limit or because it took us to be gone: whether it was done is open."""
_RETRYABLE = frozenset({409, 425, 429})
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error as it was heard.

    Attributes:
        status: the HTTP status.
        said: the provider's explanation.
        request_id: the provider's id for the call, if it gave one.
        retry_after: seconds it asked to wait, if it did.
        is_spend_limit: no waiting helps: the account's money is used up.
    """

    status: int
    said: str
    request_id: str | None = None
    retry_after: float | None = None
    is_spend_limit: bool = False

    @property
    def is_of_request(self) -> bool:
        """Whether it is what was asked that is wrong, and not the account or the moment."""
        return self.status in _BAD_REQUEST and not self.is_spend_limit

    @property
    def leaves_doubt(self) -> bool:
        """Whether what was asked may have been done all the same: only a 4xx is a no."""
        return not _REFUSED <= self.status < _SERVER_ERROR or self.status in _UNCLEAR

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return not self.is_spend_limit and (self.status in _RETRYABLE or self.leaves_doubt)


@dataclass(frozen=True, slots=True)
class Wording:
    """How errors of one provider are said.

    Attributes:
        provider: its name in this library.
        title: its name for people.
        advice: what to do about a status, a sentence each.
        spend_advice: what to do when the money is used up.
    """

    provider: str
    title: str
    advice: Mapping[int, str] = field(default_factory=dict)
    spend_advice: str = ""

    def refused(self, refusal: Refusal, doing: str, kind: type[ProviderError] = ProviderError) -> ProviderError:
        """The error for an answer that was a no, while ``doing`` something."""
        advice = self.spend_advice if refusal.is_spend_limit else self.advice.get(refusal.status, "")
        return kind(
            " ".join(f"{self.title} answered {refusal.status} while {doing}: {refusal.said} {advice}".split()),
            provider=self.provider,
            status_code=refusal.status,
            request_id=refusal.request_id,
            retryable=refusal.retryable,
            retry_after=refusal.retry_after,
        )

    def create_refused(self, refusal: Refusal) -> ProviderError:
        """The same for the creation of a job: a clear no, or a doubt."""
        kind = SubmissionInDoubtError if refusal.leaves_doubt else ProviderError
        return self.refused(refusal, "creating the job", kind)

    def unreachable(self, cause: object, doing: str) -> ProviderError:
        """The error for no answer at all, where asking again does no harm."""
        return ProviderError(
            f"{self.title} could not be reached while {doing}: {cause}. Check the network and try again.",
            provider=self.provider,
            retryable=True,
        )

    def unaskable(self, cause: object, doing: str) -> ArgumentError:
        """The error for a call that cannot even be addressed."""
        return ArgumentError(
            f"{self.title} cannot be asked while {doing}: {cause}. Check the name or id in it, and the variable with "
            f"{self.title}'s address, if that is set."
        )

    def create_unanswered(self, cause: object) -> SubmissionInDoubtError:
        """The error for a creation that got no answer after it was sent."""
        return SubmissionInDoubtError(
            f"{self.title} gave no answer while creating the job ({cause}): it may exist and may be billed.",
            provider=self.provider,
            retryable=True,
        )


def seconds_of(retry_after: str | None) -> float | None:
    """A ``retry-after`` header in seconds; ``None`` where it is no time that can be waited for."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None
