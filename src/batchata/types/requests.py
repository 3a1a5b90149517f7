"""What is asked, in a form that no provider owns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from batchata.types.documents import Document, DocumentKind

JsonObject: TypeAlias = dict[str, object]


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class TextPart:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A document or image in a message."""

    document: Document
    title: str | None = None


Part: TypeAlias = TextPart | DocumentPart
Role: TypeAlias = Literal["user", "assistant"]


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: an input, and the answer the model should have given (text, or JSON text)."""

    parts: tuple[Part, ...]
    output: str


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class Request:
    """The provider-neutral form of one item.

    Attributes:
        custom_id: our id; the only link from a result to its item.
        model: the model's name as the provider knows it.
        messages: the conversation; system text stands in ``system``.
        max_tokens: most tokens the model may write.
        system: system prompt, with the instructions for the answer's form where these are needed.
        temperature: ``None`` leaves it to the provider.
        schema: JSON Schema for the provider to enforce, in the provider's dialect; ``None`` for free text or
            where the form is asked for in ``system`` only.
        citations: whether the provider's own citations are wanted.
        examples: shown before the messages, as turns.
        cache_prefix: whether system and examples are shared by many requests and worth caching.
    """

    custom_id: str
    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    system: str | None = None
    temperature: float | None = None
    schema: JsonObject | None = None
    citations: bool = False
    examples: tuple[Example, ...] = ()
    cache_prefix: bool = False

    @property
    def documents(self) -> tuple[Document, ...]:
        """All documents and images, in the order in which the model sees them, examples first."""
        found = [part.document for turn in self.examples for part in turn.parts if isinstance(part, DocumentPart)]
        found += [part.document for turn in self.messages for part in turn.parts if isinstance(part, DocumentPart)]
        return tuple(found)


class SchemaDialect(StrEnum):
    """Which subset of JSON Schema a provider enforces."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    """OpenAI's strict mode, which others follow."""
    GEMINI = "gemini"
    PLAIN = "plain"
    """Whole JSON Schema as Pydantic writes it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes, as data; ``None`` means no limit known.

    Attributes:
        max_requests: requests in one job.
        max_bytes: encoded bytes of one job.
        max_request_bytes: encoded bytes of one request.
        custom_id_pattern: regular expression that a whole custom_id must match.
        kinds: kinds of documents the provider takes, as themselves or converted by its adapter.
        max_pages: PDF pages in one request.
        max_image_bytes: bytes of one image.
        max_image_px: longest side of one image.
        expires_hours: hours after which an unfinished job expires.
        counts_live: whether a running job reports finished requests.
        native_citations: whether the provider itself cites places in input documents.
        schema_dialect: ``None`` when the provider cannot enforce a schema.
        schema_with_citations: whether schema and native citations go together in one request.
        reads_text_layer: whether its adapter needs the text layer of PDFs.
        marks_cache: whether its adapter asks for a shared beginning to be cached, which some providers charge for.
    """

    max_requests: int
    max_bytes: int
    max_request_bytes: int
    custom_id_pattern: str
    kinds: frozenset[DocumentKind]
    max_pages: int | None
    max_image_bytes: int | None
    max_image_px: int | None
    expires_hours: float | None
    counts_live: bool
    native_citations: bool
    schema_dialect: SchemaDialect | None
    schema_with_citations: bool
    reads_text_layer: bool
    marks_cache: bool = False


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the provider says of a model; ``None`` where it does not say.

    Attributes:
        model: the name as the provider knows it.
        retires_at: when calls begin to fail.
        max_input_tokens: size of the context.
        max_output_tokens: largest ``max_tokens``.
        max_pages: PDF pages in one request, where that depends on the model.
        structured_outputs: whether a schema is enforced.
        citations: whether the model can cite.
    """

    model: str
    retires_at: datetime | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    max_pages: int | None = None
    structured_outputs: bool | None = None
    citations: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Input tokens of one request: exact as the provider counts, or a bound that is not passed."""

    tokens: int
    exact: bool
