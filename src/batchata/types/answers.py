"""What came back, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TypeAlias

from batchata.types.documents import Box
from batchata.types.requests import JsonObject


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
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


class CitationMode(StrEnum):
    """Who is asked where the values of an answer come from."""

    AUTO = "auto"
    """``native`` where the provider can, else ``quoted``."""
    NATIVE = "native"
    """The provider's own citation feature."""
    QUOTED = "quoted"
    """The model: a verbatim quote and a page for each value, looked up by us."""
    ALIGNED = "aligned"
    """Nobody: we look for each value in the documents."""


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
        holds_value: whether the field's value, by letters or by meaning, stands in ``cited_text``: a place can be
            right and not say it. ``None`` for values that have no text of their own (booleans, ``None``), and
            where no response model was given.
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
    holds_value: bool | None = None
    score: float | None = None
    raw: Mapping[str, object] | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class TextBlock:
    """A piece of an answer, with what the provider cites for it. All blocks joined are the whole answer."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """What a model claims to have copied from a document for one value of its answer.

    Attributes:
        path: the value's path in the answer's JSON, as the model wrote it; ``""`` without a response model.
        text: the passage, not blank.
        page: from 1; ``None`` where the model named none.
    """

    path: str
    text: str
    page: int | None


class Reason(StrEnum):
    """Why an item failed."""

    ERRORED = "errored"
    EXPIRED = "expired"
    CANCELED = "canceled"
    MISSING = "missing"
    INVALID_OUTPUT = "invalid_output"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    """The input could not be read, or cannot be sent: nothing was asked."""
    PENDING = "pending"
    """No outcome yet: not started, or still at the provider."""


@dataclass(slots=True)  # one a request: a frozen one takes three times as long to make
class Succeeded:
    """A whole answer.

    Attributes:
        custom_id: whose answer.
        blocks: text blocks in order.
        usage: what it used; ``None`` if the provider did not say.
        model: the model that answered, as the provider names it.
        other_blocks: blocks that are not text (thinking, tool use), as they came.
    """

    custom_id: str
    blocks: tuple[TextBlock, ...]
    usage: Usage | None
    model: str | None = None
    other_blocks: tuple[JsonObject, ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """The whole answer."""
        if len(self.blocks) == 1:  # as nearly always
            return self.blocks[0].text
        return "".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Failed:
    """A request without a usable answer.

    Attributes:
        custom_id: whose.
        reason: what happened.
        message: in words, as far as known.
        text: what the model wrote before it was cut off or refused; ``None`` if nothing.
        usage: what it used, as far as the provider says.
        model: the model that answered, if one did.
        retryable: whether the same request may succeed later.
        is_billed: whether ``usage`` is billed all the same; ``None`` when nobody knows.
    """

    custom_id: str
    reason: Reason
    message: str
    text: str | None = None
    usage: Usage | None = None
    model: str | None = None
    retryable: bool = False
    is_billed: bool | None = False


Outcome: TypeAlias = Succeeded | Failed
