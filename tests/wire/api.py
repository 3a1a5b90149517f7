"""The endpoints, as functions from a request to a reply; no sockets here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import orjson

from tests.wire import models, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.batches import ApiError, BatchStore, invalid, not_found
from tests.wire.faults import Endpoint, Errored, Reply
from tests.wire.ledger import Ledger
from tests.wire.outcomes import Producer, content_hash
from tests.wire.rules import RefusedError, check_params

VERSIONS = ("2023-06-01", "2026-10-21")
_MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, read."""

    path_id: str | None
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    base_url: str = ""

    @property
    def version(self) -> str:
        return self.headers.get("anthropic-version", "")


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


def route(method: str, path: str) -> tuple[Endpoint, str | None] | None:
    """The endpoint of a path, and the id in it."""
    for verb, pattern, endpoint in ROUTES:
        match = pattern.fullmatch(path)
        if match and verb == method:
            return endpoint, match.groupdict().get("id")
    return None


Endpoints: TypeAlias = dict[Endpoint, Callable[[Call], Reply]]


class Api:
    """The Messages, Batches and Models API of one workspace with one key."""

    def __init__(self, *, key: str, batches: BatchStore, producer: Producer, ledger: Ledger) -> None:
        self._key = key
        self._batches = batches
        self._producer = producer
        self._ledger = ledger
        self._endpoints: Endpoints = {
            Endpoint.CREATE: self._create,
            Endpoint.RETRIEVE: lambda call: _ok(batches.check(_id(call)).view(call.base_url)),
            Endpoint.CANCEL: lambda call: _ok(batches.cancel(_id(call)).view(call.base_url)),
            Endpoint.LIST: self._list,
            Endpoint.RESULTS: self._results,
            Endpoint.DELETE: self._delete,
            Endpoint.COUNT_TOKENS: self._count_tokens,
            Endpoint.MODELS: self._models,
            Endpoint.MESSAGES: self._message,
        }

    def handle(self, endpoint: Endpoint, call: Call) -> Reply:
        """The reply to a call, errors included."""
        try:
            self._authenticate(call)
            return self._endpoints[endpoint](call)
        except ApiError as error:
            return error.reply
        except RefusedError as error:
            status = 404 if error.type == "not_found_error" else 400
            return ApiError(status, error.type, str(error)).reply

    def _authenticate(self, call: Call) -> None:
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key not in {bearer, call.headers.get("x-api-key")}:
            raise ApiError(401, "authentication_error", "API key is invalid.")
        if not call.version:
            raise invalid("anthropic-version: header is required")
        if call.version not in VERSIONS:
            raise invalid(f"anthropic-version: {call.version!r} is not a valid version")

    def _create(self, call: Call) -> Reply:
        batch = self._batches.create(_json(call), call.version)
        reply = _ok(batch.view(call.base_url))
        return replace(reply, on_send=lambda: self._ledger.record_answered(batch.id))

    def _list(self, call: Call) -> Reply:
        views = [batch.view(call.base_url) for batch in self._batches.newest_first()]
        return _page(call, views)

    def _results(self, call: Call) -> Reply:
        lines = self._batches.results(_id(call))
        return Reply(200, b"".join(lines), content_type="application/x-jsonl")

    def _delete(self, call: Call) -> Reply:
        self._batches.delete(_id(call))
        return _ok({"id": _id(call), "type": "message_batch_deleted"})

    def _count_tokens(self, call: Call) -> Reply:
        params = _json(call)
        check_params(params, call.version, counting=True, in_batch=False)
        return _ok({"input_tokens": tokens.count(params)})

    def _models(self, call: Call) -> Reply:
        if call.path_id is not None:
            model = models.MODELS.get(call.path_id)
            if model is None:
                raise not_found(f"model: {call.path_id}")
            return _ok(models.model_info(model))
        wanted = call.query.get("lifecycle[]") or call.query.get("lifecycle") or ("active", "deprecated")
        known = sorted(models.MODELS.values(), key=lambda model: model.created_at, reverse=True)
        return _page(call, [models.model_info(model) for model in known if model.lifecycle in wanted])

    def _message(self, call: Call) -> Reply:
        params = _json(call)
        check_params(params, call.version, in_batch=False)
        if params.get("stream"):
            raise invalid("stream: this server does not stream")
        answer = self._producer.answer(params)
        if isinstance(answer, Errored):
            raise ApiError(500, answer.type, answer.message)
        if not isinstance(answer, Answer):
            raise ApiError(529, "overloaded_error", "Overloaded")
        content = content_hash(params)
        message = self._producer.message(params, answer, tier="standard", seed=content)
        self._ledger.record_billed(
            batch_id=None, custom_id=None, content=content, model=params["model"], usage=message["usage"]
        )
        return _ok(message)


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


def _ok(body: JsonObject) -> Reply:
    return Reply(200, orjson.dumps(body))


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
    return _ok({"data": data, "has_more": has_more, **ends})


def _limit(call: Call) -> int:
    given = call.query.get("limit", ["20"])[0]
    if not given.isdecimal() or not 1 <= int(given) <= _MAX_PAGE:
        raise invalid("limit: Input should be between 1 and 1000")
    return int(given)
