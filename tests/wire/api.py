"""The endpoints, as functions from a request to a reply; no sockets here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias, cast

import orjson

from tests.wire import models, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.batches import ApiError, BatchStore, invalid, not_found, view
from tests.wire.faults import Endpoint, Errored, Reply, error_reply, too_large
from tests.wire.jobs import TooLateError, UnknownJobError
from tests.wire.messages import AnthropicProducer
from tests.wire.outcomes import content_hash
from tests.wire.rules import RefusedError, check_params
from tests.wire.service import Call, ok

__all__ = ["AnthropicProducer", "Api"]

VERSIONS = ("2023-06-01", "2026-10-21")
_MAX_PAGE = 1000
_MAX_BODY_BYTES = 32_000_000
_MAX_BATCH_BYTES = 256_000_000


_ID = "(?P<id>[^/]+)"
ROUTES: tuple[tuple[str, re.Pattern[str], Endpoint], ...] = (
    ("POST", re.compile("/v1/messages/batches"), Endpoint.CREATE),
    ("GET", re.compile("/v1/messages/batches"), Endpoint.LIST),
    ("GET", re.compile(f"/v1/messages/batches/{_ID}"), Endpoint.RETRIEVE),
    ("GET", re.compile(f"/v1/messages/batches/{_ID}/results"), Endpoint.RESULTS),
    ("POST", re.compile(f"/v1/messages/batches/{_ID}/cancel"), Endpoint.CANCEL),
    ("DELETE", re.compile(f"/v1/messages/batches/{_ID}"), Endpoint.DELETE),
    ("POST", re.compile("/v1/messages/count_tokens"), Endpoint.COUNT_TOKENS),
    ("GET", re.compile("/v1/models"), Endpoint.MODELS),
    ("GET", re.compile(f"/v1/models/{_ID}"), Endpoint.MODELS),
    ("POST", re.compile("/v1/messages"), Endpoint.MESSAGES),
)


Endpoints: TypeAlias = dict[Endpoint, Callable[[Call], Reply]]


class Api:
    """The Messages, Batches and Models API of one workspace with one key."""

    def __init__(self, *, key: str, batches: BatchStore) -> None:
        self._key = key
        self._batches = batches
        self.limits = dict.fromkeys(Endpoint, _MAX_BODY_BYTES) | {Endpoint.CREATE: _MAX_BATCH_BYTES}
        self._endpoints: Endpoints = {
            Endpoint.CREATE: self._create,
            Endpoint.RETRIEVE: lambda call: ok(view(batches.check(_id(call)), call.base_url)),
            Endpoint.CANCEL: lambda call: ok(view(batches.cancel(_id(call)), call.base_url)),
            Endpoint.LIST: self._list,
            Endpoint.RESULTS: self._results,
            Endpoint.DELETE: self._delete,
            Endpoint.COUNT_TOKENS: self._count_tokens,
            Endpoint.MODELS: self._models,
            Endpoint.MESSAGES: self._message,
        }

    def route(self, method: str, path: str) -> tuple[Endpoint, str | None] | None:
        for verb, pattern, endpoint in ROUTES:
            match = pattern.fullmatch(path)
            if match and verb == method:
                return endpoint, match.groupdict().get("id")
        return None

    def handle(self, endpoint: Endpoint, call: Call) -> Reply:
        try:
            self._authenticate(call)
            return self._endpoints[endpoint](call)
        except ApiError as error:
            return error.reply
        except UnknownJobError as error:
            return not_found(str(error)).reply
        except TooLateError as error:
            return invalid(str(error)).reply
        except RefusedError as error:
            status = 404 if error.type == "not_found_error" else 400
            return ApiError(status, error.type, str(error)).reply

    def max_bytes(self, endpoint: Endpoint) -> int:
        return self.limits[endpoint]

    def nowhere(self) -> Reply:
        return error_reply(404, "not_found_error", "Not found")

    def too_large(self) -> Reply:
        return too_large()

    def stamped(self, reply: Reply, request_id: str) -> Reply:
        """In a header, and in the body of an error."""
        body = reply.body
        if reply.content_type == "application/json" and reply.status >= 400:  # errors
            body = orjson.dumps({**orjson.loads(body), "request_id": request_id})
        return replace(reply, body=body, headers=(("request-id", request_id), *reply.headers))

    def _authenticate(self, call: Call) -> None:
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key not in {bearer, call.headers.get("x-api-key")}:
            raise ApiError(401, "authentication_error", "API key is invalid.")
        version = _version(call)
        if not version:
            raise invalid("anthropic-version: header is required")
        if version not in VERSIONS:
            raise invalid(f"anthropic-version: {version!r} is not a valid version")

    def _create(self, call: Call) -> Reply:
        job = self._batches.create(_json(call), _version(call))
        reply = ok(view(job, call.base_url))
        return replace(reply, on_send=lambda: self._batches.ledger.record_answered(job.id))

    def _list(self, call: Call) -> Reply:
        views = [view(job, call.base_url) for job in self._batches.newest_first()]
        return _page(call, views)

    def _results(self, call: Call) -> Reply:
        lines = self._batches.results(_id(call))
        return Reply(200, b"".join(lines), content_type="application/x-jsonl")

    def _delete(self, call: Call) -> Reply:
        self._batches.delete(_id(call))
        return ok({"id": _id(call), "type": "message_batch_deleted"})

    def _count_tokens(self, call: Call) -> Reply:
        params = _json(call)
        check_params(params, _version(call), counting=True, in_batch=False)
        return ok({"input_tokens": tokens.count(params)})

    def _models(self, call: Call) -> Reply:
        if call.path_id is not None:
            model = models.MODELS.get(call.path_id)
            if model is None:
                raise not_found(f"model: {call.path_id}")
            return ok(models.model_info(model))
        wanted = call.query.get("lifecycle[]") or call.query.get("lifecycle") or ("active", "deprecated")
        known = sorted(models.MODELS.values(), key=lambda model: model.created_at, reverse=True)
        return _page(call, [models.model_info(model) for model in known if model.lifecycle in wanted])

    def _message(self, call: Call) -> Reply:
        params = _json(call)
        check_params(params, _version(call), in_batch=False)
        if params.get("stream"):
            raise invalid("stream: this server does not stream")
        producer = cast("AnthropicProducer", self._batches.producer)
        answer = producer.answer(params)
        if isinstance(answer, Errored):
            raise ApiError(500, answer.type, answer.message)
        if not isinstance(answer, Answer):
            raise ApiError(529, "overloaded_error", "Overloaded")
        content = content_hash(params)
        message = producer.message(params, answer, tier="standard", seed=content)
        self._batches.ledger.record_billed(
            batch_id=None, custom_id=None, content=content, model=params["model"], usage=message["usage"]
        )
        return ok(message)


def _id(call: Call) -> str:
    if call.path_id is None:
        raise not_found("Not found")
    return call.path_id


def _json(call: Call) -> JsonObject:
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The request body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid("Input should be an object")
    return body


def _version(call: Call) -> str:
    return call.headers.get("anthropic-version", "")


def _page(call: Call, entries: list[JsonObject]) -> Reply:
    """A page of a list that is newest first; ``before_id`` gives the page just before that entry."""
    limit = _limit(call)
    after, before = (call.query.get(key, [""])[0] for key in ("after_id", "before_id"))
    if after and before:
        raise invalid("Only one of before_id and after_id may be given")
    ids = [entry["id"] for entry in entries]
    if (after or before) and (after or before) not in ids:
        raise invalid(f"after_id or before_id: {after or before!r} is not in the list")
    if before:
        end = ids.index(before)
        start, has_more = max(0, end - limit), end > limit
    else:
        start = ids.index(after) + 1 if after else 0
        end, has_more = start + limit, start + limit < len(ids)
    data = entries[start:end]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return ok({"data": data, "has_more": has_more, **ends})


def _limit(call: Call) -> int:
    given = call.query.get("limit", ["20"])[0]
    if not given.isdecimal() or not 1 <= int(given) <= _MAX_PAGE:
        raise invalid("limit: Input should be between 1 and 1000")
    return int(given)
