"""Pages of a PDF as small pictures, and images as they are."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import pypdfium2
from PIL import Image

from batchata.types import Document

_DPI = 110
_POINTS = 72
_LONGEST_PX = 2200
"""Of a side: a page may be metres long."""
_QUALITY = 55
_EFFORT = 2


@dataclass(frozen=True, slots=True)
class PagePicture:
    """One page as shown; ``address`` is a ``data:`` address, ``None`` where the page cannot be drawn."""

    number: int
    width: float
    height: float
    address: str | None = field(repr=False)


def draw(document: Document, pages: Iterable[int], drawing: AbstractContextManager[object]) -> list[PagePicture]:
    """Those of the pages that there are, in order. ``drawing`` is held: PDFium serves one thread at a time."""
    with drawing:
        pdf = pypdfium2.PdfDocument(document.data)
        try:
            return list(_drawn(pdf, sorted(set(pages))))
        finally:
            pdf.close()


def _drawn(pdf: pypdfium2.PdfDocument, pages: Iterable[int]) -> Iterator[PagePicture]:
    for number in pages:
        if 1 <= number <= len(pdf):
            page = pdf[number - 1]
            try:
                width, height = page.get_size()
                yield PagePicture(number, width, height, _webp(page, width, height))
            finally:
                page.close()


def _webp(page: pypdfium2.PdfPage, width: float, height: float) -> str | None:
    scale = min(_DPI / _POINTS, _LONGEST_PX / max(width, height, 1.0))
    try:
        bitmap = page.render(scale=scale)
    except pypdfium2.PdfiumError:
        return None
    image: Image.Image = bitmap.to_pil()
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=_EFFORT)
    return data_address("image/webp", file.getvalue())


def data_address(media_type: str, data: bytes) -> str:
    """The bytes as an address that needs no network."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
