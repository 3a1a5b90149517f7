"""The values every room shares: frozen dataclasses inside, TypedDicts at the public edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Literal, TypeAlias, TypedDict, TypeVar

JsonObject: TypeAlias = dict[str, object]
T = TypeVar("T")


# --- documents ---------------------------------------------------------------------------------------


class DocumentKind(StrEnum):
    """What a file is, recognised by its content."""

    PDF = "pdf"
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    CSV = "csv"
    JSON = "json"
    DOCX = "docx"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    GIF = "gif"

    @property
    def is_image(self) -> bool:
        """Whether it is a picture, with no text at all."""
        return self in {DocumentKind.PNG, DocumentKind.JPEG, DocumentKind.WEBP, DocumentKind.GIF}


@dataclass(frozen=True, slots=True)
class Document:
    """One checked input file.

    Attributes:
        name: the file name shown to the user and, as title, to the model.
        kind: what the content is.
        media_type: MIME type of ``data``.
        data: the bytes as given.
        text: the text of everything but PDFs and images: decoded as it is (plain text, Markdown, CSV, JSON)
            or converted (HTML, DOCX). ``None`` for PDFs and images.
        pages: the text layer of a PDF, one string a page, ``""`` where a page has none; ``None`` if it is
            not a PDF or the text layer was not asked for.
        page_count: pages of a PDF; ``None`` for other kinds.
        size_px: width and height of an image; ``None`` for other kinds.
    """

    name: str
    kind: DocumentKind
    media_type: str
    data: bytes = field(repr=False)
    text: str | None = field(default=None, repr=False)
    pages: tuple[str, ...] | None = field(default=None, repr=False)
    page_count: int | None = None
    size_px: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page: points (1/72 inch), origin at the top left of the page as it is shown."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a document, for looking up what is cited from it.

    Attributes:
        name: the document's name.
        pages: text by page; one entry for documents without pages; ``""`` for a page without a text layer.
        paged: whether ``pages`` are pages of a PDF.
        boxes: rectangles of the characters ``[start, end)`` of a 1-based page; ``None`` without a layout.
    """

    name: str
    pages: tuple[str, ...] = field(repr=False)
    paged: bool
    boxes: Callable[[int, int, int], tuple[Box, ...]] | None = field(default=None, repr=False)


# --- requests ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: an input, and the answer the model should have given (text, or JSON text)."""

    parts: tuple[Part, ...]
    output: str


@dataclass(frozen=True, slots=True)
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
        parts = [part for example in self.examples for part in example.parts]
        parts += [part for message in self.messages for part in message.parts]
        return tuple(part.document for part in parts if isinstance(part, DocumentPart))


class SchemaDialect(StrEnum):
    """Which subset of JSON Schema a provider enforces."""

    ANTHROPIC = "anthropic"
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


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the provider says of a model; ``None`` where it does not say.

    Attributes:
        model: the name as the provider knows it.
        retires_at: when calls begin to fail.
        max_input_tokens: size of the context.
        max_output_tokens: largest ``max_tokens``.
        structured_outputs: whether a schema is enforced.
        citations: whether the model can cite.
    """

    model: str
    retires_at: datetime | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    structured_outputs: bool | None = None
    citations: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Input tokens of one request: exact as the provider counts, or a bound that is not passed."""

    tokens: int
    exact: bool


# --- jobs --------------------------------------------------------------------------------------------


class JobState(StrEnum):
    """How a job stands at the provider (providers.md 6.2)."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    CANCELING = "canceling"
    ENDED = "ended"
    """Results can be read, also after expiry or cancel."""
    FAILED = "failed"
    """Over, with nothing to read."""


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """How many requests of a job ended in which way, as far as the provider tells."""

    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        """All requests of the job."""
        return self.processing + self.done

    @property
    def done(self) -> int:
        """Requests that ended, in whichever way."""
        return self.succeeded + self.errored + self.canceled + self.expired


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """What ``check`` saw."""

    provider_job_id: str
    state: JobState
    counts: RequestCounts | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    message: str | None = None


# --- answers -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. Adds up with ``+``; ``sum(usages, Usage())`` works.

    Attributes:
        input_tokens: the whole prompt, cache reads and writes included.
        output_tokens: everything written, reasoning included.
        cache_read_tokens: part of ``input_tokens`` read from the provider's cache.
        cache_write_tokens: part of ``input_tokens`` written to it for minutes.
        cache_write_1h_tokens: part of ``input_tokens`` written to it for an hour.
        reasoning_tokens: part of ``output_tokens`` spent on thinking.
        web_searches: searches the provider ran, billed apart.
        service_tier: what the provider says it billed as, for example ``"batch"``.
        inference_geo: where it ran, if that changes the price.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    web_searches: int = 0
    service_tier: str | None = None
    inference_geo: str | None = None

    def __add__(self, other: Usage) -> Usage:
        totals: dict[str, int] = {}
        words: dict[str, str | None] = {}
        for spec in fields(self):
            mine, theirs = getattr(self, spec.name), getattr(other, spec.name)
            if isinstance(mine, int):
                totals[spec.name] = mine + theirs
            else:
                words[spec.name] = mine if mine is not None else theirs
        return Usage(**totals, **words)  # type: ignore[arg-type]  # field names, split by type above


class Origin(StrEnum):
    """Who says that a value comes from a place."""

    PROVIDER = "provider"
    """The provider's own citation feature."""
    QUOTED = "quoted"
    """The model, asked for a verbatim quote."""
    ALIGNED = "aligned"
    """Found in the document by us."""


class Match(StrEnum):
    """How a cited text was found in the source document."""

    EXACT = "exact"
    NORMALISED = "normalised"
    """But for white space, hyphenation, typography or case."""
    NUMERIC = "numeric"
    """The same number or date, written differently."""
    FUZZY = "fuzzy"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a source document that an answer, or one field of it, comes from.

    Attributes:
        cited_text: the words of the source.
        document: name of the document; ``None`` if it is not known.
        document_index: its position among the documents of the item, from 0.
        document_title: title as the provider repeats it.
        start_page: first page, 1-based; ``None`` for sources without pages.
        end_page: last page, 1-based and inclusive.
        start_char: offset of the first character, from 0: in the text of a document without pages, else in
            the text layer of ``start_page``.
        end_char: offset after the last character, in the text of the document or of ``end_page``.
        start_block: first block of a source given in blocks, from 0.
        end_block: block after the last one.
        source: address of a source that is not one of the documents (search results).
        boxes: rectangles on the page, for PDFs with a text layer.
        origin: who says so.
        match: how the text was found in the source; ``None`` if the source was not at hand to look.
        verified: the text stands at the named place (``exact``, ``normalised`` or ``numeric``).
        score: 0 to 1; below 1 when the text stands in several places or matched loosely; ``None`` if not
            looked up.
        raw: the provider's own citation object, as it came.
    """

    cited_text: str
    document: str | None = None
    document_index: int | None = None
    document_title: str | None = None
    start_page: int | None = None
    end_page: int | None = None
    start_char: int | None = None
    end_char: int | None = None
    start_block: int | None = None
    end_block: int | None = None
    source: str | None = None
    boxes: tuple[Box, ...] = ()
    origin: Origin = Origin.PROVIDER
    match: Match | None = None
    verified: bool = False
    score: float | None = None
    raw: Mapping[str, object] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A piece of an answer, with what the provider cites for it. All blocks joined are the whole answer."""

    text: str
    citations: tuple[Citation, ...] = ()


class Reason(StrEnum):
    """Why an item failed."""

    ERRORED = "errored"
    EXPIRED = "expired"
    CANCELED = "canceled"
    MISSING = "missing"
    INVALID_OUTPUT = "invalid_output"
    TRUNCATED = "truncated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A whole answer.

    Attributes:
        custom_id: whose answer.
        blocks: text blocks in order.
        usage: what it used.
        model: the model that answered, as the provider names it.
        other_blocks: blocks that are not text (thinking, tool use), as they came.
    """

    custom_id: str
    blocks: tuple[TextBlock, ...]
    usage: Usage
    model: str | None = None
    other_blocks: tuple[JsonObject, ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Failed:
    """A request without a usable answer.

    Attributes:
        custom_id: whose.
        reason: what happened.
        message: in words, as far as known.
        text: what the model wrote before it was cut off or refused; ``None`` if nothing.
        usage: what is billed all the same; ``None`` when nothing is billed.
        model: the model that answered, if one did.
        retryable: whether the same request may succeed later.
    """

    custom_id: str
    reason: Reason
    message: str
    text: str | None = None
    usage: Usage | None = None
    model: str | None = None
    retryable: bool = False


Outcome: TypeAlias = Succeeded | Failed


# --- the public edge ---------------------------------------------------------------------------------


class ErrorInfo(TypedDict):
    """Why an entry has no result. ``raw_text`` is what the model wrote, where it wrote something."""

    reason: str
    message: str
    retryable: bool
    raw_text: str | None


class InputInfo(TypedDict):
    """Which input an entry belongs to: position from 0, and file name if it was a file."""

    index: int
    name: str | None


class UsageInfo(TypedDict):
    """Tokens of one entry; ``input_tokens`` includes cache reads and writes, ``output_tokens`` reasoning."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int


class BatchResult(TypedDict, Generic[T]):
    """One entry of ``results()``.

    Keys:
        result: model instance, or text without a response model; ``None`` if the item failed.
        citations: field path → citations with a response model, else a list; ``None`` without citations.
        error: ``None``, or why there is no result.
        input: which input this answers.
        usage: tokens; ``None`` when nothing was billed.
        cost_usd: dollars, exact; 0 when nothing was billed; ``None`` when the price is not known.
        cost_is_estimate: the cost rests on a documented factor, not on a known price.
        notes: what a careful reader should know, for example a page without a text layer.
    """

    result: T | None
    citations: dict[str, list[Citation]] | list[Citation] | None
    error: ErrorInfo | None
    input: InputInfo
    usage: UsageInfo | None
    cost_usd: Decimal | None
    cost_is_estimate: bool
    notes: list[str]


class Price(TypedDict, total=False):
    """A user's price for a model: US dollars per million tokens as billed for batch requests.

    ``input`` and ``output`` are required; cache prices default to the input price.
    """

    input: float | str | Decimal
    output: float | str | Decimal
    cache_read: float | str | Decimal
    cache_write: float | str | Decimal
    cache_write_1h: float | str | Decimal


class JobStats(TypedDict):
    """What ``BatchJob.stats()`` returns; ``None`` where a thing is not known yet, or not known at all."""

    batch_id: str
    status: str
    is_complete: bool
    elapsed_time: float | None
    total_results: int | None
    failed_results: int | None
    total_citations: int | None
    total_input_tokens: int | None
    total_output_tokens: int | None
    cached_input_tokens: int | None
    total_cost: Decimal | None
    currency: str
    service_tier: str | None
    batch_discount: Decimal | None
    raw_results_dir: str | None
