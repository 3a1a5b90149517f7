"""Gemini's batches, through the official SDK."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from google.genai import types

from batchata.errors import LimitError
from batchata.providers.access import address_of, key_of, no_key
from batchata.providers.gemini import decode, encode
from batchata.providers.gemini.calls import Calls
from batchata.providers.gemini.errors import GEMINI, asked, refusing_requests
from batchata.providers.gemini.inline import inlined, results_of, sent_bytes
from batchata.providers.gemini.models import describe_model
from batchata.providers.gemini.snapshots import display_name, is_told_by_state, snapshot
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

__all__ = ["LIMITS", "GeminiProvider"]

logger = logging.getLogger(__name__)

_MEGABYTE = 1_000_000

LIMITS = Limits(
    max_requests=100_000,
    max_bytes=2_000 * _MEGABYTE,
    max_request_bytes=100 * _MEGABYTE,
    custom_id_pattern=r"[a-zA-Z0-9_-]{1,64}",
    kinds=frozenset(DocumentKind) - {DocumentKind.GIF},
    max_pages=1_000,
    max_image_bytes=None,
    max_image_px=None,
    expires_hours=48,
    counts_live=False,
    native_citations=False,
    schema_dialect=SchemaDialect.GEMINI,
    schema_with_citations=False,
    reads_text_layer=False,
)
"""A job that is not done after 48 hours loses everything, finished requests included.

How many requests a job may have, and how large one may be, Gemini does not say: these two limits are ours. An inline
PDF may have 50 MB, which base64 makes 67.
"""

_INLINE_BYTES = 20 * _MEGABYTE
_CLOCK_SKEW = timedelta(days=1)
"""The tag is exact, so looking too far back costs a page of the list, and not far enough a job."""


class GeminiProvider:
    """Gemini over its official SDK: creates are sent once, reads are repeated here, for the SDK does not."""

    name = "gemini"
    limits = LIMITS

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> GeminiProvider:
        """Connect with ``GOOGLE_API_KEY`` (which wins, as in the SDK) or ``GEMINI_API_KEY``.

        The address is ``GOOGLE_GEMINI_BASE_URL``, if set.
        """
        key = key_of(environment, "GOOGLE_API_KEY", "GEMINI_API_KEY")
        if not key:
            raise no_key("Gemini", "GEMINI_API_KEY")
        return cls(Calls(key, address_of(environment, "GOOGLE_GEMINI_BASE_URL")))

    def describe(self, model: str) -> ModelInfo:
        return describe_model(self._calls.sdk, model)

    def encode(self, request: Request) -> bytes:
        return encode.encode(request)

    def decode(self, entry: bytes) -> Outcome:
        return decode.decode(entry)

    def submit(self, entries: Lines, *, tag: str) -> str:
        """In the call itself where that is small enough; else by a file, whose upload buys nothing."""
        _warn_of_expiry()
        if entries.size > LIMITS.max_bytes:
            raise LimitError(
                f"The job's file is {entries.size:,} bytes; Gemini takes {LIMITS.max_bytes:,}. Send fewer items."
            )
        model = _model_of(next(iter(entries)))
        provider_job_id = self._calls.create(model, _source(self._calls, entries, tag), tag)
        logger.info("created job %s under tag %s", provider_job_id, tag)
        return provider_job_id

    def check(self, provider_job_id: str) -> JobSnapshot:
        return self._calls.batch(provider_job_id, f"checking the job {provider_job_id!r}", snapshot)

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        """From a page of the list, which leaves results out: jobs for which these matter are asked about alone."""
        wanted = set(provider_job_ids)
        page = self._calls.newest(f"checking {len(wanted)} jobs")
        return {
            batch["name"]: snapshot(batch)
            for batch in page
            if batch.get("name") in wanted and is_told_by_state(batch)
        }

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        """From the batch itself, or from its file."""
        doing = f"reading the results of {provider_job_id!r}"
        lines, file_name = self._calls.batch(provider_job_id, doing, results_of)
        yield from lines
        if file_name:
            yield from self._calls.lines(file_name)

    def cancel(self, provider_job_id: str) -> None:
        self._calls.cancel(provider_job_id)

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:  # noqa: ARG002  # the tag suffices
        """By the display name."""
        batches = self._calls.since(since - _CLOCK_SKEW, f"looking for the job tagged {tag!r}")
        found = [snapshot(batch) for batch in batches if display_name(batch) == tag]
        return sorted(found, key=lambda job: job.created_at or since, reverse=True)

    def count_tokens(self, request: Request) -> TokenCount:
        """Gemini's own free count; what it does not take apart from the messages is counted as text before them.

        Said to be exact, so that whoever needs a bound adds the margin that a provider's own count gets.
        """
        body: dict[str, Any] = encode.body_of(request)
        schema = body["generationConfig"].get("responseJsonSchema")
        beside = [] if schema is None else [{"text": orjson.dumps(schema).decode()}]
        beside += body.get("systemInstruction", {}).get("parts", [])
        turns = [{"role": "user", "parts": beside}, *body["contents"]] if beside else body["contents"]
        contents = [types.Content.model_validate_json(orjson.dumps(turn)) for turn in turns]

        def count() -> types.CountTokensResponse:
            return self._calls.sdk.models.count_tokens(model=body["model"], contents=contents)

        doing = f"counting the tokens of {request.custom_id!r}"
        counted = asked(doing, lambda: refusing_requests(count)).total_tokens
        if counted is None:
            raise GEMINI.unreachable("an answer without a count", doing)
        return TokenCount(counted, exact=True)


def _source(calls: Calls, entries: Lines, tag: str) -> str | list[types.InlinedRequest]:
    if entries.size < _INLINE_BYTES and sum(map(sent_bytes, entries)) < _INLINE_BYTES:
        return [inlined(line) for line in entries]
    return calls.upload(entries.file(), tag)


def _model_of(line: bytes) -> str:
    model: str = orjson.loads(line)["request"]["model"]
    return model


@functools.cache
def _warn_of_expiry() -> None:
    """Once in a process."""
    logger.warning("a Gemini job that is not done within 48 hours expires, and everything in it is lost")
