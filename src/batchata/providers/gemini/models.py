"""What Gemini says of a model, asked before any file is read."""

from __future__ import annotations

import difflib
import re

from google import genai
from google.genai.errors import APIError
from google.genai.types import Model

from batchata.errors import ProviderError, UnknownModelError, UnsupportedArgumentError
from batchata.providers.gemini.encode import model_path
from batchata.providers.gemini.errors import asked
from batchata.providers.texts import is_model_name
from batchata.types import ModelInfo

_GONE = re.compile(r"(models/)?(gemini-1\.|gemini-2\.0|gemini-3-pro-preview$)")
"""Shut down (ai.google.dev, deprecations). Only for a quicker, clearer message."""

_SUGGESTED = "gemini-3.5-flash-lite, gemini-3.8-flash or gemini-4-argon"
_BATCH = "batchGenerateContent"
_NOT_FOUND = "NOT_FOUND"
"""What Gemini itself says; a 404 of others means that the address is wrong."""


def describe_model(client: genai.Client, model: str) -> ModelInfo:
    """Ask the Models API."""
    if _GONE.match(model):
        raise UnknownModelError(
            f"Gemini shut {model!r} down: calls fail. Use a current model, for example {_SUGGESTED}."
        )

    if not is_model_name(model):
        raise UnknownModelError(_unknown(client, model))

    def ask() -> Model:
        try:
            return client.models.get(model=model_path(model))
        except APIError as error:
            if error.status == _NOT_FOUND:
                raise UnknownModelError(_unknown(client, model)) from error
            raise

    found = asked(f"asking for the model {model!r}", ask)
    if found.supported_actions and _BATCH not in found.supported_actions:
        raise UnsupportedArgumentError(
            f"{model!r} cannot be used in batches, only for {', '.join(found.supported_actions)}. Use {_SUGGESTED}."
        )
    return ModelInfo(model, max_input_tokens=found.input_token_limit, max_output_tokens=found.output_token_limit)


def _unknown(client: genai.Client, model: str) -> str:
    try:
        listed = asked("listing the models", lambda: list(client.models.list(config={"page_size": 1000})))
    except ProviderError:
        listed = []
    names = [(entry.name or "").removeprefix("models/") for entry in listed]
    close = difflib.get_close_matches(model, names, n=2, cutoff=0.8)
    meant = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Try {_SUGGESTED}."
    return f"Gemini does not know the model {model!r}. {meant}"
