"""The calls of Gemini's Batch and Files API, through the official SDK.

Batches are read as the plain JSON they are, over the SDK's own connection: the SDK's types leave out why a job failed,
do not know REST's name for a job that succeeded in part, and cannot hold the details of an error.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, Any, TypeVar

import httpx2
from google import genai
from google.genai import types
from google.genai.errors import APIError

from batchata.errors import ArgumentError
from batchata.providers.downloads import whole_lines
from batchata.providers.gemini.errors import GEMINI, NOT_READABLE, asked, asked_once, submit_error
from batchata.providers.gemini.snapshots import created_at

T = TypeVar("T")

logger = logging.getLogger(__name__)

_JOB_ID = re.compile(r"batches/[\w.~-]+", re.ASCII)
_ADDRESS = "https://generativelanguage.googleapis.com"
_VERSION = "v1beta"
"""What the documents describe and was recorded; the SDK's own choice is v1."""
_TIMEOUT_SECONDS = 600
_PAGE = 100


class Calls:
    """Creates are sent once, reads are repeated; every failure is a ``ProviderError``."""

    def __init__(self, key: str, base_url: str | None) -> None:
        self._address = (base_url or _ADDRESS).rstrip("/")
        self._headers = {"x-goog-api-key": key}
        self._http = httpx2.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=True)
        self.sdk = genai.Client(
            vertexai=False,
            api_key=key,
            http_options=types.HttpOptions(
                base_url=self._address,
                api_version=_VERSION,
                timeout=_TIMEOUT_SECONDS * 1000,
                httpx_client=self._http,
            ),
        )
        # Left to the garbage collector, sockets may be finalised before the client that would close them.
        weakref.finalize(self, self._http.close)

    def upload(self, content: IO[bytes], name: str) -> str:
        """The new file's name. A file costs nothing, so nothing is in doubt if this fails."""

        def send() -> types.File:
            try:
                return self.sdk.files.upload(
                    file=content,  # type: ignore[arg-type]  # a spooled file is an IOBase from Python 3.11 on
                    config=types.UploadFileConfig(mime_type="jsonl", display_name=name),
                )
            except (KeyError, ValueError) as error:
                raise GEMINI.unreachable(error, "uploading the job's file") from error

        made = asked_once("uploading the job's file", send)
        if not made.name:
            raise GEMINI.unreachable("it gave the file no name", "uploading the job's file")
        return made.name

    def create(self, model: str, source: str | list[types.InlinedRequest], name: str) -> str:
        """The new job's name. Raises ``SubmissionInDoubtError`` where it may exist without one."""
        config = types.CreateBatchJobConfig(display_name=name)
        try:
            job = self.sdk.batches.create(model=model, src=source, config=config)
        except (APIError, httpx2.HTTPError, *NOT_READABLE) as error:
            raise submit_error(error) from error
        if not job.name:
            raise GEMINI.create_unanswered("it answered without the job's name")
        return job.name

    def batch(self, provider_job_id: str, doing: str, read: Callable[[dict[str, Any]], T]) -> T:
        """What ``read`` makes of a batch; one that it cannot read is asked for again, as any odd answer is."""
        _check_id(provider_job_id)
        return asked(doing, lambda: read(self._get(provider_job_id, {})))

    def cancel(self, provider_job_id: str) -> None:
        _check_id(provider_job_id)
        asked(f"canceling the job {provider_job_id!r}", lambda: self.sdk.batches.cancel(name=provider_job_id))

    def newest(self, doing: str) -> list[dict[str, Any]]:
        """A page of the list of batches."""
        return next(self._pages(doing), [])

    def since(self, earliest: datetime, doing: str) -> Iterator[dict[str, Any]]:
        """Batches as far back as that.

        Gemini promises no order, and a page of its may be empty with more to come: a page with nothing younger on it
        ends the search only in a list that was seen to go back in time.
        """
        times: list[datetime] = []
        for page in self._pages(doing):
            young = [batch for batch in page if (created_at(batch) or earliest) >= earliest]
            yield from young
            times += [told for batch in page if (told := created_at(batch))]
            if page and not young and times == sorted(times, reverse=True):
                return

    def _pages(self, doing: str) -> Iterator[list[dict[str, Any]]]:
        query: dict[str, str | int] = {"pageSize": _PAGE}
        while True:
            page = asked(doing, functools.partial(self._get, "batches", query))
            yield page.get("operations") or []
            if not page.get("nextPageToken"):
                return
            query = {"pageSize": _PAGE, "pageToken": page["nextPageToken"]}

    def _get(self, path: str, query: dict[str, str | int]) -> dict[str, Any]:
        response = self._http.get(f"{self._address}/{_VERSION}/{path}", params=query, headers=self._headers)
        APIError.raise_for_response(response)
        found = json.loads(response.content)
        if not isinstance(found, dict):
            raise TypeError(f"{response.text[:200]!r} where an object should be")
        return found

    def lines(self, file_name: str) -> Iterator[bytes]:
        """The lines of a file."""
        return whole_lines(
            f"the file {file_name!r} with results",
            "gemini",
            lambda spool: self._download(file_name, spool),
            kept="It stays at Gemini for 48 hours",
        )

    def _download(self, file_name: str, spool: IO[bytes]) -> bool:
        """Whether the file came to its end."""

        def read() -> bool:
            spool.seek(0)
            spool.truncate()
            try:
                self.sdk.files.download(file=file_name, destination=spool)  # type: ignore[call-overload]  # as above
            except (httpx2.RemoteProtocolError, httpx2.ReadError):
                return False
            return True

        return asked(f"reading the file {file_name!r}", read)


def _check_id(provider_job_id: str) -> None:
    """Anything else would ask for something else: part of an address can mean another job, or a list."""
    if not _JOB_ID.fullmatch(provider_job_id):
        raise ArgumentError(
            f"{provider_job_id!r} is no id of a job at Gemini: these look like 'batches/abc123'. Give what BatchJob.id "
            f"was."
        )
