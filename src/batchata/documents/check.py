"""A document against what a provider takes, before anything is sent."""

from __future__ import annotations

from batchata.errors import DocumentError, LimitError
from batchata.types import Document, DocumentKind, Limits


def check(document: Document, limits: Limits) -> None:
    """Raise ``DocumentError`` for a kind the provider does not take, ``LimitError`` for one too large."""
    name, kind = document.name, document.kind
    if kind not in limits.kinds:
        kinds = ", ".join(sorted(known.value for known in limits.kinds))
        raise DocumentError(
            f"{name!r} is of the kind {kind.value!r}, which this provider does not take. It takes {kinds}: "
            "convert the file, or choose another provider."
        )
    if limits.max_pages is not None and document.page_count is not None and document.page_count > limits.max_pages:
        raise LimitError(
            f"{name!r} has {document.page_count:,} pages; one request takes at most {limits.max_pages:,}. "
            "Split the file."
        )
    if kind.is_image:
        _check_image(document, limits)
    size = _sent_bytes(document, limits)
    if size > limits.max_request_bytes:
        raise LimitError(
            f"{name!r} takes {size:,} bytes as sent; one request takes at most {limits.max_request_bytes:,}. "
            "Split the file, or make it smaller."
        )


def _check_image(document: Document, limits: Limits) -> None:
    size = len(document.data)
    if limits.max_image_bytes is not None and size > limits.max_image_bytes:
        raise LimitError(
            f"{document.name!r} is an image of {size:,} bytes; at most {limits.max_image_bytes:,} are taken. "
            "Save it smaller."
        )
    if limits.max_image_px is None or document.size_px is None:
        return
    width, height = document.size_px
    if max(width, height) > limits.max_image_px:
        raise LimitError(
            f"{document.name!r} is an image of {width:,} × {height:,} pixels; each side may have at most "
            f"{limits.max_image_px:,}. Scale it down."
        )


def _sent_bytes(document: Document, limits: Limits) -> int:
    """Bytes of the document inside a request: its text in UTF-8, or the file in base64."""
    if document.text is not None:
        return len(document.text.encode())
    if document.kind is DocumentKind.PDF and limits.reads_text_layer and document.pages is not None:
        return sum(len(page.encode()) for page in document.pages)
    return (len(document.data) + 2) // 3 * 4
