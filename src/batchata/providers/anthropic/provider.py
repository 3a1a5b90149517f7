"""Anthropic's Message Batches, through the official SDK."""

from __future__ import annotations

import json
import logging
import weakref
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import IO, Any

import anthropic
import httpx2
import orjson
from anthropic.types import MessageTokensCount
from anthropic.types.messages import MessageBatch

from batchata.errors import LimitError, ProviderError
from batchata.providers.access import address_of, key_of, no_key
from batchata.providers.anthropic.decode import decode
from batchata.providers.anthropic.encode import encode
from batchata.providers.anthropic.errors import asking, refusing_requests, submit_error, unnamed_job
from batchata.providers.anthropic.models import describe_model
from batchata.providers.downloads import whole_lines
from batchata.spool import Lines
from batchata.types import (
    DocumentKind,
    JobSnapshot,
    JobState,
    Limits,
    ModelInfo,
    Request,
    RequestCounts,
    SchemaDialect,
    TokenCount,
)

__all__ = ["LIMITS", "AnthropicProvider"]

logger = logging.getLogger(__name__)

_MEGABYTE = 1_000_000

LIMITS = Limits(
    max_requests=100_000,
    max_bytes=256 * _MEGABYTE,
    max_request_bytes=32 * _MEGABYTE,
    custom_id_pattern=r"[a-zA-Z0-9_-]{1,64}",
    kinds=frozenset(DocumentKind),
    max_pages=600,
    max_image_bytes=10 * _MEGABYTE,
    max_image_px=8_000,
    expires_hours=24,
    counts_live=False,
    native_citations=True,
    schema_dialect=SchemaDialect.ANTHROPIC,
    schema_with_citations=False,
    reads_text_layer=False,
    marks_cache=True,
)

_READ_RETRIES = 6
_LISTED, _MOST_LISTED = 100, 1_000
"""Batches on a page of the list; the second is Anthropic's limit."""
_CLOCK_SKEW = timedelta(minutes=5)


class AnthropicProvider:
    """Anthropic over its official SDK: creates are sent once, reads are retried by the SDK itself."""

    name = "anthropic"
    limits = LIMITS
    encode = staticmethod(encode)
    decode = staticmethod(decode)

    def __init__(self, client: anthropic.Anthropic) -> None:
        self._reader = client.with_options(max_retries=_READ_RETRIES)
        self._writer = client.with_options(max_retries=0)
        # Left to the garbage collector, sockets may be finalised before the client that would close them.
        weakref.finalize(self, client.close)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> AnthropicProvider:
        """Connect with ``ANTHROPIC_API_KEY`` (or ``ANTHROPIC_AUTH_TOKEN``), at ``ANTHROPIC_BASE_URL`` if set."""
        key, token = key_of(environment, "ANTHROPIC_API_KEY"), key_of(environment, "ANTHROPIC_AUTH_TOKEN")
        if not key and not token:
            raise no_key("Anthropic", "ANTHROPIC_API_KEY")
        base_url = address_of(environment, "ANTHROPIC_BASE_URL")
        return cls(anthropic.Anthropic(api_key=key or None, auth_token=token or None, base_url=base_url))

    def describe(self, model: str) -> ModelInfo:
        return describe_model(self._reader, model)

    def submit(self, entries: Lines, *, tag: str) -> str:
        """Anthropic has no tag: the run is known by the custom_ids alone, and ``tag`` goes to the log."""
        body = _Body(entries)
        if body.size > LIMITS.max_bytes:
            raise LimitError(
                f"The job's body is {body.size:,} bytes; Anthropic takes {LIMITS.max_bytes:,}. Send fewer items."
            )
        try:
            batch = self._writer.post(
                "/v1/messages/batches",
                cast_to=MessageBatch,
                content=body,
                options={"headers": {"content-type": "application/json", "content-length": str(body.size)}},
            )
        except (anthropic.APIError, json.JSONDecodeError) as error:
            raise submit_error(error) from error
        job_id = getattr(batch, "id", None)  # whatever came is passed on by the SDK as what was expected
        if not isinstance(job_id, str) or not job_id:
            raise unnamed_job(batch)
        logger.info("created job %s under tag %s", job_id, tag)
        return job_id

    def check(self, provider_job_id: str) -> JobSnapshot:
        with asking(f"checking the job {provider_job_id!r}"):
            return _snapshot(self._reader.messages.batches.retrieve(provider_job_id))

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        """From a page of the list, which shows the newest."""
        wanted = set(provider_job_ids)
        with asking(f"checking {len(wanted)} jobs"):
            page: Any = self._reader.get(
                "/v1/messages/batches",
                cast_to=object,
                options={"params": {"limit": min(_MOST_LISTED, max(_LISTED, 2 * len(wanted)))}},
            )
            # Only those that are wanted become the SDK's objects: a thousand of them take 20 ms.
            batches = [MessageBatch.construct(**batch) for batch in page.get("data") if batch.get("id") in wanted]
            return {batch.id: _snapshot(batch) for batch in batches}

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        return whole_lines(
            f"the results of {provider_job_id!r}",
            self.name,
            lambda spool: self._download(provider_job_id, spool),
            kept="They stay at Anthropic for 29 days",
        )

    def _download(self, provider_job_id: str, spool: IO[bytes]) -> bool:
        """Whether the results came to their end."""
        with asking(f"reading the results of {provider_job_id!r}"):
            try:
                with self._reader.messages.batches.with_streaming_response.results(provider_job_id) as response:
                    for chunk in response.iter_bytes():
                        spool.write(chunk)
            except httpx2.TransportError:
                return False
        return True

    def cancel(self, provider_job_id: str) -> None:
        with asking(f"canceling the job {provider_job_id!r}"):
            self._reader.messages.batches.cancel(provider_job_id)

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:
        """By time and number of requests, for want of a tag; the custom_ids in the results are the proof."""
        found: list[JobSnapshot] = []
        with asking(f"looking for the job tagged {tag!r}"):
            answer = self._reader.messages.batches.with_raw_response.list(limit=_LISTED)
            earliest = since - _clock_lead(answer.headers.get("date")) - _CLOCK_SKEW
            page = answer.parse()
            len(page.data)  # an answer without a list does not say that there is no job
            for batch in page:
                if batch.created_at < earliest:
                    break
                snapshot = _snapshot(batch)
                if snapshot.counts is not None and snapshot.counts.total == count:
                    found.append(snapshot)
        return found

    def count_tokens(self, request: Request) -> TokenCount:
        """Anthropic's own free count, which it calls an estimate."""
        params = orjson.loads(self.encode(request))["params"]
        del params["max_tokens"]
        with asking(f"counting the tokens of {request.custom_id!r}"), refusing_requests():
            counted = self._reader.post("/v1/messages/count_tokens", cast_to=MessageTokensCount, body=params)
            if counted.input_tokens < 1:
                raise TypeError(f"{counted.input_tokens} tokens")
            return TokenCount(counted.input_tokens, exact=True)


class _Body:
    """A batch's body, in pieces; it can be sent again, as a redirect asks for."""

    _HEAD, _TAIL = b'{"requests":[', b"]}"

    def __init__(self, entries: Lines) -> None:
        self._entries = entries
        self.size = len(self._HEAD) + entries.size - 1 + len(self._TAIL)

    def __iter__(self) -> Iterator[bytes]:
        yield self._HEAD
        yield from self._entries.joined(b",")
        yield self._TAIL


def _clock_lead(date_header: str | None) -> timedelta:
    """How far this machine's clock is ahead of Anthropic's, which stamps the jobs."""
    try:
        return datetime.now(UTC) - parsedate_to_datetime(date_header or "")
    except ValueError:
        return timedelta(0)


def _snapshot(batch: MessageBatch) -> JobSnapshot:
    counts = batch.request_counts
    return JobSnapshot(
        provider_job_id=batch.id,
        state=_state(batch),
        counts=RequestCounts(
            processing=counts.processing,
            succeeded=counts.succeeded,
            errored=counts.errored,
            canceled=counts.canceled,
            expired=counts.expired,
        ),
        created_at=batch.created_at,
        ended_at=batch.ended_at,
        expires_at=batch.expires_at,
        message="its results are no longer kept (29 days)" if batch.archived_at is not None else None,
    )


def _state(batch: MessageBatch) -> JobState:
    if batch.archived_at is not None:
        return JobState.FAILED
    match batch.processing_status:
        case "in_progress":
            return JobState.IN_PROGRESS
        case "canceling":
            return JobState.CANCELING
        case "ended":
            return JobState.ENDED
        case unknown:
            raise ProviderError(
                f"Anthropic reports the state {unknown!r} for {batch.id!r}, which this version does not know. "
                f"Update batchata.",
                provider="anthropic",
            )
