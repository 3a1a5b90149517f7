"""Other people's files, good and bad: each loads, or says why not."""

from __future__ import annotations

import ctypes
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageDraw
from pypdfium2 import raw

from batchata import documents
from batchata.errors import DocumentError
from batchata.types import Box, DocumentKind

REFUSED = {"encrypted": "is encrypted and needs a password", "corrupted": "a damaged PDF|not a readable PDF file"}


def test_all_pdfs_load_or_say_why_not(shared: Path) -> None:
    lines = (shared / "pdfs" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 63
    for entry in map(json.loads, lines):
        path = shared / "pdfs" / entry["file"]
        if entry["label"] in REFUSED:
            with pytest.raises(DocumentError, match=REFUSED[entry["label"]]):
                documents.load(path)
        else:
            document = documents.load(path, with_text_layer=True)
            assert document.page_count == entry["check"]["pages"], path.name
            assert document.pages is not None
            assert bool("".join(document.pages).strip()) == bool(entry["check"]["text_chars"]), path.name


@pytest.mark.parametrize(
    "name",
    [
        "multi-column.pdf",
        "bug1175962.pdf",
        "nics-background-checks-2015-11-rotated.pdf",
        "habibi-rotated.pdf",
        "rotation.pdf",
        "thai_issue13211.pdf",
        "chinese_report_issue-67.pdf",
        "copy-protected.pdf",
        "TAMReview.pdf",
    ],
)
def test_text_and_boxes_agree(shared: Path, name: str) -> None:
    """PDFium's own reading of the area of each word must hold the word."""
    data = (shared / "pdfs" / name).read_bytes()
    source = documents.source(documents.load(data))
    assert source.boxes is not None
    looked_at = 0
    with pypdfium2.PdfDocument(data) as pdf:
        for number, text in enumerate(source.pages[:4], start=1):
            for found in re.finditer(r"\w{4,}", text):
                boxes = source.boxes(number, found.start(), found.end())
                assert found[0] in _read_back(pdf[number - 1], boxes), (number, found)
                looked_at += 1
    assert looked_at >= 2


def _read_back(page: pypdfium2.PdfPage, boxes: tuple[Box, ...]) -> str:
    """What PDFium itself reads in these areas of the page as shown."""
    width, height = (round(side * 100) for side in page.get_size())
    corner = ctypes.c_double(), ctypes.c_double()
    text = ""
    for box in boxes:
        points = []
        for x, y in ((box.left, box.top), (box.right, box.bottom)):
            raw.FPDF_DeviceToPage(page.raw, 0, 0, width, height, 0, round(x * 100), round(y * 100), *corner)
            points.append((corner[0].value, corner[1].value))
        (x0, x1), (y0, y1) = (sorted(axis) for axis in zip(*points, strict=True))
        text += page.get_textpage().get_text_bounded(x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5)
    return text


@pytest.mark.parametrize(
    "name",
    [
        "habibi-rotated.pdf",
        "rotation.pdf",
        "hello_world_rotated.pdf",
        "inherited-rotate.pdf",
        "type3_font_nomapping.pdf",  # cropped
        "bug1175962.pdf",
        "fake-memo.pdf",
        "hebrew_issue11656.pdf",
    ],
)
def test_boxes_hold_all_ink_and_none_is_blank(shared: Path, name: str) -> None:
    """These pages show nothing but text: drawn as a picture, all that is dark lies in a character's box."""
    data = (shared / "pdfs" / name).read_bytes()
    source = documents.source(documents.load(data))
    assert source.boxes is not None
    with pypdfium2.PdfDocument(data) as pdf:
        for number, text in enumerate(source.pages, start=1):
            ink = pdf[number - 1].render(scale=2, grayscale=True).to_pil().point(lambda grey: 255 * (grey < 128))
            rest = ink.copy()
            for index, character in enumerate(text):
                boxes = source.boxes(number, index, index + 1)
                assert bool(boxes) != character.isspace()
                for box in boxes:
                    area = _pixels(box)
                    assert _has_ink(ink.crop(area)), (number, index, character)
                    ImageDraw.Draw(rest).rectangle(area, fill=0)
            assert not _has_ink(rest), number


def _pixels(box: Box) -> tuple[int, int, int, int]:
    return int(box.left * 2) - 2, int(box.top * 2) - 2, int(box.right * 2) + 3, int(box.bottom * 2) + 3


def _has_ink(picture: Image.Image) -> bool:
    return picture.getbbox() is not None


def test_threads_take_turns_at_pdfium(shared: Path) -> None:
    """Without turns these files crash Python, not each time."""
    names = ("pdflatex-4-pages.pdf", "fr_olap.pdf", "standard_fonts.pdf", "chinese_report_issue-67.pdf")
    files = [(shared / "pdfs" / name).read_bytes() for name in names]
    one_by_one = [documents.text_layer(data) for data in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(documents.text_layer, files * 3)) == one_by_one * 3


def test_invoices_and_receipts(shared: Path) -> None:
    paths = sorted((shared / "invoices").rglob("*.pdf"))
    assert len(paths) > 30
    for path in paths:
        document = documents.load(path, with_text_layer=True)
        assert document.pages is not None
        assert any(document.pages) == ("receipts_scanned" not in path.parts), path.name


@pytest.mark.parametrize("name", ["unit_test_lists.docx", "word_sample.docx", "wiki_duck.html"])
def test_converted_texts_hold_the_words_of_the_reference(shared: Path, name: str) -> None:
    folder = shared / "grounding" / "longdocs"
    text = documents.load(folder / name).text
    reference = (folder / f"{name}.reference.md").read_text(encoding="utf-8")
    assert text is not None
    words = [word for word in reference.split() if word.isalpha()]
    missing = [word for word in words if word not in text]
    assert len(missing) <= len(words) // 50, missing


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fake-html-cp1252.html", "Die schöne Frau hat einen Kaffee"),
        ("fake-html-cp1252.html", "L'été était très chaud cette année. J'ai acheté un café au lait pour 3,50 €."),
        ("fake-html-cp1252.html", 'El niño comió paella con ñoquis. La señora dijo: "¡Qué rico!" y pagó 25,75 €.'),
        ("fake-html-cp1252.html", "Kvinnan åt köttbullar med lingonsylt."),
        ("fake-html-cp1252.html", "O João comprou um café por 2,50 €."),
        ("fake-text-utf-16-le.txt", "This is a test document"),
        ("fake-text-utf-32.txt", "This is a test document"),
        ("UDHR_first_article_all.txt", "是人都生而自由"),
        ("docx-tables.docx", "Header Col 1  Header Col 2"),
    ],
)
def test_long_documents(shared: Path, name: str, words: str) -> None:
    text = documents.load(shared / "grounding" / "longdocs" / name).text
    assert text is not None
    assert words in text


def test_emails(shared: Path) -> None:
    paths = sorted((shared / "spam" / "email").rglob("*.eml"))
    assert len(paths) == 60
    for path in paths:
        document = documents.load(path)
        assert document.kind is DocumentKind.TEXT
        assert document.text is not None
        assert "\ufffd" not in document.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ham/easy-ham-1_00165.eml", "£2 buys chips, scraps"),
        ("ham/easy-ham-1_00247.eml", "MANAGERS of Germany’s political parties"),
        ("ham/easy-ham-1_00493.eml", "Join the world’s largest e-mail service"),
        ("ham/hard-ham-1_00009.eml", "wir freu´n uns!"),
        ("spam/spam-1_00113.eml", "We Will Beat Anybody’s Deal"),
        ("spam/spam-2_00139.eml", "that make up the Earth’s oceans."),
    ],
)
def test_emails_that_are_not_utf_8(shared: Path, name: str, words: str) -> None:
    data = (shared / "spam" / "email" / name).read_bytes()
    document = documents.load(data)
    assert (document.name, document.kind) == ("document.txt", DocumentKind.TEXT)
    assert document.text is not None
    assert words in document.text
