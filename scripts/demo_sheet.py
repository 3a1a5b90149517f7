"""What the demo's documents are drawn with: a page written on by position, and an office scanner."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Literal

import pypdfium2
from fpdf import FPDF
from PIL import Image, ImageChops, ImageFilter

SCAN_DPI = 96

Colour = tuple[int, int, int]
BLACK: Colour = (25, 25, 28)
GREY: Colour = (110, 110, 115)
WHITE: Colour = (255, 255, 255)


class Sheet(FPDF):
    """An A4 page in one of the fonts every PDF reader has, written on by position, in millimetres."""

    def __init__(self, title: str, author: str, font: str = "Helvetica") -> None:
        super().__init__()
        self.core_fonts_encoding = "windows-1252"
        self.set_auto_page_break(auto=False)
        self.set_compression(False)
        self.set_creation_date(datetime(2026, 5, 4, 8, 30, tzinfo=UTC))
        self.set_title(title)
        self.set_author(author)
        self.set_producer("Batchata demo documents")
        self.face = font
        self.add_page()

    def put(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 9.5,
        style: Literal["", "B", "I"] = "",
        *,
        colour: Colour = BLACK,
        right: bool = False,
    ) -> None:
        """One line of text with its left (or right) end at ``x`` and its base line at ``y``."""
        self.set_font(self.face, style, size)
        self.set_text_color(*colour)
        self.text(x - self.get_string_width(text) if right else x, y, text)

    def lines(self, x: float, y: float, texts: Sequence[str], size: float = 9.5, step: float = 5) -> float:
        """Several lines below each other; returns where the next would stand."""
        for text in texts:
            self.put(x, y, text, size)
            y += step
        return y

    def pairs(self, x: float, right: float, y: float, pairs: Sequence[tuple[str, str]]) -> float:
        """Label and value, the value set flush right; returns where the next would stand."""
        for label, value in pairs:
            self.put(x, y, label, 9, colour=GREY)
            self.put(right, y, value, 9, right=True)
            y += 5.2
        return y

    def rule(self, x: float, y: float, right: float, width: float = 0.2, colour: Colour = GREY) -> None:
        """A horizontal line."""
        self.set_draw_color(*colour)
        self.set_line_width(width)
        self.line(x, y, right, y)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle."""
        self.set_fill_color(*colour)
        self.rect(x, y, width, height, style="F")

    def row(self, y: float, cells: Sequence[tuple[float, str]], size: float = 9, *, bold: bool = False) -> None:
        """A table row; a negative position sets the cell flush right there."""
        for x, text in cells:
            self.put(abs(x), y, text, size, "B" if bold else "", right=x < 0)

    def finish(self) -> bytes:
        """The file."""
        return bytes(self.output())


def letter(sheet: Sheet, top: float, body: str) -> float:
    """Paragraphs of a letter, parted by blank lines; returns where the next would stand."""
    sheet.set_font(sheet.face, "", 11)
    sheet.set_text_color(*BLACK)
    sheet.c_margin = 0
    sheet.set_y(top)
    for paragraph in body.strip().split("\n\n"):
        sheet.set_x(25)
        sheet.multi_cell(160, 5.6, paragraph.replace("\n", " "), align="L", new_x="LMARGIN", new_y="NEXT")
        sheet.ln(2.8)
    return sheet.get_y()


def scan(page: bytes) -> BytesIO:
    """A page as a scanner sees it: askew, grey, grainy; the grain is seeded, so each run sees the same."""
    with pypdfium2.PdfDocument(page) as pdf:
        picture = pdf[0].render(scale=SCAN_DPI / 72).to_pil().convert("L")
    picture = picture.rotate(0.9, Image.Resampling.BICUBIC, fillcolor=205)
    grain = Image.frombytes("L", picture.size, random.Random(417).randbytes(picture.width * picture.height))  # noqa: S311  # grain, not a secret
    grain = grain.filter(ImageFilter.GaussianBlur(0.9)).point(lambda level: (level - 128) // 4 + 128)
    picture = ImageChops.add(picture.point(lambda level: level * 15 // 16), grain, offset=-128)
    picture.save(file := BytesIO(), "JPEG", quality=28)
    return file
