"""PDFs: the text layer, and where on the page each piece of it stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import fpdf
import pytest

from batchata import documents
from batchata.errors import DocumentError
from batchata.types import Box, DocumentKind
from tests.small_files import pdf_of, pdf_that_means


def test_pdf_with_and_without_its_text_layer() -> None:
    data = pdf_of("First page\nSecond line", "", "Third page")
    document = documents.load(data)
    assert (document.name, document.kind, document.page_count, document.pages, document.text) == (
        "document.pdf",
        DocumentKind.PDF,
        3,
        None,
        None,
    )
    pages = ("First page\nSecond line", "", "Third page")
    assert documents.load(data, with_text_layer=True).pages == pages
    assert documents.text_layer(data) == pages
    source = documents.source(document)
    assert (source.pages, source.paged) == (pages, True)
    assert documents.source(documents.load(data, with_text_layer=True)).pages == pages


def test_pdf_header_behind_junk() -> None:
    assert documents.load(b"HTTP/1.1 200 OK\n\n" + pdf_of("x")).kind is DocumentKind.PDF


def boxes_of(data: bytes, text: str, page: int = 1) -> tuple[Box, ...]:
    source = documents.source(documents.load(data))
    assert source.boxes is not None
    start = source.pages[page - 1].index(text)
    return source.boxes(page, start, start + len(text))


def assert_near(box: Box, left: float, top: float, right: float, bottom: float) -> None:
    """Within 3 points: the size of a letter's side bearing."""
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((left, top, right, bottom), abs=3)


def test_boxes() -> None:
    data = pdf_of("Total 119.00\nDue today", "second page")
    (box,) = boxes_of(data, "119.00")
    assert box.page == 1
    assert_near(box, 131, 191, 168, 200)
    first, second = boxes_of(data, "119.00\nDue")
    assert first == box
    assert_near(second, 100, 211, 123, 220)
    (on_second,) = boxes_of(data, "second", page=2)
    assert on_second.page == 2


def test_boxes_of_nothing() -> None:
    source = documents.source(documents.load(pdf_of("a b")))
    assert source.boxes is not None
    assert source.boxes(1, 1, 2) == ()
    assert source.boxes(1, 2, 2) == ()
    assert source.boxes(1, 90, 99) == ()
    assert len(source.boxes(1, -5, 99)) == 1
    for page in (0, 2):
        with pytest.raises(IndexError, match=f"has pages 1 to 1, not {page}"):
            source.boxes(page, 0, 1)


@pytest.mark.parametrize(
    ("rotate", "expected"),
    [
        # A4 is 595 × 842 points; the text stands at 131..168 × 191..200 before it is turned clockwise.
        (90, (642, 131, 651, 168)),
        (180, (427, 642, 464, 651)),
        (270, (191, 427, 200, 464)),
    ],
)
def test_boxes_on_a_turned_page(rotate: int, expected: tuple[float, float, float, float]) -> None:
    (box,) = boxes_of(pdf_of("Total 119.00\nDue today", rotate=rotate), "119.00")
    assert_near(box, *expected)


def test_boxes_on_a_cropped_page() -> None:
    # The crop box cuts 50 points off the left and 142 off the top.
    (box,) = boxes_of(pdf_of("Total 119.00", crop="/CropBox [50 0 595 700]"), "119.00")
    assert_near(box, 81, 49, 118, 58)


def test_boxes_of_text_that_runs_upwards() -> None:
    pdf = fpdf.FPDF(unit="pt")
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    with pdf.rotation(90, 300, 400):
        pdf.text(300, 400, "Margin note")
    (box,) = boxes_of(bytes(pdf.output()), "Margin note")
    assert_near(box, 291, 339, 303, 400)


def test_boxes_of_cells_far_apart() -> None:
    pdf = fpdf.FPDF(unit="pt")
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.text(100, 200, "left")
    pdf.text(400, 170, "right")
    boxes = boxes_of(bytes(pdf.output()), documents.text_layer(bytes(pdf.output()))[0])
    assert len(boxes) == 2


def test_many_pages_are_not_all_kept() -> None:
    source = documents.source(documents.load(pdf_of(*(f"page {number}" for number in range(12)))))
    assert source.boxes is not None
    for _ in range(2):
        for page in range(1, 13):
            (box,) = source.boxes(page, 0, 4)
            assert box.page == page


def test_pdf_damaged() -> None:
    with pytest.raises(DocumentError, match="'a.pdf' is a damaged PDF, or one without pages"):
        documents.load(b"%PDF-1.7\nnothing more", name="a.pdf")


def test_pdf_without_pages() -> None:
    data = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    )
    with pytest.raises(DocumentError, match="'a.pdf' is a damaged PDF, or one without pages"):
        documents.load(data, name="a.pdf")


def test_pdf_with_a_page_that_is_not_there() -> None:
    data = pdf_of("one", "two").replace(b"/Count 2", b"/Count 3")
    with pytest.raises(DocumentError, match="'a.pdf' is a damaged PDF: page 3 of 3 cannot be read"):
        documents.load(data, name="a.pdf")


@pytest.mark.parametrize(("user_password", "opens"), [("", True), ("secret", False)])
def test_pdf_encrypted(user_password: str, *, opens: bool) -> None:
    pdf = fpdf.FPDF()
    pdf.add_page()
    pdf.set_encryption(owner_password="owner", user_password=user_password)
    data = bytes(pdf.output())
    if opens:
        assert documents.load(data).page_count == 1
        return
    with pytest.raises(DocumentError, match="'a.pdf' is encrypted and needs a password"):
        documents.load(data, name="a.pdf")


# Helvetica's widths at 20 points: A 13.34, B 13.34, x 10.
ONE_LINE = b"BT /F 20 Tf 50 100 Td (AxBx) Tj ET"


def test_characters_beyond_the_first_plane_are_one_place_each() -> None:
    data = pdf_that_means(ONE_LINE, {0x41: "D83DDE00", 0x42: "D834DD1E", 0x78: "0078"})
    source = documents.source(documents.load(data))
    assert source.pages == ("😀x𝄞x",)
    assert source.boxes is not None
    expected = [(50, 63, 86), (63, 73, 89), (73, 87, 86), (87, 97, 89)]
    for index, (left, right, top) in enumerate(expected):
        (box,) = source.boxes(1, index, index + 1)
        assert_near(box, left, top, right, 100)


def test_a_ligature_is_two_letters_in_one_place() -> None:
    data = pdf_that_means(ONE_LINE, {0x41: "00660069", 0x42: "0042", 0x78: "0078"})
    source = documents.source(documents.load(data))
    assert source.pages == ("fixBx",)
    assert source.boxes is not None
    assert source.boxes(1, 0, 1) == source.boxes(1, 1, 2)
    (box,) = source.boxes(1, 2, 3)
    assert_near(box, 63, 89, 73, 100)


@pytest.mark.parametrize("no_character", ["D83D", "DE00", "0001", "FFFE"])
def test_codes_that_are_no_characters(no_character: str) -> None:
    data = pdf_that_means(ONE_LINE, {0x41: no_character, 0x42: "0042", 0x78: "0078"})
    source = documents.source(documents.load(data))
    assert source.pages == ("\ufffdxBx",)
    source.pages[0].encode()
    assert source.boxes is not None
    (box,) = source.boxes(1, 2, 3)
    assert_near(box, 73, 86, 87, 100)


def test_hyphen_at_the_end_of_a_line() -> None:
    data = pdf_of("The exam-\nple ends")
    assert documents.text_layer(data) == ("The exam-\nple ends",)
    exam, ple = boxes_of(data, "exam-\nple")
    assert_near(exam, 123, 191, 156, 200)
    assert_near(ple, 100, 211, 116, 223)


def test_threads_take_turns_at_pdfium() -> None:
    files = [pdf_of(*(f"File {file}, page {page}\n" + "word " * 200 for page in range(10))) for file in range(4)]

    def read(file: int) -> list[str]:
        pages: list[str] = []
        for _ in range(5):
            document = documents.load(files[file], with_text_layer=True)
            source = documents.source(document)
            assert source.boxes is not None
            assert len(source.boxes(10, 0, 6)) == 1
            pages.extend(page.split("\n")[0] for page in document.pages or ())
        return pages

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(read, range(4)))
    assert results == [[f"File {file}, page {page}" for page in range(10)] * 5 for file in range(4)]


def test_letters_without_an_outline_stand_where_the_line_stands() -> None:
    """Type 3 letters may be little programs of which PDFium tells no outline, only the advance."""
    type_3 = (
        b"/Type3/FontBBox[0 -200 600 700]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 65/LastChar 120/Widths["
        + b"600 " * 56
        + b"]/Encoding<</Type/Encoding/Differences[65/a/a 120/a]>>/CharProcs<</a 7 0 R>>"
    )
    data = (
        pdf_that_means(ONE_LINE, {0x41: "0041", 0x42: "0042", 0x78: "0078"})
        .replace(b"/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding", type_3)
        .replace(b"trailer", b"7 0 obj<</Length 8>>stream\n600 0 d0\nendstream\nendobj\ntrailer")
    )
    assert documents.text_layer(data) == ("AxBx",)
    (box,) = boxes_of(data, "xB")
    assert_near(box, 62, 86, 86, 104)
