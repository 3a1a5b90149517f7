"""Jobs made of files, for OpenAI and for all who follow its Batch API."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import openai

from batchata.errors import LimitError
from batchata.providers.openai.calls import Calls
from batchata.providers.openai.decode import decode
from batchata.providers.openai.snapshots import result_files, snapshot
from batchata.providers.refusals import Wording
from batchata.spool import Lines
from batchata.types import JobSnapshot, JsonObject, Limits, ModelInfo, Outcome, Request, TokenCount

logger = logging.getLogger(__name__)

_CLOCK_SKEW = timedelta(days=1)
"""The tag is exact, so looking too far back costs a page of the list, and not far enough a job."""
_TAG = "batchata"
"""The key of our tag in a batch's metadata."""


@dataclass(frozen=True, slots=True)
class Server:
    """What sets one server apart from another.

    Attributes:
        wording: how its errors are said; also its name.
        limits: what it takes.
        endpoint: the API that its lines call.
        encode: a request as a line.
        describe: what it says of a model.
        count: the input tokens of a request.
        purpose: what an uploaded file is for.
        window: within which a job is done.
        takes_metadata: whether a job can carry our tag.
        is_lenient: whether it only follows OpenAI.
    """

    wording: Wording
    limits: Limits
    endpoint: str
    encode: Callable[[Request], bytes]
    describe: Callable[[openai.OpenAI, str], ModelInfo]
    count: Callable[[openai.OpenAI, Request], TokenCount]
    purpose: str = "batch"
    window: str = "24h"
    takes_metadata: bool = True
    is_lenient: bool = False


class FileJobsProvider:
    """One server, over OpenAI's official SDK."""

    def __init__(self, client: openai.OpenAI, server: Server) -> None:
        self.name = server.wording.provider
        self.limits = server.limits
        self._server = server
        self._calls = Calls(client, server.wording)
        # Left to the garbage collector, sockets may be finalised before the client that would close them.
        weakref.finalize(self, client.close)

    def describe(self, model: str) -> ModelInfo:
        return self._server.describe(self._calls.reader, model)

    def encode(self, request: Request) -> bytes:
        return self._server.encode(request)

    def decode(self, entry: bytes) -> Outcome:
        return decode(entry)

    def submit(self, entries: Lines, *, tag: str) -> str:
        """Upload the lines, which buys nothing, then create the job from them."""
        if entries.size > self.limits.max_bytes:
            raise LimitError(
                f"The job's file is {entries.size:,} bytes; {self._server.wording.title} takes "
                f"{self.limits.max_bytes:,}. Send fewer items."
            )
        file_id = self._calls.upload(entries.file(), _file_name(tag), self._server.purpose)
        body: JsonObject = {
            "input_file_id": file_id,
            "endpoint": self._server.endpoint,
            "completion_window": self._server.window,
        }
        if self._server.takes_metadata:
            body["metadata"] = {_TAG: tag}
        provider_job_id = self._calls.create(body)
        logger.info("created job %s under tag %s", provider_job_id, tag)
        return provider_job_id

    def check(self, provider_job_id: str) -> JobSnapshot:
        return self._snapshot(self._calls.batch(provider_job_id, f"checking the job {provider_job_id!r}"))

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        """From a page of the list, which shows the newest."""
        wanted = set(provider_job_ids)
        page, _ = self._calls.page(f"checking {len(wanted)} jobs")
        return {batch["id"]: self._snapshot(batch) for batch in page if batch["id"] in wanted}

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        """The output file, then the error file."""
        batch = self._calls.batch(provider_job_id, f"reading the results of {provider_job_id!r}")
        for file_id in result_files(batch):
            yield from self._calls.lines(file_id)

    def cancel(self, provider_job_id: str) -> None:
        self._calls.cancel(provider_job_id)

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:
        """By the tag in the metadata; where a server keeps none, by the name of the job's file."""
        doing = f"looking for the job tagged {tag!r}"
        batches = self._calls.since(since - _CLOCK_SKEW, doing, is_ordered=not self._server.is_lenient)
        found = [self._snapshot(batch) for batch in batches if self._may_be(batch, tag, count)]
        return sorted(found, key=lambda job: job.created_at or since, reverse=True)

    def _may_be(self, batch: dict[str, Any], tag: str, count: int) -> bool:
        metadata = batch.get("metadata")
        told = metadata.get(_TAG) if isinstance(metadata, dict) else None
        if told is not None or not self._server.is_lenient:
            return bool(told == tag)
        counts = self._snapshot(batch).counts
        if counts is not None and counts.total != count:
            return False
        file_id = str(batch.get("input_file_id") or "")
        if self._calls.file_name(file_id) == _file_name(tag):
            return True
        # Some servers name files themselves: then the custom_ids tell, those in the file or else those in the results.
        first = self._calls.first_line(file_id) or b""
        return b'"custom_id"' not in first or f'"{tag}-'.encode() in first

    def _snapshot(self, batch: dict[str, Any]) -> JobSnapshot:
        return snapshot(batch, self.name, lenient=self._server.is_lenient)

    def count_tokens(self, request: Request) -> TokenCount:
        return self._server.count(self._calls.reader, request)


def _file_name(tag: str) -> str:
    return f"{tag}.jsonl"
