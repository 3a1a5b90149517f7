"""A path, bytes or an address → a ``Document``; a ``Document`` → the text that citations are looked up in."""

from __future__ import annotations

import io
import os

from batchata.documents import convert, pdf, recognise
from batchata.documents.read import Raw, read
from batchata.errors import DocumentError
from batchata.types import Document, DocumentKind, Source


def load(
    source: str | os.PathLike[str] | bytes, *, name: str | None = None, with_text_layer: bool = False
) -> Document:
    """Read a file, recognise what it is and check that it can be used.

    ``name`` is for bytes; a path or address brings its own. ``with_text_layer`` fills ``pages`` of a PDF.
    Raises ``DocumentError``: missing, unreadable, empty, damaged, encrypted or of a kind not supported.
    """
    raw = read(source, name)
    kind = recognise.binary_kind(raw.data, raw.name, raw.label)
    if kind is DocumentKind.PDF:
        return _pdf(raw, with_text_layer=with_text_layer)
    if kind is DocumentKind.DOCX:
        return _document(raw, kind, text=_require_some(convert.docx_to_text(raw.data, raw.label), raw.label))
    if kind is not None:
        return _document(raw, kind, size_px=_size_px(raw, kind))
    recognise.require_text_name(raw.name, raw.label)
    text = convert.decode(raw.data, raw.label)
    if not text.strip():
        raise DocumentError(f"{raw.label!r} is empty: it holds nothing but white space. Leave it out.")
    kind = recognise.text_kind(text, raw.name)
    if kind is DocumentKind.HTML:
        text = _require_some(convert.html_to_text(text, raw.label), raw.label)
    return _document(raw, kind, text=text)


def unopened(source: str | os.PathLike[str] | bytes, *, name: str | None = None) -> Document:
    """A file's bytes as a document that nobody has looked into: to compare it with what it was, at little cost.

    Raises ``DocumentError`` for a file that cannot be read.
    """
    raw = read(source, name)
    return Document(raw.name or "", DocumentKind.TEXT, "application/octet-stream", raw.data)


def source(document: Document) -> Source:
    """The text of a document by page, and for PDFs where on the page each piece of it stands."""
    if document.kind is DocumentKind.PDF:
        pages = document.pages
        if pages is None:
            pages = pdf.text_layer(document.data, label=document.name)
        boxes = pdf.layout(document.data, document.name)
        return Source(name=document.name, pages=pages, paged=True, boxes=boxes)
    text = "" if document.text is None else document.text
    return Source(name=document.name, pages=(text,), paged=False, is_delimited=_is_delimited(document.kind, text))


def _is_delimited(kind: DocumentKind, text: str) -> bool:
    """Whether commas part the values: of tables with other separators they do not."""
    head = text.split("\n", 1)[0]
    is_table = kind is DocumentKind.CSV and head.count(",") > max(head.count(";"), head.count("\t"))
    return is_table or kind is DocumentKind.JSON


def _pdf(raw: Raw, *, with_text_layer: bool) -> Document:
    count = pdf.page_count(raw.data, raw.label)
    pages = pdf.text_layer(raw.data, label=raw.label) if with_text_layer else None
    return _document(raw, DocumentKind.PDF, pages=pages, page_count=count)


def _document(
    raw: Raw,
    kind: DocumentKind,
    *,
    text: str | None = None,
    pages: tuple[str, ...] | None = None,
    page_count: int | None = None,
    size_px: tuple[int, int] | None = None,
) -> Document:
    return Document(
        name=raw.name or recognise.DEFAULT_NAMES[kind],
        kind=kind,
        media_type=recognise.MEDIA_TYPES[kind],
        data=raw.data,
        text=text,
        pages=pages,
        page_count=page_count,
        size_px=size_px,
    )


def _require_some(text: str, label: str) -> str:
    if not text.strip():
        raise DocumentError(f"{label!r} holds no text (only pictures, perhaps). Save it as PDF and give that.")
    return text


def _size_px(raw: Raw, kind: DocumentKind) -> tuple[int, int]:
    import imagesize  # noqa: PLC0415  # imported where first used

    width, height = imagesize.get(io.BytesIO(raw.data))
    if width <= 0 or height <= 0:
        raise DocumentError(
            f"{raw.label!r} is a damaged {kind.value.upper()} image: its header does not tell a size. Get it again."
        )
    return int(width), int(height)
