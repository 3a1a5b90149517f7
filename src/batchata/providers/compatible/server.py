"""Any server that follows OpenAI's Batch and Files API, spoken to in chat completions."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import openai

from batchata.errors import ArgumentError
from batchata.providers.access import address_of, key_of, no_key
from batchata.providers.chat.bound import most_tokens
from batchata.providers.chat.encode import chat_body
from batchata.providers.compatible.presets import PRESETS, Preset
from batchata.providers.openai.errors import asking, odd_answer
from batchata.providers.openai.provider import FileJobsProvider, Server
from batchata.providers.refusals import Wording
from batchata.providers.texts import dumped
from batchata.types import (
    DocumentKind,
    JsonObject,
    Limits,
    ModelInfo,
    Request,
    SchemaDialect,
)

logger = logging.getLogger(__name__)

ENDPOINT = "/v1/chat/completions"
_MEGABYTE = 1_000_000
_NO_KEY = "none"
"""The SDK wants a key even for a server that wants none."""

_NO_SUCH_ENDPOINT = frozenset({404, 405, 501})
_FIRST_RETRIES = 2
"""Of the first question of all: whoever mistyped an address is told soon, and nothing is lost by asking later."""


def connect(name: str, environment: Mapping[str, str]) -> FileJobsProvider:
    """Connect to a preset with ``NAME_API_KEY``, at ``NAME_BASE_URL`` if set."""
    preset = PRESETS[name]
    key_variable, url_variable = f"{name.upper()}_API_KEY", f"{name.upper()}_BASE_URL"
    base_url = address_of(environment, url_variable) or preset.base_url
    if base_url is None:
        raise ArgumentError(
            f"No address for the model '{name}/…': set {url_variable} in the environment or in a .env file in the "
            f"working directory, for example {url_variable}=http://localhost:8321/v1 (and {key_variable}, if the "
            f"server wants a key)."
        )
    key = key_of(environment, key_variable)
    if preset.needs_key and not key:
        raise no_key(preset.title, key_variable)
    headers = _headers(key or _NO_KEY)
    client = openai.OpenAI(api_key=key or _NO_KEY, base_url=base_url, default_headers=headers)
    return FileJobsProvider(client, server(name, preset, key_variable, base_url))


def _headers(key: str) -> dict[str, Any]:
    """The SDK sends what the environment has it say to OpenAI, another key even: that is nobody else's business."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    told = {line.partition(":")[0].strip() for line in lines if ":" in line}
    theirs = {name for name in told if name.lower() != "authorization"} | {"OpenAI-Organization", "OpenAI-Project"}
    return {**dict.fromkeys(theirs, openai.Omit()), "Authorization": f"Bearer {key}"}


def server(name: str, preset: Preset, key_variable: str, base_url: str) -> Server:
    """What the provider has to know of a preset."""
    wording = Wording(
        name,
        preset.title,
        advice={
            401: f"Check {key_variable}.",
            403: f"The key in {key_variable} may not do this.",
            404: f"Nothing is there: the address {base_url!r} may be wrong (it mostly ends with /v1), the server may "
            f"have no batches, or the job is gone.",
            413: "Send fewer or smaller items in one job.",
        },
        spend_advice=f"Add credit at {preset.title}.",
    )
    return Server(
        wording=wording,
        limits=_limits(preset),
        endpoint=ENDPOINT,
        encode=_encoder(preset.title),
        describe=lambda client, model: _describe(client, model, wording),
        count=lambda _, request: most_tokens(request, chat_body(request, preset.title)),
        purpose=preset.purpose,
        window=preset.window,
        takes_metadata=preset.takes_metadata,
        is_lenient=True,
    )


def _limits(preset: Preset) -> Limits:
    return Limits(
        max_requests=preset.max_requests,
        max_bytes=preset.max_bytes,
        max_request_bytes=20 * _MEGABYTE,
        custom_id_pattern=r"[a-zA-Z0-9_-]{1,64}",
        kinds=frozenset(DocumentKind),
        max_pages=None,
        max_image_bytes=None,
        max_image_px=None,
        expires_hours=preset.expires_hours,
        counts_live=True,
        native_citations=False,
        schema_dialect=SchemaDialect.OPENAI,
        schema_with_citations=True,
        reads_text_layer=True,
    )


def _encoder(title: str) -> Callable[[Request], bytes]:
    def encode(request: Request) -> bytes:
        body = chat_body(request, title)
        line: JsonObject = {"custom_id": request.custom_id, "method": "POST", "url": ENDPOINT, "body": body}
        return dumped(line, request.custom_id)

    return encode


def _describe(client: openai.OpenAI, model: str, wording: Wording) -> ModelInfo:
    """Whether the server lists the model: many list only some, so a missing one is a warning and no more."""
    with asking(wording, f"asking {str(client.base_url)!r} for its models"):
        try:
            listed: Any = client.with_options(max_retries=_FIRST_RETRIES).get("/models", cast_to=object)
        except openai.APIStatusError as error:
            if error.status_code not in _NO_SUCH_ENDPOINT:
                raise
            return ModelInfo(model)
    entries = listed.get("data") if isinstance(listed, dict) else listed  # Together's is a bare list
    if isinstance(entries, str):
        raise odd_answer(wording, client, "asking for its models", entries)
    names = [str(entry.get("id")) for entry in entries or () if isinstance(entry, dict)]
    if names and model not in names:
        close = difflib.get_close_matches(model, names, n=2, cutoff=0.6)
        meant = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        logger.warning("%s does not list the model %r.%s", wording.title, model, meant)
    return ModelInfo(model)
