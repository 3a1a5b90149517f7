"""Input files, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


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
        is_delimited: whether commas part its values, as in CSV and JSON.
        boxes: rectangles of the characters ``[start, end)`` of a 1-based page; ``None`` without a layout.
    """

    name: str
    pages: tuple[str, ...] = field(repr=False)
    paged: bool
    is_delimited: bool = False
    boxes: Callable[[int, int, int], tuple[Box, ...]] | None = field(default=None, repr=False)
