"""Mistral's batch jobs, through the official SDK."""

from __future__ import annotations

import difflib
import logging
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Literal

import httpx2
from mistralai.client import Mistral
from mistralai.client.errors import MistralError
from mistralai.client.models import BatchJob

from batchata.errors import LimitError, MissingKeyError, ProviderError, UnknownModelError
from batchata.providers import lines
from batchata.providers.chat.bound import most_tokens
from batchata.providers.chat.decode import decode_completion
from batchata.providers.chat.encode import chat_body
from batchata.providers.mistral.encode import encode, split
from batchata.providers.mistral.errors import NO_ANSWER, asked, asked_once, submit_error
from batchata.providers.spool import ends_whole, new_spool, read_lines
from batchata.types import (
    DocumentKind,
    JobSnapshot,
    JobState,
    Limits,
    ModelInfo,
    Outcome,
    Request,
    RequestCounts,
    SchemaDialect,
    TokenCount,
)

__all__ = ["LIMITS", "MistralProvider"]

logger = logging.getLogger(__name__)

_MEGABYTE = 1_000_000

LIMITS = Limits(
    max_requests=100_000,
    max_bytes=512 * _MEGABYTE,
    max_request_bytes=50 * _MEGABYTE,
    custom_id_pattern=r"[a-zA-Z0-9_-]{1,64}",
    kinds=frozenset(DocumentKind),
    max_pages=None,
    max_image_bytes=20 * _MEGABYTE,
    max_image_px=None,
    expires_hours=24,
    counts_live=True,
    native_citations=False,
    schema_dialect=SchemaDialect.OPENAI,
    schema_with_citations=True,
    reads_text_layer=True,
)
"""Mistral's pages disagree on requests in a job; this is the stricter. What one request may have, they do not say."""

_ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_TAG = "batchata"
"""The key of our tag in a job's metadata."""
_TIMEOUT_SECONDS = 600
_FETCH_ATTEMPTS = 5
_CLOCK_SKEW = timedelta(days=1)
"""The tag is exact, so looking too far back does no harm, and not far enough costs a job."""
_NOT_FOUND = 404
_SUGGESTED = "mistral-small-2603 or mistral-large-2512"


class MistralProvider:
    """Mistral over its official SDK: creates are sent once, reads are repeated here, for the SDK does not."""

    name = "mistral"
    limits = LIMITS

    def __init__(self, client: Mistral) -> None:
        self._client = client
        # Left to the garbage collector, sockets may be finalised before the client that would close them.
        weakref.finalize(self, client.__exit__, None, None, None)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> MistralProvider:
        """Connect with ``MISTRAL_API_KEY``, at ``MISTRAL_BASE_URL`` if set."""
        key = environment.get("MISTRAL_API_KEY", "").strip()
        if not key:
            raise MissingKeyError(
                "No key for Mistral: set MISTRAL_API_KEY in the environment or in a .env file in the working "
                "directory. To try without a key, use model='local/smollm2-135m'."
            )
        server_url = environment.get("MISTRAL_BASE_URL") or None
        return cls(Mistral(api_key=key, server_url=server_url, timeout_ms=_TIMEOUT_SECONDS * 1000))

    def describe(self, model: str) -> ModelInfo:
        doing = f"asking for the model {model!r}"
        try:
            found: Any = asked(doing, lambda: self._client.models.retrieve(model_id=model))
        except ProviderError as error:
            if error.status_code != _NOT_FOUND:
                raise
            raise UnknownModelError(self._unknown(model)) from error
        if found.deprecation:
            logger.warning("%s is deprecated and retires on %s", model, found.deprecation.date())
        return ModelInfo(model, retires_at=found.deprecation or None, max_input_tokens=found.max_context_length)

    def _unknown(self, model: str) -> str:
        known = asked("asking for its models", self._client.models.list).data or []
        names = [str(getattr(each, "id", "")) for each in known]
        close = difflib.get_close_matches(model, names, n=2, cutoff=0.8)
        meant = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Try {_SUGGESTED}."
        return f"Mistral does not know the model {model!r}. {meant}"

    def encode(self, request: Request) -> bytes:
        return encode(request)

    def decode(self, entry: bytes) -> Outcome:
        return lines.decode(entry, decode_completion)

    def submit(self, entries: Iterable[bytes], *, tag: str) -> str:
        """Upload the lines, which buys nothing, then create the job from them.

        By a file also where the lines would fit into the call: the SDK would take them all apart and put them together
        again as its own types.
        """
        with new_spool() as spool:
            model = _spooled(spool, entries)
            content = {"file_name": f"{tag}.jsonl", "content": spool}
            doing = "uploading the job's file"
            made = asked_once(doing, lambda: self._client.files.upload(file=content, purpose="batch"))  # type: ignore[arg-type]  # its TypedDict
        try:
            job = self._client.batch.jobs.create(
                input_files=[made.id],
                model=model,
                endpoint=_ENDPOINT,
                metadata={_TAG: tag},
                timeout_hours=24,
            )
        except (MistralError, *NO_ANSWER) as error:
            raise submit_error(error) from error
        logger.info("created job %s under tag %s", job.id, tag)
        return job.id

    def check(self, provider_job_id: str) -> JobSnapshot:
        doing = f"checking the job {provider_job_id!r}"
        return _snapshot(asked(doing, lambda: self._client.batch.jobs.get(job_id=provider_job_id)))

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        """From a page of the list, which shows the newest."""
        wanted = set(provider_job_ids)
        page = asked(f"checking {len(wanted)} jobs", self._client.batch.jobs.list).data or []
        return {job.id: _snapshot(job) for job in page if job.id in wanted}

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        """The output file, then the error file."""
        doing = f"reading the results of {provider_job_id!r}"
        job = asked(doing, lambda: self._client.batch.jobs.get(job_id=provider_job_id))
        for file_id in (job.output_file, job.error_file):
            if isinstance(file_id, str) and file_id:
                yield from self._lines(file_id)

    def _lines(self, file_id: str) -> Iterator[bytes]:
        for attempt in range(1, _FETCH_ATTEMPTS + 1):
            with new_spool() as spool:
                if asked(f"reading the file {file_id!r}", lambda: self._download(file_id, spool)):  # called at once
                    yield from read_lines(spool)
                    return
                logger.warning("download of the file %s was cut (attempt %d)", file_id, attempt)
        raise ProviderError(
            f"The file {file_id!r} with results was cut {_FETCH_ATTEMPTS} times while downloading. It stays at Mistral "
            f"for a day at least: check the network and ask for it again.",
            provider="mistral",
            retryable=True,
        )

    def _download(self, file_id: str, spool: IO[bytes]) -> bool:
        """Whether the file came whole."""
        spool.seek(0)
        spool.truncate()
        with closing(self._client.files.download(file_id=file_id)) as response:
            try:
                for chunk in response.iter_bytes():
                    spool.write(chunk)
            except (httpx2.RemoteProtocolError, httpx2.ReadError):
                return False
        return ends_whole(spool)

    def cancel(self, provider_job_id: str) -> None:
        doing = f"canceling the job {provider_job_id!r}"
        asked(doing, lambda: self._client.batch.jobs.cancel(job_id=provider_job_id))

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:  # noqa: ARG002  # the tag suffices
        """By the tag in the metadata, for which the server itself looks."""
        jobs = self._client.batch.jobs
        found = asked(
            f"looking for the job tagged {tag!r}",
            lambda: jobs.list(metadata={_TAG: tag}, created_after=since - _CLOCK_SKEW),
        )
        return [_snapshot(job) for job in found.data or [] if (job.metadata or {}).get(_TAG) == tag]

    def count_tokens(self, request: Request) -> TokenCount:
        """A bound, for Mistral counts for nobody."""
        return most_tokens(request, chat_body(request, "Mistral"))


def _spooled(spool: IO[bytes], entries: Iterable[bytes]) -> str:
    """Write the lines; gives their model."""
    models: set[str] = set()
    for entry in entries:
        model, line = split(entry)
        models.add(model)
        spool.write(line + b"\n")
    if len(models) != 1:
        raise LimitError(f"A job at Mistral has one model, not {len(models)}: {', '.join(sorted(models))}.")
    size = spool.tell()
    if size > LIMITS.max_bytes:
        raise LimitError(f"The job's file is {size:,} bytes; Mistral takes {LIMITS.max_bytes:,}. Send fewer items.")
    spool.seek(0)
    return models.pop()


def _snapshot(job: BatchJob) -> JobSnapshot:
    state = _state(job)
    completed, total = job.succeeded_requests, job.total_requests
    left = max(0, total - completed - job.failed_requests)
    is_over = state in {JobState.ENDED, JobState.FAILED}
    counts = RequestCounts(
        processing=0 if is_over else left,
        succeeded=completed,
        errored=job.failed_requests,
        canceled=left if is_over else 0,
    )
    return JobSnapshot(
        provider_job_id=job.id,
        state=state,
        counts=counts if total else None,
        created_at=datetime.fromtimestamp(job.created_at, UTC),
        ended_at=datetime.fromtimestamp(job.completed_at, UTC) if job.completed_at else None,
        message="; ".join(f"{error.message} ({error.count} times)" for error in job.errors) or None,
    )


def _state(job: BatchJob) -> JobState:
    match job.status:
        case "QUEUED":
            return JobState.PENDING
        case "RUNNING":
            return JobState.IN_PROGRESS
        case "CANCELLATION_REQUESTED":
            return JobState.CANCELING
        case "SUCCESS" | "TIMEOUT_EXCEEDED" | "CANCELLED":
            return JobState.ENDED
        case "FAILED":
            return JobState.FAILED
        case unknown:
            raise ProviderError(
                f"Mistral reports the state {str(unknown)!r} for {job.id!r}, which this version does not know. Update "
                f"batchata.",
                provider="mistral",
            )
