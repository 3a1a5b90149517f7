"""What Anthropic says of a model, asked before any file is read."""

from __future__ import annotations

import difflib
import logging
from datetime import UTC, datetime

import anthropic
from anthropic.types import ModelInfo as AnthropicModel

from batchata.errors import UnknownModelError, UnsupportedArgumentError
from batchata.providers.anthropic.errors import asking
from batchata.providers.retirements import retirement
from batchata.providers.texts import is_model_name
from batchata.types import ModelInfo

logger = logging.getLogger(__name__)

_SUGGESTED = "claude-haiku-5-5, claude-sonnet-5-5 or claude-opus-5-5"
_LONG_CONTEXT_TOKENS = 1_000_000
_PAGES_IN_SHORT_CONTEXT = 100


def describe_model(client: anthropic.Anthropic, model: str) -> ModelInfo:
    """Ask the Models API. A server without one (some gateways) leaves everything unknown."""
    _refuse_retired(model)
    if not is_model_name(model):
        raise UnknownModelError(_unknown(client, model))
    with asking(f"asking for the model {model!r}"):
        try:
            return _check(model, client.models.retrieve(model))
        except anthropic.NotFoundError as error:
            if error.type != "not_found_error":
                return ModelInfo(model)
            raise UnknownModelError(_unknown(client, model)) from error


def _refuse_retired(model: str) -> None:
    day = retirement(model)
    if day is not None and day <= datetime.now(UTC).date():
        raise UnknownModelError(
            f"Anthropic retired {model!r} on {day}: calls fail. Use a current model, for example {_SUGGESTED}."
        )


def _unknown(client: anthropic.Anthropic, model: str) -> str:
    try:
        names = [entry.id for entry in client.models.list(limit=100)]
    except anthropic.APIError:
        names = []
    close = difflib.get_close_matches(model, names, n=2, cutoff=0.8)
    meant = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Try {_SUGGESTED}."
    return f"Anthropic does not know the model {model!r}. {meant}"


def _check(model: str, found: AnthropicModel) -> ModelInfo:
    if found.lifecycle == "retired":
        raise UnknownModelError(
            f"Anthropic retired {model!r}: calls fail. Use a current model, for example {_SUGGESTED}."
        )
    if found.lifecycle == "deprecated":
        logger.warning("%s is deprecated and retires on %s", model, found.retires_at)
    can = found.capabilities
    if can is not None and not can.batch.supported:
        raise UnsupportedArgumentError(f"{model!r} cannot be used in batches. Use {_SUGGESTED}.")
    is_short = found.max_input_tokens is not None and found.max_input_tokens < _LONG_CONTEXT_TOKENS
    return ModelInfo(
        model=model,
        retires_at=found.retires_at,
        max_input_tokens=found.max_input_tokens,
        max_output_tokens=found.max_tokens,
        max_pages=_PAGES_IN_SHORT_CONTEXT if is_short else None,
        structured_outputs=None if can is None else can.structured_outputs.supported,
        citations=None if can is None else can.citations.supported,
    )
