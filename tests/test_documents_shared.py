"""Other people's files, good and bad: each loads, or says why not."""

from __future__ import annotations

import ctypes
import json
import re
from pathlib import Path

import pypdfium2
import pytest
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
