"""OpenAI itself: its limits, its models, its count of tokens."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

import openai

from batchata.errors import UnknownModelError
from batchata.providers.access import address_of, key_of, no_key
from batchata.providers.openai.encode import ENDPOINT, body_of, encode
from batchata.providers.openai.errors import OPENAI, asking, refusing_requests
from batchata.providers.openai.provider import FileJobsProvider, Server
from batchata.providers.retirements import RETIREMENTS
from batchata.providers.texts import dumped
from batchata.types import DocumentKind, Limits, ModelInfo, Request, SchemaDialect, TokenCount

logger = logging.getLogger(__name__)

_MEGABYTE = 1_000_000

LIMITS = Limits(
    max_requests=50_000,
    max_bytes=200 * _MEGABYTE,
    max_request_bytes=50 * _MEGABYTE,
    custom_id_pattern=r"[a-zA-Z0-9_-]{1,64}",
    kinds=frozenset(DocumentKind),
    max_pages=None,
    max_image_bytes=None,
    max_image_px=None,
    expires_hours=24,
    counts_live=True,
    native_citations=False,
    schema_dialect=SchemaDialect.OPENAI,
    schema_with_citations=True,
    reads_text_layer=False,
)

_SUGGESTED = "gpt-6-luna, gpt-6.1-terra or gpt-6.1-sol"

_COUNTED = ("model", "input", "instructions", "text")


def connect(environment: Mapping[str, str]) -> FileJobsProvider:
    """Connect with ``OPENAI_API_KEY``, at ``OPENAI_BASE_URL`` if set."""
    key = key_of(environment, "OPENAI_API_KEY")
    if not key:
        raise no_key("OpenAI", "OPENAI_API_KEY")
    client = openai.OpenAI(
        api_key=key,
        base_url=address_of(environment, "OPENAI_BASE_URL"),
        organization=environment.get("OPENAI_ORG_ID") or None,
        project=environment.get("OPENAI_PROJECT_ID") or None,
    )
    return FileJobsProvider(client, SERVER)


def _describe(client: openai.OpenAI, model: str) -> ModelInfo:
    retires = RETIREMENTS.get(model)
    if retires is not None and retires <= datetime.now(UTC).date():
        raise UnknownModelError(
            f"OpenAI shut {model!r} down: calls fail. Use a current model, for example {_SUGGESTED}."
        )
    with asking(OPENAI, f"asking for the model {model!r}"):
        try:
            client.models.retrieve(model)
        except openai.NotFoundError as error:
            raise UnknownModelError(_unknown(client, model)) from error
    if retires is None:
        return ModelInfo(model)
    logger.warning("%s is deprecated and retires on %s", model, retires)
    return ModelInfo(model, retires_at=datetime.combine(retires, time(), UTC))


def _unknown(client: openai.OpenAI, model: str) -> str:
    try:
        names = [entry.id for entry in client.models.list()]
    except openai.APIError:
        names = []
    close = difflib.get_close_matches(model, names, n=2, cutoff=0.8)
    meant = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Try {_SUGGESTED}."
    return f"OpenAI does not know the model {model!r}, or this key may not use it. {meant}"


def _count(client: openai.OpenAI, request: Request) -> TokenCount:
    """OpenAI's own count, which it calls exact."""
    body = body_of(request)
    asked = dumped({key: body[key] for key in _COUNTED if key in body}, request.custom_id)
    with asking(OPENAI, f"counting the tokens of {request.custom_id!r}"), refusing_requests(OPENAI):
        counted: Any = client.post(
            "/responses/input_tokens",
            cast_to=object,
            content=asked,
            options={"headers": {"content-type": "application/json"}},
        )
    return TokenCount(int(counted["input_tokens"]), exact=True)


SERVER = Server(wording=OPENAI, limits=LIMITS, endpoint=ENDPOINT, encode=encode, describe=_describe, count=_count)
