"""PDFs through PDFium: page count, text layer, and where on the page each character stands.

Nothing stays open: every function opens the document, takes what it needs and closes it. PDFium counts
characters in UTF-16 units, marks a hyphen at a line's end by a code of its own, and gives codes instead of
characters where a font maps none; ``_characters`` makes a clean string of that and remembers, for every
character of the string, PDFium's own index.
"""

from __future__ import annotations

import ctypes
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from batchata.errors import DocumentError
from batchata.types import Box

if TYPE_CHECKING:
    import pypdfium2

# PDFium keeps fonts and caches for the whole process, without locks: two threads in it at a time crash Python.
# Re-entrant, so that whoever draws pages can hold it around calls into this module.
PDFIUM_LOCK = threading.RLock()

_PAGES_KEPT = 8  # layouts kept in memory; a page of 5,000 characters takes about 1 MB
_THINNEST = 0.05  # points; what is thinner draws nothing
# Control codes other than white space, halves of pairs, and codes that Unicode sets apart.
_NOT_A_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_UNITS = 100  # PDFium maps to whole device units; this many to a point


def page_count(data: bytes, label: str) -> int:
    """Pages of a PDF, each of which PDFium can find.

    Raises ``DocumentError`` for a PDF that is damaged, needs a password or has no pages.
    """
    with _opened(data, label) as pdf:
        count = len(pdf)
        for index in range(count):
            _require_page(pdf, index, label)
        return count


def text_layer(data: bytes, *, label: str = "document.pdf") -> tuple[str, ...]:
    r"""The text of each page, ``""`` where a page has none.

    A hyphen that ends a line is ``"-\n"``; a character whose font does not say what it means is U+FFFD.
    """
    with _opened(data, label) as pdf:
        return tuple(_page_text(pdf, index) for index in range(len(pdf)))


def layout(data: bytes, label: str) -> Callable[[int, int, int], tuple[Box, ...]]:
    """A function of page (from 1), start and end: one box a line of ``text_layer(data)[page - 1][start:end]``.

    The file is opened when a page is first asked for, and closed at once.
    """

    @lru_cache(maxsize=_PAGES_KEPT)
    def glyphs(page: int) -> tuple[_Glyph | None, ...]:
        with _opened(data, label) as pdf:
            if not 1 <= page <= len(pdf):
                raise IndexError(f"{label!r} has pages 1 to {len(pdf)}, not {page}")
            return _page_glyphs(pdf, page - 1)

    def boxes(page: int, start: int, end: int) -> tuple[Box, ...]:
        return _boxes(page, glyphs(page)[max(start, 0) : end])

    return boxes


@contextmanager
def _opened(data: bytes, label: str) -> Iterator[pypdfium2.PdfDocument]:
    with PDFIUM_LOCK:
        pdf = _document(data, label)
        try:
            yield pdf
        finally:
            pdf.close()


def _document(data: bytes, label: str) -> pypdfium2.PdfDocument:
    import pypdfium2  # noqa: PLC0415  # imported where first used

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}:
            raise DocumentError(
                f"{label!r} is encrypted and needs a password. Save it without one, and give that file."
            ) from error
        raise DocumentError(
            f"{label!r} is a damaged PDF, or one without pages: it cannot be opened. Get it again or print it anew."
        ) from error


def _require_page(pdf: pypdfium2.PdfDocument, index: int, label: str) -> None:
    import pypdfium2  # noqa: PLC0415  # imported where first used

    try:
        pdf.get_page_size(index)
    except pypdfium2.PdfiumError as error:
        raise DocumentError(
            f"{label!r} is a damaged PDF: page {index + 1} of {len(pdf)} cannot be read. "
            "Get it again or print it anew."
        ) from error


@contextmanager
def _text_page(pdf: pypdfium2.PdfDocument, index: int) -> Iterator[tuple[pypdfium2.PdfPage, pypdfium2.PdfTextPage]]:
    page = pdf[index]
    try:
        text = page.get_textpage()
        try:
            yield page, text
        finally:
            text.close()
    finally:
        page.close()


def _page_text(pdf: pypdfium2.PdfDocument, index: int) -> str:
    with _text_page(pdf, index) as (_, text):
        return "".join(character for character, _ in _characters(text))


def _characters(text: pypdfium2.PdfTextPage) -> Iterator[tuple[str, int]]:
    """Each character of the page's string, with PDFium's index of it."""
    from pypdfium2 import raw  # noqa: PLC0415  # imported where first used

    characters = [chr(raw.FPDFText_GetUnicode(text.raw, index)) for index in range(text.count_chars())]
    for index, (character, following) in enumerate(zip_longest(characters, characters[1:], fillvalue="")):
        if "\ud800" <= character <= "\udbff" and "\udc00" <= following <= "\udfff":
            yield (character + following).encode("utf-16", "surrogatepass").decode("utf-16"), index
        elif "\udc00" <= character <= "\udfff" and index and "\ud800" <= characters[index - 1] <= "\udbff":
            pass  # the second half of the pair before
        elif raw.FPDFText_IsHyphen(text.raw, index) == 1:
            yield "-", index
            yield "\n", index
        elif character == "\r" and following == "\n":
            pass  # the line feed that follows stands for both
        elif _NOT_A_CHARACTER.match(character):
            yield _unmapped(text, index), index
        else:
            yield character, index


def _unmapped(text: pypdfium2.PdfTextPage, index: int) -> str:
    # PDFium's own text leaves these out, which joins words: fonts without a map often draw their spaces so.
    left, bottom, right, top = text.get_charbox(index)
    return " " if min(right - left, top - bottom) < _THINNEST else "\ufffd"


@dataclass(frozen=True, slots=True)
class _Glyph:
    """Where one character stands on the page as shown, and in which of its lines."""

    line: int
    left: float
    top: float
    right: float
    bottom: float


def _page_glyphs(pdf: pypdfium2.PdfDocument, index: int) -> tuple[_Glyph | None, ...]:
    """One entry a character of the page's string; ``None`` for white space."""
    with _text_page(pdf, index) as (page, text):
        to_shown = _shown(page)
        lines = _Lines(text)
        glyphs: list[_Glyph | None] = []
        for character, position in _characters(text):
            if character.isspace():
                glyphs.append(None)
                lines.space(character)
                continue
            left, bottom, right, top = text.get_charbox(position)
            if min(right - left, top - bottom) < _THINNEST:
                # Some Type 3 fonts tell no outline, only the advance and the line's height.
                left, bottom, right, top = text.get_charbox(position, loose=True)
            x0, y0 = to_shown(left, top)
            x1, y1 = to_shown(right, bottom)
            line = lines.place(position)
            glyphs.append(_Glyph(line, min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
        return tuple(glyphs)


class _Lines:
    """Numbers the lines of a page in reading order of the text layer.

    A line ends at a line feed, and also where the next character does not stand level with the last one: PDFium
    writes no line feed between some columns and table cells.
    """

    def __init__(self, text: pypdfium2.PdfTextPage) -> None:
        self._text = text
        self._line = 0
        self._extent: tuple[float, float] | None = None

    def space(self, character: str) -> None:
        if character == "\n":
            self._extent = None

    def place(self, position: int) -> int:
        from pypdfium2 import raw  # noqa: PLC0415  # imported where first used

        # The loose box has the height of the line, so that a comma and an apostrophe are level.
        left, bottom, right, top = self._text.get_charbox(position, loose=True)
        upright = abs(math.sin(raw.FPDFText_GetCharAngle(self._text.raw, position))) < math.sqrt(0.5)
        low, high = (bottom, top) if upright else (left, right)
        if self._extent is None or high <= self._extent[0] or low >= self._extent[1]:
            self._line += 1
        self._extent = (low, high)
        return self._line


def _shown(page: pypdfium2.PdfPage) -> Callable[[float, float], tuple[float, float]]:
    """The map from PDF coordinates to points from the top left of the page as shown (rotated, cropped)."""
    from pypdfium2 import raw  # noqa: PLC0415  # imported where first used

    width, height = (round(side * _UNITS) for side in page.get_size())

    def device(x: float, y: float) -> tuple[float, float]:
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page.raw, 0, 0, width, height, 0, x, y, across, down)
        return across.value / _UNITS, down.value / _UNITS

    return device


def _boxes(page: int, glyphs: Sequence[_Glyph | None]) -> tuple[Box, ...]:
    lines: dict[int, list[_Glyph]] = {}
    for glyph in glyphs:
        if glyph is not None:
            lines.setdefault(glyph.line, []).append(glyph)
    return tuple(
        Box(
            page=page,
            left=round(min(glyph.left for glyph in line), 2),
            top=round(min(glyph.top for glyph in line), 2),
            right=round(max(glyph.right for glyph in line), 2),
            bottom=round(max(glyph.bottom for glyph in line), 2),
        )
        for line in lines.values()
    )
