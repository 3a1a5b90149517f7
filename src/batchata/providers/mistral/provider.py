"""Mistral's batch jobs, through the official SDK."""

from __future__ import annotations

import functools
import itertools
import logging
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from mistralai.client import Mistral
from mistralai.client.errors import MistralError
from mistralai.client.models import BatchJob

from batchata.errors import LimitError
from batchata.providers import lines
from batchata.providers.access import address_of, key_of, no_key
from batchata.providers.chat.bound import most_tokens
from batchata.providers.chat.decode import decode_completion
from batchata.providers.chat.encode import chat_body
from batchata.providers.mistral.encode import encode, split
from batchata.providers.mistral.errors import NO_ANSWER, asked, asked_once, submit_error
from batchata.providers.mistral.files import lines_of
from batchata.providers.mistral.models import describe_model
from batchata.providers.mistral.snapshots import snapshot
from batchata.spool import Lines
from batchata.types import (
    DocumentKind,
    JobSnapshot,
    Limits,
    ModelInfo,
    Outcome,
    Request,
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
_PAGE = 100
_CLOCK_SKEW = timedelta(days=1)
"""The tag is exact, so looking too far back does no harm, and not far enough costs a job."""


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
        key = key_of(environment, "MISTRAL_API_KEY")
        if not key:
            raise no_key("Mistral", "MISTRAL_API_KEY")
        server_url = address_of(environment, "MISTRAL_BASE_URL")
        return cls(Mistral(api_key=key, server_url=server_url, timeout_ms=_TIMEOUT_SECONDS * 1000))

    def describe(self, model: str) -> ModelInfo:
        return describe_model(self._client, model)

    def encode(self, request: Request) -> bytes:
        return encode(request)

    def decode(self, entry: bytes) -> Outcome:
        return lines.decode(entry, decode_completion)

    def submit(self, entries: Lines, *, tag: str) -> str:
        """Upload the lines, which buys nothing, then create the job from them.

        By a file also where the lines would fit into the call: the SDK would take them all apart and put them together
        again as its own types.
        """
        with Lines() as spooled:
            model = _split(entries, spooled)
            content = {"file_name": f"{tag}.jsonl", "content": spooled.file()}
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
        return snapshot(asked(doing, lambda: self._client.batch.jobs.get(job_id=provider_job_id)))

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        """From a page of the list, which shows the newest."""
        wanted = set(provider_job_ids)
        page = asked(f"checking {len(wanted)} jobs", self._client.batch.jobs.list).data or []
        return {job.id: snapshot(job) for job in page if job.id in wanted}

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        """The output file, then the error file."""
        doing = f"reading the results of {provider_job_id!r}"
        job = asked(doing, lambda: self._client.batch.jobs.get(job_id=provider_job_id))
        for file_id in (job.output_file, job.error_file):
            if isinstance(file_id, str) and file_id:
                yield from lines_of(self._client, file_id)

    def cancel(self, provider_job_id: str) -> None:
        doing = f"canceling the job {provider_job_id!r}"
        asked(doing, lambda: self._client.batch.jobs.cancel(job_id=provider_job_id))

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:  # noqa: ARG002  # the tag suffices
        """By the tag in the metadata, for which the server itself looks; one that does not shows page after page."""
        jobs, doing = self._client.batch.jobs, f"looking for the job tagged {tag!r}"
        seen: dict[str, BatchJob] = {}
        for number in itertools.count():
            ask = functools.partial(
                jobs.list, page=number, page_size=_PAGE, metadata={_TAG: tag}, created_after=since - _CLOCK_SKEW
            )
            page = asked(doing, ask).data or []
            fresh = {job.id: job for job in page if job.id not in seen}
            seen |= fresh
            if len(page) < _PAGE or not fresh:
                break
        return [snapshot(job) for job in seen.values() if (job.metadata or {}).get(_TAG) == tag]

    def count_tokens(self, request: Request) -> TokenCount:
        """A bound, for Mistral counts for nobody."""
        return most_tokens(request, chat_body(request, "Mistral"))


def _split(entries: Iterable[bytes], lines: Lines) -> str:
    """Write the lines as Mistral takes them; gives their model."""
    models: set[str] = set()
    for entry in entries:
        model, line = split(entry)
        models.add(model)
        lines.add(line)
    if len(models) != 1:
        raise LimitError(f"A job at Mistral has one model, not {len(models)}: {', '.join(sorted(models))}.")
    if lines.size > LIMITS.max_bytes:
        raise LimitError(
            f"The job's file is {lines.size:,} bytes; Mistral takes {LIMITS.max_bytes:,}. Send fewer items."
        )
    return models.pop()
