"""What Mistral says of a model, asked before any file is read."""

from __future__ import annotations

import difflib
import logging
from typing import Any

from mistralai.client import Mistral

from batchata.errors import ProviderError, UnknownModelError
from batchata.providers.mistral.errors import asked
from batchata.types import ModelInfo

logger = logging.getLogger(__name__)

_NOT_FOUND = 404
_SUGGESTED = "mistral-small-2603 or mistral-large-2512"


def describe_model(client: Mistral, model: str) -> ModelInfo:
    """Ask for the model. Raises ``UnknownModelError`` for one that does not exist."""
    try:
        found: Any = asked(f"asking for the model {model!r}", lambda: client.models.retrieve(model_id=model))
    except ProviderError as error:
        if error.status_code != _NOT_FOUND:
            raise
        raise UnknownModelError(_unknown(client, model)) from error
    if found.deprecation:
        logger.warning("%s is deprecated and retires on %s", model, found.deprecation.date())
    return ModelInfo(model, retires_at=found.deprecation or None, max_input_tokens=found.max_context_length)


def _unknown(client: Mistral, model: str) -> str:
    known = asked("asking for its models", client.models.list).data or []
    names = [str(getattr(each, "id", "")) for each in known]
    close = difflib.get_close_matches(model, names, n=2, cutoff=0.8)
    meant = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Try {_SUGGESTED}."
    return f"Mistral does not know the model {model!r}. {meant}"
