"""The calls that OpenAI's Batch and Files API and its followers understand, through the official SDK.

Batches are read as the plain JSON they are, for those who follow OpenAI leave things out and write others differently.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, Any, TypeVar

import httpx2
import openai

from batchata.errors import ProviderError
from batchata.providers.openai.errors import asking, odd_answer, refusal_of, submit_error
from batchata.providers.openai.snapshots import time_of
from batchata.providers.refusals import Wording
from batchata.spool import ends_whole, new_spool, read_lines
from batchata.types import JsonObject

T = TypeVar("T")

logger = logging.getLogger(__name__)

_READ_RETRIES = 6
_FETCH_ATTEMPTS = 5
_LIST_LIMIT = 100


class Calls:
    """Creates are sent once, reads are retried by the SDK itself; every failure is a ``ProviderError``."""

    def __init__(self, client: openai.OpenAI, wording: Wording) -> None:
        self.reader = client.with_options(max_retries=_READ_RETRIES)
        self._writer = client.with_options(max_retries=0)
        self._wording = wording

    def upload(self, content: IO[bytes], name: str, purpose: str) -> str:
        """The new file's id. A file costs nothing, so nothing is in doubt if this fails."""
        with asking(self._wording, "uploading the job's file"):
            made: Any = self._writer.files.create(
                file=(name, content, "application/jsonl"),
                purpose=purpose,  # type: ignore[arg-type]  # some servers have purposes of their own
            )
        if not getattr(made, "id", None):  # whatever came is passed on by the SDK
            raise odd_answer(self._wording, self._writer, "uploading the job's file", made)
        return str(made.id)

    def create(self, body: JsonObject) -> str:
        """The new job's id. Raises ``SubmissionInDoubtError`` where it may exist without one."""
        try:
            batch: Any = self._writer.post("/batches", cast_to=object, body=body)
        except openai.APIError as error:
            raise submit_error(self._wording, error) from error
        except json.JSONDecodeError as error:  # the SDK lets it through
            raise self._wording.create_unanswered(f"its answer is no JSON or was cut: {error}") from error
        if isinstance(batch, dict) and isinstance(batch.get("job"), dict):  # Together's, beside a warning
            batch = batch["job"]
        if not isinstance(batch, dict) or not batch.get("id"):
            raise self._wording.create_unanswered(f"it answered {str(batch)[:200]!r}")
        return str(batch["id"])

    def batch(self, provider_job_id: str, doing: str) -> dict[str, Any]:
        with asking(self._wording, doing):
            found: Any = self.reader.get(f"/batches/{provider_job_id}", cast_to=object)
        if not isinstance(found, dict) or not found.get("id"):
            raise odd_answer(self._wording, self.reader, doing, found, retryable=True)
        return found

    def cancel(self, provider_job_id: str) -> None:
        with asking(self._wording, f"canceling the job {provider_job_id!r}"):
            self.reader.post(f"/batches/{provider_job_id}/cancel", cast_to=object)

    def since(self, earliest: datetime, doing: str, *, is_ordered: bool) -> Iterator[dict[str, Any]]:
        """Batches that are no older than that.

        Args:
            earliest: how far back to look.
            doing: for errors.
            is_ordered: whether the list is newest first, so that a page with nothing young on it ends the search.
        """
        after: str | None = None
        seen: set[str] = set()
        while True:
            page, has_more = self.page(doing, after)
            fresh = [batch for batch in page if str(batch["id"]) not in seen]
            young = [batch for batch in fresh if (time_of(batch.get("created_at")) or earliest) >= earliest]
            yield from young
            if not fresh or not has_more or (is_ordered and not young):  # nothing fresh: 'after' is not understood
                return
            seen.update(str(batch["id"]) for batch in fresh)
            after = str(page[-1]["id"])

    def page(self, doing: str, after: str | None = None) -> tuple[list[dict[str, Any]], bool]:
        """Batches, and whether there are more: some servers give fewer than asked for, some do not say."""
        params = {"limit": _LIST_LIMIT} if after is None else {"limit": _LIST_LIMIT, "after": after}
        with asking(self._wording, doing):
            page: Any = self.reader.get("/batches", cast_to=object, options={"params": params})
        is_list = isinstance(page, list) or (
            isinstance(page, dict) and ("data" in page or page.get("object") == "list")
        )
        if not is_list:  # and not an empty one: a job that is looked for may be there all the same
            raise odd_answer(self._wording, self.reader, doing, page, retryable=True)
        entries = (page.get("data") if isinstance(page, dict) else page) or []
        told = page.get("has_more") if isinstance(page, dict) else None
        has_more = len(entries) >= _LIST_LIMIT if told is None else bool(told)
        return [batch for batch in entries if batch.get("id")], has_more

    def file_name(self, file_id: str) -> str | None:
        """The name of a file; ``None`` if there is no such file any more, or none that can be asked about."""
        found: Any = self._of_file(file_id, lambda: self.reader.get(f"/files/{file_id}", cast_to=object))
        return found.get("filename") if isinstance(found, dict) else None

    def first_line(self, file_id: str) -> bytes | None:
        """The first line of a file; ``None`` if that cannot be read."""

        def read() -> bytes:
            with self.reader.files.with_streaming_response.content(file_id) as response:
                return next(response.iter_lines(), "").encode()

        return self._of_file(file_id, read) or None

    def _of_file(self, file_id: str, ask: Callable[[], T]) -> T | None:
        """The answer; ``None`` where the server will never give one."""
        if not file_id:
            return None
        with asking(self._wording, f"looking at the file {file_id!r}"):
            try:
                return ask()
            except (httpx2.TransportError, json.JSONDecodeError):
                return None
            except openai.APIStatusError as error:
                if refusal_of(error).retryable:
                    raise
                return None

    def lines(self, file_id: str) -> Iterator[bytes]:
        """The lines of a file. Downloaded whole first, so that a cut download never yields a line twice."""
        for attempt in range(1, _FETCH_ATTEMPTS + 1):
            with new_spool() as spool:
                if self._download(file_id, spool):
                    yield from read_lines(spool)
                    return
                logger.warning("download of the file %s was cut (attempt %d)", file_id, attempt)
        raise ProviderError(
            f"The file {file_id!r} with results was cut {_FETCH_ATTEMPTS} times while downloading. It stays at "
            f"{self._wording.title}: check the network and ask for it again.",
            provider=self._wording.provider,
            retryable=True,
        )

    def _download(self, file_id: str, spool: IO[bytes]) -> bool:
        """Whether the file came whole."""
        with asking(self._wording, f"reading the file {file_id!r}"):
            try:
                with self.reader.files.with_streaming_response.content(file_id) as response:
                    for chunk in response.iter_bytes():
                        spool.write(chunk)
            except httpx2.TransportError:
                return False
        return ends_whole(spool)
