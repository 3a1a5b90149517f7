"""How an answer's form is asked for: enforced by the provider, in words, or both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batchata.structured.dialect import for_dialect, is_object
from batchata.structured.quoting import QUOTING, QUOTING_TEXT, with_quotes
from batchata.structured.schema import schema_of
from batchata.types import CitationMode, JsonObject, SchemaDialect

if TYPE_CHECKING:
    from pydantic import BaseModel

_ALONE = """\
Answer with one JSON value that is valid against the JSON Schema below, and with nothing else: no explanation \
before or after it, no code fence, no comments. Use the property names of the schema exactly. Where the input does \
not say a value, use null if the schema allows it, else leave the property out if it is not required; never make a \
value up."""
_CITED = """\
Take every value from the documents. Copy texts word for word as they stand there, without markup of any kind; \
write numbers and dates in the form that the schema asks for."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a request says of its answer's form.

    Attributes:
        schema: what the provider enforces, in its dialect; ``None`` if it enforces nothing.
        instructions: what the system prompt says; ``None`` if nothing needs to be said.
        is_wrapped: whether the schema holds the value as ``{"value": …}``, for its own root is no object.
    """

    schema: JsonObject | None = None
    instructions: str | None = None
    is_wrapped: bool = False


def form(
    model: type[BaseModel] | None, mode: CitationMode | None = None, dialect: SchemaDialect | None = None
) -> Form:
    """How to ask for an answer of the model (``None``: text), with quotes in the mode that needs them.

    ``dialect`` is ``None`` where the provider can enforce nothing in this request. Raises ``SchemaError`` for a
    model that JSON cannot express.
    """
    schema = None if model is None else schema_of(model)
    is_quoted = mode is CitationMode.QUOTED
    asked = with_quotes(schema) if is_quoted else schema
    if asked is None:
        return Form()
    fitted = None if dialect is None else for_dialect(asked, dialect)
    words = [] if fitted is not None else [_ALONE]
    if is_quoted:
        words.append(QUOTING_TEXT if model is None else QUOTING)
    if model is not None and (mode is CitationMode.ALIGNED or (mode is CitationMode.NATIVE and fitted is None)):
        words.append(_CITED)
    if fitted is None:
        words.append("JSON Schema:\n" + json.dumps(asked, ensure_ascii=False))
    return Form(fitted, "\n\n".join(words) or None, is_wrapped=fitted is not None and not is_object(asked))
