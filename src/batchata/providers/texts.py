"""Documents as text, for providers that take none, and what else all encoders share. Pure."""

from __future__ import annotations

import base64
import logging
import math
import re
from xml.sax.saxutils import quoteattr

import orjson

from batchata.errors import ConversationError, DocumentError, UnsupportedArgumentError
from batchata.types import Document, JsonObject, Request

logger = logging.getLogger(__name__)

_MODEL_NAME = re.compile(r"(?!.*\.\.)[\w.:@/+-]+", re.ASCII)


def is_model_name(model: str) -> bool:
    """Whether a name can stand in an address and mean a model there, and not another page."""
    return _MODEL_NAME.fullmatch(model) is not None


def check(request: Request, provider: str) -> None:
    """Raise ``ArgumentError`` for what no provider without citations of its own can take."""
    if request.citations:
        raise UnsupportedArgumentError(
            f"{provider} has no citations of its own. Use citation_mode='quoted', or 'auto', which chooses."
        )
    heat: object = request.temperature
    if heat is not None and (
        isinstance(heat, bool) or not isinstance(heat, int | float) or not 0 <= heat < math.inf
    ):
        raise UnsupportedArgumentError(f"'temperature' must be a number from 0 on, got {heat!r}.")
    if request.max_tokens < 1:
        raise UnsupportedArgumentError(f"'max_tokens' must be at least 1, got {request.max_tokens}.")
    if not request.messages or request.messages[-1].role != "user":
        raise ConversationError(
            f"The conversation of {request.custom_id!r} must end with a user message: {provider} would be asked to "
            f"answer an assistant."
        )


def dumped(entry: JsonObject, custom_id: str) -> bytes:
    """An entry as one line of JSON. Raises ``ConversationError`` for text that is not Unicode."""
    try:
        return orjson.dumps(entry)
    except TypeError as error:
        raise ConversationError(
            f"The request {custom_id!r} cannot be sent: a text or file name in it holds characters that are not "
            f"Unicode ({error})."
        ) from error


def base64_text(document: Document) -> orjson.Fragment:
    """The document's bytes as the text that they are in JSON: megabytes that nobody has to look through again."""
    return _as_json(b"", document.data)


def data_uri(document: Document) -> orjson.Fragment:
    """The document's bytes as an address, as ``base64_text``."""
    return _as_json(f"data:{document.media_type};base64,".encode(), document.data)


def _as_json(head: bytes, data: bytes) -> orjson.Fragment:
    return orjson.Fragment(b'"%b%b"' % (head, base64.b64encode(data)))


def shown(document: Document, title: str | None = None) -> str:
    """A document as text under its name; a PDF page by page, from its text layer.

    Raises ``DocumentError`` for a PDF of which no page has a text layer, or whose text layer was not read.
    """
    name = document.name if title is None else title
    if document.text is not None:
        return f"<document name={quoteattr(name)}>\n{document.text}\n</document>"
    pages = document.pages or ()
    bare = [number for number, text in enumerate(pages, start=1) if not text.strip()]
    if len(bare) == len(pages):
        raise DocumentError(
            f"{document.name!r} has no text layer (scanned, perhaps), and this provider is sent text only. Use a model "
            f"that sees pages, for example 'claude-haiku-5-5', or run OCR on the file first."
        )
    if bare:
        logger.warning("%r has no text layer on page %s: the model is told so", name, ", ".join(map(str, bare)))
    inside = "\n".join(
        f'<page number="{number}">\n{text if text.strip() else "(no text layer)"}\n</page>'
        for number, text in enumerate(pages, start=1)
    )
    return f"<document name={quoteattr(name)}>\n{inside}\n</document>"
