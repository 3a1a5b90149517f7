"""OpenAI's files, batches, models and token counts, as functions from a request to a reply."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tests.wire.answers import JsonObject
from tests.wire.faults import Endpoint, Reply
from tests.wire.filestore import File, FileStore, form_of
from tests.wire.jobs import Job, JobStore, TooLateError, UnknownJobError
from tests.wire.media import BadMediaError
from tests.wire.openai.producer import count
from tests.wire.openai.rules import ENDPOINTS, MODELS
from tests.wire.service import Call, ok

MAX_FILE_BYTES = 512_000_000
MAX_BATCH_BYTES = 200_000_000
MAX_REQUESTS = 50_000
_MAX_PAGE = 100
_EXPIRY = ("expires_after[anchor]", "expires_after[seconds]")
_ID = "(?P<id>[^/]+)"
ROUTES: tuple[tuple[str, re.Pattern[str], Endpoint], ...] = (
    ("POST", re.compile("/v1/files"), Endpoint.UPLOAD),
    ("GET", re.compile(f"/v1/files/{_ID}"), Endpoint.FILE),
    ("GET", re.compile(f"/v1/files/{_ID}/content"), Endpoint.RESULTS),
    ("DELETE", re.compile(f"/v1/files/{_ID}"), Endpoint.DELETE),
    ("POST", re.compile("/v1/batches"), Endpoint.CREATE),
    ("GET", re.compile("/v1/batches"), Endpoint.LIST),
    ("GET", re.compile(f"/v1/batches/{_ID}"), Endpoint.RETRIEVE),
    ("POST", re.compile(f"/v1/batches/{_ID}/cancel"), Endpoint.CANCEL),
    ("POST", re.compile("/v1/responses/input_tokens"), Endpoint.COUNT_TOKENS),
    ("GET", re.compile("/v1/models"), Endpoint.MODELS),
    ("GET", re.compile(f"/v1/models/{_ID}"), Endpoint.MODELS),
)


@dataclass(frozen=True, slots=True)
class Leniency:
    """What a server that only follows OpenAI does otherwise.

    Attributes:
        wrapped_job: the answer to a create is ``{"job": …}``, as Together's.
        bare_lists: lists are arrays and come whole, as Together's.
        oldest_first: the list of batches.
        own_file_names: files are not shown under the names they came with.
    """

    upper_status: bool = False
    iso_dates: bool = False
    no_counts: bool = False
    no_metadata: bool = False
    errors_in_output: bool = False
    no_models: bool = False
    wrapped_job: bool = False
    bare_lists: bool = False
    oldest_first: bool = False
    own_file_names: bool = False


class ApiError(Exception):
    """The answer is this error."""

    def __init__(self, status: int, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.reply = error_reply(status, message, code=code)


def error_reply(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """An error as OpenAI words it."""
    body = orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
    return Reply(status, body, headers=headers)


class OpenAIApi:
    """The API of one project with one key.

    Attributes:
        queue_tokens: how many tokens of prompts may wait in all batches together.
    """

    def __init__(self, *, key: str, batches: JobStore, leniency: Leniency) -> None:
        self.key = key
        self.leniency = leniency
        self._batches = batches
        self._files = FileStore("file")
        self.queue_tokens: float = math.inf
        self._results: dict[str, tuple[str | None, str | None]] = {}
        self._endpoints: dict[Endpoint, Callable[[Call], Reply]] = {
            Endpoint.UPLOAD: self._upload,
            Endpoint.FILE: lambda call: ok(_file_view(self._file(call))),
            Endpoint.RESULTS: lambda call: Reply(200, self._file(call).content, content_type="application/binary"),
            Endpoint.DELETE: self._delete,
            Endpoint.CREATE: self._create,
            Endpoint.LIST: self._list,
            Endpoint.RETRIEVE: lambda call: ok(self._view(batches.check(call.path_id or ""))),
            Endpoint.CANCEL: lambda call: ok(self._view(batches.cancel(call.path_id or ""))),
            Endpoint.COUNT_TOKENS: _count_tokens,
            Endpoint.MODELS: self._models,
        }

    def route(self, method: str, path: str) -> tuple[Endpoint, str | None] | None:
        for verb, pattern, endpoint in ROUTES:
            match = pattern.fullmatch(path)
            if match and verb == method and not (self.leniency.no_models and endpoint is Endpoint.MODELS):
                return endpoint, match.groupdict().get("id")
        return None

    def handle(self, endpoint: Endpoint, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return error_reply(401, "Incorrect API key provided: wrong.", code="invalid_api_key")
        try:
            return self._endpoints[endpoint](call)
        except ApiError as error:
            return error.reply
        except UnknownJobError as error:
            return error_reply(404, f"No batch found: {error}")
        except TooLateError as error:
            return error_reply(409, str(error))
        except BadMediaError as error:
            return error_reply(400, str(error))

    def max_bytes(self, endpoint: Endpoint) -> int:
        return MAX_FILE_BYTES if endpoint is Endpoint.UPLOAD else 50_000_000

    def nowhere(self) -> Reply:
        return error_reply(404, "Invalid URL")

    def too_large(self) -> Reply:
        return Reply(413, b"<html><h1>413 Request Entity Too Large</h1></html>", content_type="text/html")

    def stamped(self, reply: Reply, request_id: str) -> Reply:
        return replace(reply, headers=(("x-request-id", request_id), *reply.headers))

    def _file(self, call: Call) -> File:
        found = self._files.get(call.path_id or "")
        if found is None:
            raise ApiError(404, f"No such File object: {call.path_id}")
        return found

    def _upload(self, call: Call) -> Reply:
        form = form_of(call.headers.get("content-type", ""), call.body)
        if not {"file", "purpose"} <= form.keys() or form.keys() - {"file", "purpose", *_EXPIRY}:
            raise ApiError(400, f"Invalid form: {sorted(form)}")
        name, content = form["file"]
        purpose = form["purpose"][1].decode()
        if purpose not in {"batch", "batch-api"} or not name:
            raise ApiError(400, f"{purpose!r} is not one of ['batch'] - 'purpose'")
        shown = "upload" if self.leniency.own_file_names else name
        return ok(_file_view(self._files.add(shown, purpose, content)))

    def _delete(self, call: Call) -> Reply:
        found = self._file(call)
        self._files.delete(found.id)
        return ok({"id": found.id, "object": "file", "deleted": True})

    def _create(self, call: Call) -> Reply:
        body = orjson.loads(call.body)
        needed = {"input_file_id", "endpoint", "completion_window"}
        unknown = body.keys() - needed - {"metadata"}
        if unknown:
            raise ApiError(400, f"Unknown parameter: {min(unknown)!r}.", code="unknown_parameter")
        if needed - body.keys():
            missing = min(needed - body.keys())
            raise ApiError(400, f"Missing required parameter: {missing!r}.", code="missing_required_parameter")
        if body["endpoint"] not in ENDPOINTS or body["completion_window"] != "24h":
            raise ApiError(400, "Invalid endpoint or completion_window")
        file = self._files.get(body["input_file_id"])
        if file is None:
            raise ApiError(404, f"No such File object: {body['input_file_id']}")
        problems = list(_problems(file.content, body["endpoint"])) or list(self._crowd(file.content))
        lines = [] if problems else [orjson.loads(line) for line in file.content.splitlines()]
        given = {**body, "errors": problems[:10]}
        job = self._batches.accept([(line["custom_id"], line["body"]) for line in lines], given)
        view = {"job": self._view(job)} if self.leniency.wrapped_job else self._view(job)
        return replace(ok(view), on_send=lambda: self._batches.ledger.record_answered(job.id))

    def _crowd(self, content: bytes) -> Iterator[JsonObject]:
        """Whether a file's prompts find room beside those that wait."""
        mine = sum(count(orjson.loads(line)["body"]) for line in content.splitlines())
        open_jobs = [job for job in self._batches.newest_first() if job.ended_at is None]
        waiting = sum(count(item.params) for job in open_jobs for item in job.items)
        if mine + waiting > self.queue_tokens:
            words = (
                "Enqueued token limit reached for gpt-6-luna in organization org-1. Limit: "
                f"{self.queue_tokens} enqueued tokens. Please try again once some in_progress batches have been "
                "completed."
            )
            yield _problem("token_limit_exceeded", words, None)

    def _list(self, call: Call) -> Reply:
        given = call.query.get("limit", ["20"])[0]
        limit = int(given) if given.isdecimal() else 0
        if not 1 <= limit <= _MAX_PAGE:
            raise ApiError(400, "limit must be between 1 and 100")
        views = [self._view(job) for job in self._batches.newest_first()]
        if self.leniency.oldest_first:
            views.reverse()
        if self.leniency.bare_lists:
            return Reply(200, orjson.dumps(views))
        after = call.query.get("after", [None])[0]
        ids = [view["id"] for view in views]
        if after is not None and after not in ids:
            raise ApiError(400, f"No batch found with id {after!r}.")
        start = 0 if after is None else 1 + ids.index(after)
        data = views[start : start + limit]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
        return ok({"object": "list", "data": data, "has_more": start + limit < len(views), **ends})

    def _models(self, call: Call) -> Reply:
        views = [{"id": name, "object": "model", "created": 1780000000, "owned_by": "openai"} for name in MODELS]
        if call.path_id is None:
            return Reply(
                200, orjson.dumps(views if self.leniency.bare_lists else {"object": "list", "data": views})
            )
        for view in views:
            if view["id"] == call.path_id:
                return ok(view)
        raise ApiError(
            404,
            f"The model '{call.path_id}' does not exist or you do not have access to it.",
            code="model_not_found",
        )

    def _view(self, job: Job) -> JsonObject:
        """The batch as the API shows it."""
        output, errors = self._results_of(job)
        status = _status(job)
        kinds = job.counts
        failed = kinds["errored"] + kinds["expired"] + kinds["canceled"]
        is_new = bool(job.given["errors"]) or not (job.checks or job.ended_at)
        view: JsonObject = {
            "id": job.id,
            "object": "batch",
            "endpoint": job.given["endpoint"],
            "model": None if is_new else job.items[0].params["model"],
            "errors": {"object": "list", "data": job.given["errors"]} if status == "failed" else None,
            "input_file_id": job.given["input_file_id"],
            "completion_window": "24h",
            "status": status.upper() if self.leniency.upper_status else status,
            "output_file_id": output,
            "error_file_id": errors,
            "created_at": self._time(job.created_at),
            "in_progress_at": None if is_new else self._time(job.created_at),
            "expires_at": self._time(job.created_at + timedelta(hours=24)),
            "finalizing_at": self._time(job.ended_at) if status == "completed" else None,
            "completed_at": self._time(job.ended_at) if status == "completed" else None,
            "failed_at": self._time(job.ended_at) if status == "failed" else None,
            "expired_at": self._time(job.expired_at),
            "cancelling_at": self._time(job.cancel_initiated_at),
            "cancelled_at": self._time(job.ended_at) if status == "cancelled" else None,
            "request_counts": {
                "total": 0 if is_new else len(job.items),
                "completed": kinds["succeeded"],
                "failed": failed,
            },
            "usage": _usage(job),
            "metadata": job.given.get("metadata"),
        }
        for key, is_left_out in (
            ("request_counts", self.leniency.no_counts),
            ("metadata", self.leniency.no_metadata),
        ):
            if is_left_out:
                del view[key]
        return view

    def _time(self, when: datetime | None) -> int | str | None:
        if when is None:
            return None
        return when.astimezone(UTC).isoformat() if self.leniency.iso_dates else int(when.timestamp())

    def _results_of(self, job: Job) -> tuple[str | None, str | None]:
        """The output file and the error file; one that would be empty is not made."""
        if job.ended_at is None or job.archived_at is not None or not job.items:
            return None, None
        if job.id not in self._results:
            split: dict[bool, list[bytes]] = {True: [], False: []}
            for _, produced in job.produced:
                split[produced.kind == "succeeded" or self.leniency.errors_in_output].extend(produced.lines)
            made = [
                self._files.add(f"{job.id}_{name}.jsonl", "batch_output", b"".join(split[kind])).id
                if split[kind]
                else None
                for kind, name in ((True, "output"), (False, "error"))
            ]
            self._results[job.id] = (made[0], made[1])
        return self._results[job.id]


def _status(job: Job) -> str:
    if job.given["errors"]:
        return "failed" if job.checks else "validating"
    if job.ended_at is not None:
        if job.expired_at is not None:
            return "expired"
        return "completed" if job.cancel_initiated_at is None else "cancelled"
    if job.cancel_initiated_at is not None:
        return "cancelling"
    return "in_progress" if job.checks else "validating"


def _usage(job: Job) -> JsonObject:
    """Of all the batch's answers together, in the words of responses whichever API was called."""
    each = [produced.usage for _, produced in job.produced if produced.usage is not None]
    into: int = sum(usage.get("input_tokens") or usage["prompt_tokens"] for usage in each)
    out = sum(usage["total_tokens"] for usage in each) - into
    return {
        "input_tokens": into,
        "output_tokens": out,
        "total_tokens": into + out,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }


def _file_view(file: File) -> JsonObject:
    return {
        "object": "file",
        "id": file.id,
        "purpose": file.purpose,
        "filename": file.name,
        "bytes": len(file.content),
        "created_at": file.created_at,
        "expires_at": file.created_at + 2_592_000,
        "status": "processed",
        "status_details": None,
    }


def _problems(content: bytes, endpoint: str) -> Iterator[JsonObject]:
    """Why a batch of this file fails while it is validated."""
    lines = content.splitlines()
    if not lines:
        yield _problem("empty_file", "The input file is empty.", None)
    if len(lines) > MAX_REQUESTS or len(content) > MAX_BATCH_BYTES:
        yield _problem("too_many_tasks", "The input file is too large.", None)
    seen: set[str] = set()
    models: set[str] = set()
    for number, line in enumerate(lines, start=1):
        try:
            entry: Any = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield _problem("invalid_json_line", "This line is not parseable as valid JSON.", number)
            continue
        if not isinstance(entry, dict) or entry.keys() != {"custom_id", "method", "url", "body"}:
            yield _problem("invalid_request", "This line has other fields than it should.", number)
            continue
        if entry["url"] != endpoint or entry["method"] != "POST":
            yield _problem("url_mismatch", "The url of this line is not the batch's endpoint.", number)
        if entry["custom_id"] in seen or not 1 <= len(entry["custom_id"]) <= 64:
            yield _problem("duplicate_custom_id", f"The custom_id {entry['custom_id']!r} is not unique.", number)
        if entry["body"].get("model") not in MODELS:
            model = entry["body"].get("model")
            yield _problem("model_not_found", f"The model '{model}' is not supported by the Batch API.", number)
        seen.add(entry["custom_id"])
        models.add(str(entry["body"].get("model")))
    if len(models) > 1:
        yield _problem("mismatched_model", "All lines must have the same model.", None)


def _problem(code: str, message: str, line: int | None) -> JsonObject:
    return {"code": code, "line": line, "message": message, "param": None}


def _count_tokens(call: Call) -> Reply:
    body = orjson.loads(call.body)
    unknown = body.keys() - {"model", "input", "instructions", "text", "tools", "reasoning"}
    if unknown:
        raise ApiError(400, f"Unknown parameter: {min(unknown)!r}.", code="unknown_parameter")
    return ok({"object": "response.input_tokens", "input_tokens": count(body)})
