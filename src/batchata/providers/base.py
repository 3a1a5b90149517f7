"""The provider seam: all a provider has to be, and the only way out of this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from batchata.spool import Lines
from batchata.types import JobSnapshot, Limits, ModelInfo, Outcome, Request, TokenCount


class Provider(Protocol):
    """One back end. ``encode``, ``decode`` and ``limits`` touch no network; the rest does.

    Every call that reaches out raises ``ProviderError`` when it cannot be answered: "I could not ask" is never
    reported as "the job failed".
    """

    @property
    def name(self) -> str:
        """The provider's name, as in ``name/model``."""
        ...

    @property
    def limits(self) -> Limits:
        """What it takes, as data."""
        ...

    def describe(self, model: str) -> ModelInfo:
        """Ask for a model before any file is read.

        Raises ``UnknownModelError`` for one that does not exist or is retired, ``ProviderError`` for a wrong key.
        """
        ...

    def encode(self, request: Request) -> bytes:
        """One request as the line of JSON that ``submit`` sends, without a line end. Pure.

        Raises ``ArgumentError`` (one of its kinds) for what the model cannot take.
        """
        ...

    def decode(self, entry: bytes) -> Outcome:
        """One result line as an outcome. Pure. Raises ``ValueError`` for what is not a result line."""
        ...

    def submit(self, entries: Lines, *, tag: str) -> str:
        """Create a job of what ``encode`` made and return the provider's id; one attempt, never repeated by itself.

        Raises ``ProviderError`` for a clear refusal (nothing was bought) and ``SubmissionInDoubtError`` for
        everything that is neither a clear yes nor a clear no.
        """
        ...

    def check(self, provider_job_id: str) -> JobSnapshot:
        """How the job stands. Retries politely; raises on a state it does not know."""
        ...

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        """How several jobs stand, by id, as far as one call tells; the others are to be asked about one by one."""
        ...

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        """Every result line of an ended job as it came, in any order; a cut download starts again inside."""
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Ask for the job's end. What finished stays readable."""
        ...

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:
        """Jobs that may be the one submitted under ``tag``: ``count`` requests, after ``since``; newest first."""
        ...

    def count_tokens(self, request: Request) -> TokenCount:
        """Input tokens of a request: exact where the provider counts for free, else a bound.

        Raises ``ArgumentError`` (one of its kinds) for a request that the provider would refuse.
        """
        ...
