"""What Mistral says of a model, asked before any file is read."""

from __future__ import annotations

import difflib
import logging
from datetime import UTC, datetime

from mistralai.client import Mistral
from mistralai.client.models import BaseModelCard, FTModelCard

from batchata.errors import ProviderError, UnknownModelError, UnsupportedArgumentError
from batchata.providers.mistral.errors import asked
from batchata.providers.texts import is_model_name
from batchata.types import ModelInfo

logger = logging.getLogger(__name__)

_NOT_FOUND = 404
_SUGGESTED = "mistral-small-2603 or mistral-large-2512"


def describe_model(client: Mistral, model: str) -> ModelInfo:
    """Ask for the model. Raises ``UnknownModelError`` or ``UnsupportedArgumentError`` for one that cannot be used."""
    if not is_model_name(model):
        raise UnknownModelError(_unknown(client, model))
    try:
        found = asked(f"asking for the model {model!r}", lambda: client.models.retrieve(model_id=model))
    except ProviderError as error:
        if error.status_code != _NOT_FOUND:
            raise
        raise UnknownModelError(_unknown(client, model)) from error
    if not isinstance(found, BaseModelCard | FTModelCard):  # of a kind newer than the SDK
        return ModelInfo(model)
    _refuse_mute(model, found)
    if isinstance(found, FTModelCard) and found.archived:
        logger.warning("%s is archived: unarchive it in Mistral's console if its requests fail", model)
    return ModelInfo(model, retires_at=_retirement(model, found), max_input_tokens=_context(found))


def _refuse_mute(model: str, found: BaseModelCard | FTModelCard) -> None:
    """Of models for embeddings, moderation or OCR, whose names begin as the others' do."""
    able = found.capabilities
    if "completion_chat" in able.model_fields_set and not able.completion_chat:
        raise UnsupportedArgumentError(f"{model!r} cannot be used for chat completions. Use {_SUGGESTED}.")


def _retirement(model: str, found: BaseModelCard | FTModelCard) -> datetime | None:
    """The date is that of the removal: the SDK's own warning says so of the one that comes with answers."""
    ends = found.deprecation
    if not isinstance(ends, datetime):
        return None
    successor = found.deprecation_replacement_model
    advice = f": use {successor}" if successor else ""
    logger.warning("%s is deprecated and retires on %s%s", model, ends.date(), advice)
    return ends if ends.tzinfo else ends.replace(tzinfo=UTC)


def _context(found: BaseModelCard | FTModelCard) -> int | None:
    """``None`` where Mistral does not say: the SDK would make a number up."""
    return found.max_context_length if "max_context_length" in found.model_fields_set else None


def _unknown(client: Mistral, model: str) -> str:
    try:
        known = asked("asking for its models", client.models.list).data or []
    except ProviderError:  # what is unknown stays so
        known = []
    names = [str(getattr(each, "id", "")) for each in known]
    close = difflib.get_close_matches(model, names, n=2, cutoff=0.8)
    meant = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Try {_SUGGESTED}."
    return f"Mistral does not know the model {model!r}. {meant}"
