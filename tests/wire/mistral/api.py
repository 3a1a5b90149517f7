"""Mistral's files, batch jobs and models, as functions from a request to a reply."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import orjson

from tests.wire.answers import JsonObject
from tests.wire.faults import Endpoint, Reply
from tests.wire.filestore import File, FileStore, form_of
from tests.wire.jobs import Job, JobStore, TooLateError, UnknownJobError
from tests.wire.mistral.producer import RATES
from tests.wire.service import Call, ok

MAX_FILE_BYTES = 512_000_000
MAX_REQUESTS = 100_000
_ID = "(?P<id>[^/]+)"
ROUTES: tuple[tuple[str, re.Pattern[str], Endpoint], ...] = (
    ("POST", re.compile("/v1/files"), Endpoint.UPLOAD),
    ("GET", re.compile(f"/v1/files/{_ID}/content"), Endpoint.RESULTS),
    ("POST", re.compile("/v1/batch/jobs"), Endpoint.CREATE),
    ("GET", re.compile("/v1/batch/jobs"), Endpoint.LIST),
    ("GET", re.compile(f"/v1/batch/jobs/{_ID}"), Endpoint.RETRIEVE),
    ("POST", re.compile(f"/v1/batch/jobs/{_ID}/cancel"), Endpoint.CANCEL),
    ("GET", re.compile("/v1/models"), Endpoint.MODELS),
    ("GET", re.compile(f"/v1/models/{_ID}"), Endpoint.MODELS),
)
_CREATE_FIELDS = {"input_files", "requests", "model", "endpoint", "metadata", "timeout_hours", "agent_id"}


class ApiError(Exception):
    """The answer is this error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = error_reply(status, message)


def error_reply(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """An error as Mistral words it: a refused key is told in another form."""
    body: JsonObject = {"object": "error", "message": message, "type": "invalid_request_error", "code": None}
    return Reply(status, orjson.dumps({"detail": message} if status == 401 else body), headers=headers)


class MistralApi:
    """The API of one workspace with one key."""

    def __init__(self, *, key: str, batches: JobStore) -> None:
        self.key = key
        self._batches = batches
        self._files = FileStore("file")
        self._results: dict[str, tuple[str | None, str | None]] = {}
        self._endpoints: dict[Endpoint, Callable[[Call], Reply]] = {
            Endpoint.UPLOAD: self._upload,
            Endpoint.RESULTS: lambda call: Reply(
                200, self._file(call.path_id or "").content, content_type="application/octet-stream"
            ),
            Endpoint.CREATE: self._create,
            Endpoint.LIST: self._list,
            Endpoint.RETRIEVE: lambda call: ok(self._view(batches.check(call.path_id or ""))),
            Endpoint.CANCEL: lambda call: ok(self._view(batches.cancel(call.path_id or ""))),
            Endpoint.MODELS: _models,
        }

    def route(self, method: str, path: str) -> tuple[Endpoint, str | None] | None:
        for verb, pattern, endpoint in ROUTES:
            match = pattern.fullmatch(path)
            if match and verb == method:
                return endpoint, match.groupdict().get("id")
        return None

    def handle(self, endpoint: Endpoint, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return error_reply(401, "Unauthorized")
        try:
            return self._endpoints[endpoint](call)
        except ApiError as error:
            return error.reply
        except UnknownJobError as error:
            return error_reply(404, str(error))
        except TooLateError as error:
            return error_reply(409, str(error))

    def max_bytes(self, endpoint: Endpoint) -> int:
        return MAX_FILE_BYTES if endpoint is Endpoint.UPLOAD else 50_000_000

    def nowhere(self) -> Reply:
        return error_reply(404, "no Route matched with those values")

    def too_large(self) -> Reply:
        return Reply(413, b"<html><h1>413 Request Entity Too Large</h1></html>", content_type="text/html")

    def stamped(self, reply: Reply, request_id: str) -> Reply:
        return replace(reply, headers=(("mistral-correlation-id", request_id), *reply.headers))

    def _file(self, file_id: str) -> File:
        found = self._files.get(file_id)
        if found is None:
            raise ApiError(404, f"No file matches the given query: {file_id}")
        return found

    def _upload(self, call: Call) -> Reply:
        form = form_of(call.headers.get("content-type", ""), call.body)
        if (
            form.keys() - {"visibility"} != {"file", "purpose"}
            or form["purpose"][1] != b"batch"
            or not form["file"][0]
        ):
            raise ApiError(422, f"Invalid form: {sorted(form)}")
        made = self._files.add(str(form["file"][0]), "batch", form["file"][1])
        return ok(
            {
                "id": made.id,
                "object": "file",
                "bytes": len(made.content),
                "created_at": made.created_at,
                "filename": made.name,
                "purpose": "batch",
                "sample_type": "batch_request",
                "num_lines": made.content.count(b"\n"),
                "source": "upload",
            }
        )

    def _create(self, call: Call) -> Reply:
        body = orjson.loads(call.body)
        if body.keys() - _CREATE_FIELDS:
            raise ApiError(422, f"Extra inputs are not permitted: {min(body.keys() - _CREATE_FIELDS)}")
        if body["endpoint"] != "/v1/chat/completions" or body["model"] not in RATES:
            raise ApiError(400, f"Invalid model: {body['model']}")
        content = b"".join(self._file(file_id).content for file_id in body["input_files"])
        for problem in _problems(content):
            raise ApiError(422, problem)
        lines = [orjson.loads(line) for line in content.splitlines()]
        job = self._batches.accept([(line["custom_id"], line["body"]) for line in lines], body)
        return replace(ok(self._view(job)), on_send=lambda: self._batches.ledger.record_answered(job.id))

    def _list(self, call: Call) -> Reply:
        """Newest first; filtered by metadata here, which no other provider does."""
        page, size = (
            int(call.query.get(key, [default])[0]) for key, default in (("page", "0"), ("page_size", "100"))
        )
        jobs = self._batches.newest_first()
        if "metadata" in call.query:
            wanted = orjson.loads(call.query["metadata"][0])
            jobs = [job for job in jobs if wanted.items() <= (job.given.get("metadata") or {}).items()]
        if "created_after" in call.query:
            earliest = datetime.fromisoformat(call.query["created_after"][0])
            jobs = [job for job in jobs if job.created_at > earliest]
        data = [self._view(job) for job in jobs[page * size : (page + 1) * size]]
        return ok({"object": "list", "data": data, "total": len(jobs)})

    def _view(self, job: Job) -> JsonObject:
        output, errors = self._results_of(job)
        counts = job.counts
        is_new = not job.checks
        return {
            "id": job.id,
            "object": "batch",
            "input_files": job.given["input_files"],
            "metadata": job.given.get("metadata"),
            "endpoint": job.given["endpoint"],
            "model": job.given["model"],
            "agent_id": None,
            "output_file": output,
            "error_file": errors,
            "errors": [],
            "outputs": None,
            "status": _status(job),
            "created_at": int(job.created_at.timestamp()),
            "total_requests": 0 if is_new else len(job.items),
            "completed_requests": counts["succeeded"] + counts["errored"],
            "succeeded_requests": counts["succeeded"],
            "failed_requests": counts["errored"],
            "started_at": None if is_new else int(job.created_at.timestamp()),
            "completed_at": None if job.ended_at is None else int(job.ended_at.timestamp()),
        }

    def _results_of(self, job: Job) -> tuple[str | None, str | None]:
        """The output file and the error file; one that would be empty is not made."""
        if job.ended_at is None or job.archived_at is not None:
            return None, None
        if job.id not in self._results:
            made = []
            for is_error in (False, True):
                lines = [
                    line for _, each in job.produced for line in each.lines if (each.kind == "errored") == is_error
                ]
                made.append(self._files.add("results.jsonl", "batch", b"".join(lines)).id if lines else None)
            self._results[job.id] = (made[0], made[1])
        return self._results[job.id]


def _status(job: Job) -> str:
    if job.ended_at is None:
        if job.cancel_initiated_at is not None:
            return "CANCELLATION_REQUESTED"
        return "RUNNING" if job.checks else "QUEUED"
    if job.expired_at is not None:
        return "TIMEOUT_EXCEEDED"
    return "SUCCESS" if job.cancel_initiated_at is None else "CANCELLED"


def _problems(content: bytes) -> Iterator[str]:
    """What is wrong with a file of requests."""
    lines = content.splitlines()
    if not lines or len(lines) > MAX_REQUESTS:
        yield f"A job takes 1 to {MAX_REQUESTS} requests, not {len(lines)}"
    seen: set[str] = set()
    for number, line in enumerate(lines):
        entry = orjson.loads(line)
        if entry.keys() != {"custom_id", "body"} or entry["custom_id"] in seen:
            yield f"Line {number} is invalid"
        seen.add(entry["custom_id"])


def _models(call: Call) -> Reply:
    views: list[JsonObject] = [
        {
            "id": name,
            "object": "model",
            "created": 1780000000,
            "owned_by": "mistralai",
            "capabilities": {"completion_chat": True, "vision": True},
            "name": name,
            "max_context_length": 131_072,
            "aliases": [],
            "deprecation": None,
            "type": "base",
        }
        for name in RATES
    ]
    if call.path_id is None:
        return ok({"object": "list", "data": views})
    for view in views:
        if view["id"] == call.path_id:
            return ok(view)
    raise ApiError(404, f"Model not found: {call.path_id}")
