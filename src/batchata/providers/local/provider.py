"""The local engine as a provider: jobs as files, answered by a worker process of our own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from batchata.errors import ArgumentError, MissingExtraError, ProviderError
from batchata.providers.local import lines, weights
from batchata.providers.local.finish import finish
from batchata.providers.local.jobs import Job, all_jobs, create_job, find_job, remove_old, try_lock
from batchata.spool import Lines
from batchata.types import (
    DocumentKind,
    JobSnapshot,
    JobState,
    Limits,
    ModelInfo,
    Outcome,
    Reason,
    Request,
    SchemaDialect,
    TokenCount,
)

_SLOTS = 4
_START_SECONDS = 5
_MOST_STARTS = 4
_LOG_TAIL = 600
_SMALLEST_CONTEXT = 256

LIMITS = Limits(
    max_requests=100_000,
    max_bytes=1_000_000_000,
    max_request_bytes=64_000_000,
    custom_id_pattern=r"[a-zA-Z0-9_-]{1,64}",
    kinds=frozenset(DocumentKind),
    max_pages=None,
    max_image_bytes=None,
    max_image_px=None,
    expires_hours=None,
    counts_live=True,
    native_citations=True,
    schema_dialect=SchemaDialect.PLAIN,
    schema_with_citations=True,
    reads_text_layer=True,
)


class LocalProvider:
    """A small model on this machine's CPU. No key, no network."""

    name = "local"
    limits = LIMITS

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._cache = weights.cache_dir(environment)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> LocalProvider:
        """Reads ``BATCHATA_CACHE_DIR`` and ``BATCHATA_LOCAL_CONTEXT``, where given."""
        return cls(environment)

    def describe(self, model: str) -> ModelInfo:
        weights.locate(model, self._environment)
        if importlib.util.find_spec("xllamacpp") is None:
            raise MissingExtraError("The package 'xllamacpp' is not installed: pip install 'batchata[local]'.")
        return ModelInfo(model=model, structured_outputs=True, citations=True)

    def encode(self, request: Request) -> bytes:
        return lines.encode(request)

    def decode(self, entry: bytes) -> Outcome:
        return lines.decode(entry)

    def submit(self, entries: Lines, *, tag: str) -> str:
        remove_old(self._cache)
        first = next(iter(entries), None)
        if first is None:
            raise ProviderError("A job needs at least one request.", provider=self.name)
        about = {
            "weights": str(weights.locate(json.loads(first)["model"], self._environment)),
            "tag": tag,
            "created_at": time.time(),
            "slots": _SLOTS,
            "context": _context(self._environment),
        }
        try:
            job = create_job(self._cache, entries, about)
        except OSError as error:
            raise ProviderError(f"The job could not be written: {error}", provider=self.name) from error
        _start(job)
        return job.id

    def check(self, provider_job_id: str) -> JobSnapshot:
        job = self._job(provider_job_id)
        if not job.has("ended"):
            _tend(job)
        return _snapshot(job)

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        return {job_id: self.check(job_id) for job_id in provider_job_ids if find_job(self._cache, job_id)}

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        yield from self._job(provider_job_id).results()

    def cancel(self, provider_job_id: str) -> None:
        job = self._job(provider_job_id)
        if not job.has("ended"):
            job.mark("canceled")
            _tend(job)

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:
        found = []
        for job in all_jobs(self._cache):
            about = job.about()
            ours = about["tag"] == tag and about["count"] == count
            if ours and about["created_at"] >= since.timestamp() - 1:
                found.append((about["created_at"], _snapshot(job)))
        return [snapshot for _, snapshot in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def count_tokens(self, request: Request) -> TokenCount:
        """A bound: every token stands for at least one byte."""
        return TokenCount(len(self.encode(request)), exact=False)

    def _job(self, job_id: str) -> Job:
        job = find_job(self._cache, job_id)
        if job is None:
            raise ProviderError(
                f"There is no local job {job_id!r} in {str(self._cache)!r}. "
                "Jobs are kept for 30 days on the machine that made them.",
                provider=self.name,
            )
        return job


def _context(environment: Mapping[str, str]) -> int | None:
    """The context the user set, in tokens."""
    given = environment.get("BATCHATA_LOCAL_CONTEXT")
    if not given:
        return None
    if not given.isdecimal() or int(given) < _SMALLEST_CONTEXT:
        raise ArgumentError(
            f"BATCHATA_LOCAL_CONTEXT is {given!r}; it must be a whole number of tokens from {_SMALLEST_CONTEXT}."
        )
    return int(given)


def _snapshot(job: Job) -> JobSnapshot:
    about = job.about()
    if job.has("ended"):
        state, ended_at = JobState.ENDED, job.marked_at("ended")
    else:
        state, ended_at = (JobState.CANCELING if job.has("canceled") else JobState.IN_PROGRESS), None
    return JobSnapshot(
        provider_job_id=job.id,
        state=state,
        counts=job.counts(),
        created_at=datetime.fromtimestamp(about["created_at"], UTC),
        ended_at=ended_at,
    )


def _tend(job: Job) -> None:
    """See that somebody works on the job: start a worker where the last one died, but not forever."""
    starts = job.folder / "starts"
    if time.time() - starts.stat().st_mtime < _START_SECONDS:
        return
    lock = try_lock(job)
    if lock is None:
        return
    with lock:
        answered = [int(line) for line in starts.read_text().split()]
        now = sum(1 for _ in job.results())
        if answered[-_MOST_STARTS:] == [now] * _MOST_STARTS:
            finish(job, Reason.ERRORED, f"the local engine died {_MOST_STARTS} times. {_log_tail(job)}")
            return
    _start(job)


def _log_tail(job: Job) -> str:
    log = job.folder / "worker.log"
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    return f"Its last words: {text[-_LOG_TAIL:]}" if text else "It left no words."


def _start(job: Job) -> None:
    """Start a worker that outlives us; remember with how many answers it began."""
    with (job.folder / "starts").open("a") as file:
        file.write(f"{sum(1 for _ in job.results())}\n")
    with (job.folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", "batchata.providers.local.worker", str(job.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=job.folder,
            **_detached(),
        )
    # Somebody has to take note of its end while we live, or it stays behind as a zombie.
    threading.Thread(target=worker.wait, daemon=True).start()


def _detached() -> dict[str, Any]:
    """How to start a process that lives on when we, or our terminal, are gone."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}
