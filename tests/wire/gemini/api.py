"""The endpoints, as functions from a request to a reply; no sockets here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import orjson

from tests.wire.answers import JsonObject
from tests.wire.faults import Endpoint, Reply
from tests.wire.gemini.batches import GeminiBatches
from tests.wire.gemini.files import FileStore
from tests.wire.gemini.models import MODELS, model_info
from tests.wire.gemini.replies import GoogleError, bad_key, error_reply, invalid, not_found
from tests.wire.gemini.rules import RefusedError, check_fields, check_request, check_shape, count, normal
from tests.wire.jobs import TooLateError, UnknownJobError
from tests.wire.service import Call, ok

T = TypeVar("T")

_VERSION = "/v1(?:beta)?"
"""The SDK calls v1 unless told otherwise; what was recorded is v1beta."""
_ID = "(?P<id>[^/:]+)"
ROUTES: tuple[tuple[str, re.Pattern[str], Endpoint], ...] = (
    ("POST", re.compile(f"{_VERSION}/models/{_ID}:batchGenerateContent"), Endpoint.CREATE),
    ("GET", re.compile(f"{_VERSION}/batches"), Endpoint.LIST),
    ("GET", re.compile(f"{_VERSION}/batches/{_ID}"), Endpoint.RETRIEVE),
    ("POST", re.compile(f"{_VERSION}/batches/{_ID}:cancel"), Endpoint.CANCEL),
    ("DELETE", re.compile(f"{_VERSION}/batches/{_ID}"), Endpoint.DELETE),
    ("POST", re.compile(f"/upload{_VERSION}/files"), Endpoint.UPLOAD),
    ("GET", re.compile(f"{_VERSION}/files/{_ID}:download"), Endpoint.RESULTS),
    ("POST", re.compile(f"{_VERSION}/models/{_ID}:countTokens"), Endpoint.COUNT_TOKENS),
    ("GET", re.compile(f"{_VERSION}/models"), Endpoint.MODELS),
    ("GET", re.compile(f"{_VERSION}/models/{_ID}"), Endpoint.MODELS),
)
_MAX_BODY_BYTES = 20_971_520
_MAX_FILE_BYTES = 2_000_000_000


class GeminiApi:
    """The Batch, Files and Models API of one project with one key."""

    def __init__(self, *, key: str, batches: GeminiBatches, files: FileStore) -> None:
        self._key = key
        self._batches = batches
        self._files = files
        self.limits = dict.fromkeys(Endpoint, _MAX_BODY_BYTES) | {Endpoint.UPLOAD: _MAX_FILE_BYTES}
        self._endpoints: dict[Endpoint, Callable[[Call], Reply]] = {
            Endpoint.CREATE: self._create,
            Endpoint.RETRIEVE: lambda call: ok(batches.view(batches.check(_job_id(call)))),
            Endpoint.CANCEL: self._cancel,
            Endpoint.LIST: self._list,
            Endpoint.RESULTS: self._download,
            Endpoint.DELETE: self._delete,
            Endpoint.UPLOAD: files.upload,
            Endpoint.COUNT_TOKENS: self._count_tokens,
            Endpoint.MODELS: self._models,
        }

    def route(self, method: str, path: str) -> tuple[Endpoint, str | None] | None:
        for verb, pattern, endpoint in ROUTES:
            match = pattern.fullmatch(path)
            if match and verb == method:
                return endpoint, match.groupdict().get("id")
        return None

    def handle(self, endpoint: Endpoint, call: Call) -> Reply:
        try:
            if "upload_id" not in call.query:  # whose pieces come without the key
                self._authenticate(call)
            return self._endpoints[endpoint](call)
        except GoogleError as error:
            return error.reply
        except UnknownJobError as error:
            return error_reply(404, str(error))
        except (TooLateError, RefusedError) as error:
            return error_reply(400, str(error))

    def max_bytes(self, endpoint: Endpoint) -> int:
        return self.limits[endpoint]

    def nowhere(self) -> Reply:
        return Reply(404, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", content_type="text/html")

    def too_large(self) -> Reply:
        return error_reply(400, f"Request payload size exceeds the limit: {_MAX_BODY_BYTES} bytes.")

    def stamped(self, reply: Reply, request_id: str) -> Reply:  # noqa: ARG002  # this provider gives none
        return reply

    def _authenticate(self, call: Call) -> None:
        given = call.headers.get("x-goog-api-key") or call.query.get("key", [""])[0]
        if not given:
            raise GoogleError(error_reply(403, "Method doesn't allow unregistered callers."))
        if given != self._key:
            raise bad_key()

    def _create(self, call: Call) -> Reply:
        job = self._batches.create(str(call.path_id), _json(call))
        reply = ok(self._batches.view(job))
        return replace(reply, on_send=lambda: self._batches.ledger.record_answered(job.id))

    def _list(self, call: Call) -> Reply:
        jobs, token = _page(call, self._batches.newest_first())
        return ok({"operations": [self._batches.view(job, whole=False) for job in jobs], **token})

    def _cancel(self, call: Call) -> Reply:
        self._batches.cancel(_job_id(call))
        return ok({})

    def _delete(self, call: Call) -> Reply:
        self._batches.delete(_job_id(call))
        return ok({})

    def _download(self, call: Call) -> Reply:
        if call.query.get("alt") != ["media"]:
            raise invalid("alt: must be media")
        content = self._batches.results_file(f"files/{call.path_id}")
        return Reply(200, content, content_type="application/octet-stream")

    def _count_tokens(self, call: Call) -> Reply:
        model = MODELS.get(str(call.path_id))
        if model is None:
            raise _unknown_model(call, "countTokens")
        body = check_fields(normal(_json(call)), {"contents", "generateContentRequest"}, "count_tokens")
        request = body.get("generateContentRequest", body)
        check_shape(request)
        check_request(request, model)
        total = count(request)
        return ok({"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]})

    def _models(self, call: Call) -> Reply:
        if call.path_id is None:
            models, token = _page(call, list(MODELS.values()))
            return ok({"models": [model_info(model) for model in models], **token})
        if call.path_id not in MODELS:
            raise _unknown_model(call, "generateContent")
        return ok(model_info(MODELS[call.path_id]))


def _unknown_model(call: Call, method: str) -> GoogleError:
    return not_found(
        f"models/{call.path_id} is not found for API version v1beta, or is not supported for {method}. Call "
        f"ListModels to see the list of available models and their supported methods."
    )


def _job_id(call: Call) -> str:
    return f"batches/{call.path_id}"


def _json(call: Call) -> JsonObject:
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. Not an object.")
    return body


def _page(call: Call, entries: list[T]) -> tuple[list[T], JsonObject]:
    """A page, and the token of the next if there is one."""
    size = min(int(call.query.get("pageSize", ["50"])[0]), 1000)
    start = int(call.query.get("pageToken", ["0"])[0])
    more = start + size < len(entries)
    return entries[start : start + size], {"nextPageToken": str(start + size)} if more else {}
