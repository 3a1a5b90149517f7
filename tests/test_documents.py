"""What a file is, where it is read from, and what a provider takes of it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

from batchata import documents
from batchata.documents.read import _address_name, error_text
from batchata.errors import DocumentError, DocumentNotFoundError, LimitError
from batchata.types import Document, DocumentKind, Limits
from tests.small_files import GIF, JPEG, PNG, WEBP, pdf_of, zip_of

LIMITS = Limits(
    max_requests=100,
    max_bytes=256_000_000,
    max_request_bytes=32_000_000,
    custom_id_pattern=".*",
    kinds=frozenset(DocumentKind),
    max_pages=100,
    max_image_bytes=5_000_000,
    max_image_px=8000,
    expires_hours=24,
    counts_live=True,
    native_citations=True,
    schema_dialect=None,
    schema_with_citations=False,
    reads_text_layer=False,
)


@pytest.mark.parametrize(
    ("name", "data", "kind", "media_type"),
    [
        ("a.txt", b"plain", DocumentKind.TEXT, "text/plain"),
        ("a.md", b"# Title", DocumentKind.MARKDOWN, "text/markdown"),
        ("a.MARKDOWN", b"# Title", DocumentKind.MARKDOWN, "text/markdown"),
        ("a.csv", b"a,b\n1,2", DocumentKind.CSV, "text/csv"),
        ("a.tsv", b"a\tb", DocumentKind.CSV, "text/csv"),
        ("a.json", b'{"a": 1}', DocumentKind.JSON, "application/json"),
        ("a.json", b"{a: 1}", DocumentKind.TEXT, "text/plain"),
        ("a.html", b"<p>Hi</p>", DocumentKind.HTML, "text/html"),
        ("a.html", b"no markup at all", DocumentKind.TEXT, "text/plain"),
        ("a.txt", b"<html><p>shown as it is</p></html>", DocumentKind.TEXT, "text/plain"),
        ("a.txt", b"A PDF begins with %PDF-1.7", DocumentKind.TEXT, "text/plain"),
        ("letter.0001", b"<!DOCTYPE html><p>Hi</p>", DocumentKind.HTML, "text/html"),
        ("letter", b"<!-- by hand -->\n<html><p>Hi</p></html>", DocumentKind.HTML, "text/html"),
        ("letter", b"<invoice/>", DocumentKind.TEXT, "text/plain"),
        ("letter", b'[{"a": 1}]', DocumentKind.JSON, "application/json"),
        ("letter", b"[sic] not JSON", DocumentKind.TEXT, "text/plain"),
        ("letter", b"42", DocumentKind.TEXT, "text/plain"),
        ("a.txt", b"MZ is also a region code", DocumentKind.TEXT, "text/plain"),
        ("wrong.txt", GIF, DocumentKind.GIF, "image/gif"),
        ("wrong.jpg", PNG, DocumentKind.PNG, "image/png"),
        ("a.jpeg", JPEG, DocumentKind.JPEG, "image/jpeg"),
        ("a.webp", WEBP, DocumentKind.WEBP, "image/webp"),
    ],
)
def test_kinds(name: str, data: bytes, kind: DocumentKind, media_type: str) -> None:
    document = documents.load(data, name=name)
    assert (document.name, document.kind, document.media_type) == (name, kind, media_type)
    assert document.data == data


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"words", "document.txt"),
        (b"<html>words</html>", "document.html"),
        (b"{}", "document.json"),
        (GIF, "document.gif"),
        (JPEG, "document.jpg"),
    ],
)
def test_bytes_without_a_name_are_named_by_their_kind(data: bytes, name: str) -> None:
    assert documents.load(data).name == name


@pytest.mark.parametrize("data", [PNG, WEBP, JPEG])
def test_size_of_an_image(data: bytes) -> None:
    document = documents.load(data)
    assert document.size_px == (320, 240)
    assert document.text is None
    assert documents.source(document).pages == ("",)


@pytest.mark.parametrize(
    "data",
    [PNG[:10], JPEG[:4], WEBP[:12], b"GIF89a", b"GIF89a\0\0\0\0\0\0\0", WEBP[:15] + b"?" + WEBP[16:]],
)
def test_image_without_a_size(data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"'x\.bin' is a damaged .* image: its header does not tell a size"):
        documents.load(data, name="x.bin")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Office file"),
        (b"{\\rtf1 Hello}", "an RTF file"),
        (b"%!PS-Adobe-3.0", "a PostScript file"),
        (b"MZ\x90\0\x03\0", "an executable"),
        (b"\x7fELF\x02\x01", "an executable"),
        (b"BM\x9a\0\0\0", "a BMP image"),
        (b"II*\0\x08\0", "a TIFF image"),
        (b"\0\0\0\x18ftypheic", "a HEIC image"),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
        (zip_of(**{"xl/workbook.xml": b"<a/>"}), "an Excel workbook; export the sheet as CSV"),
        (zip_of(**{"ppt/presentation.xml": b"<a/>"}), "a PowerPoint file"),
        (zip_of(**{"mimetype": b"x", "content.xml": b"<a/>"}), "an OpenDocument file"),
        (zip_of(**{"notes.txt": b"x"}), "a ZIP archive; unpack it"),
    ],
)
def test_known_formats_that_are_not_supported(data: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=rf"'x' seems to be {words}.*Supported are PDF, plain text"):
        documents.load(data, name="x")


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)) * 4, b"\x01\x02\x03", b"abc\0def", b"\xfe" * 3 + b"\0\x80\x81", bytes(range(128, 256))],
)
def test_binary_junk(data: bytes) -> None:
    with pytest.raises(DocumentError, match="neither a supported format nor text in a known encoding"):
        documents.load(data)


@pytest.mark.parametrize(
    ("name", "words"), [("a.pdf", "PDF"), ("a.docx", "DOCX"), ("a.png", "PNG"), ("a.jpg", "JPEG")]
)
def test_text_under_the_name_of_another_format(name: str, words: str) -> None:
    with pytest.raises(DocumentError, match=f"is not a readable {words} file: it does not begin like one"):
        documents.load(b"<html>404 Not Found</html>", name=name)


def test_path_as_text_or_path(tmp_path: Path) -> None:
    path = tmp_path / "näme with blank.txt"
    path.write_text("Hi", encoding="utf-8")
    for given in (path, str(path), path.as_uri().replace("%20", " ").replace("%C3%A4", "ä")):
        document = documents.load(given, name="ignored.md")
        assert (document.name, document.text) == ("näme with blank.txt", "Hi")


def test_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DocumentNotFoundError) as missing:
        documents.load("gone.pdf")
    assert str(missing.value) == f"There is no file 'gone.pdf' (looked in {str(tmp_path)!r}). Check the path."
    with pytest.raises(FileNotFoundError, match=r"There is no file '.*gone\.pdf'\. Check the path\."):
        documents.load(tmp_path / "gone.pdf")


def test_folder_and_pipe(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="is a folder. Give the files in it, one by one."):
        documents.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DocumentError, match="is not a regular file"):
        documents.load(tmp_path / "pipe")


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Root may read everything; the rights of others are taken for the time of the test."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> None:
    folder = tmp_path_factory.mktemp("secret")
    path = folder / "secret.txt"
    path.write_text("x")
    path.chmod(0)
    for parent in (folder, *folder.parents[:2]):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    request.getfixturevalue("ordinary_user")
    with pytest.raises(DocumentError, match="No permission to read '.*secret.txt'"):
        documents.load(path)


@pytest.mark.parametrize("text", ["Dear Sir, " * 1000, "a\0b"])
def test_content_given_as_path(text: str) -> None:
    with pytest.raises(DocumentError, match=r"cannot be read as a file: .*pass it as bytes"):
        documents.load(text)


@pytest.mark.parametrize("given", [None, 7, io.BytesIO(b"x")])
def test_what_is_no_source(given: Any) -> None:
    with pytest.raises(DocumentError, match="must be a path"):
        documents.load(given)


def test_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.touch()
    with pytest.raises(DocumentError, match=r"'.*empty\.pdf' is empty \(0 bytes\)"):
        documents.load(path)
    with pytest.raises(DocumentError, match="'blank.txt' is empty: it holds nothing but white space"):
        documents.load(" \n\t\u3000".encode(), name="blank.txt")
    with pytest.raises(DocumentError, match="'<bytes>' is empty"):
        documents.load(b"")
    with pytest.raises(DocumentError, match="The path is empty"):
        documents.load("")


def test_addresses() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/case/letter.txt", b"from memory")
    memory.pipe("/case/all.zip", zip_of(**{"inner.md": b"# Inside"}))
    assert documents.load("memory://case/letter.txt").name == "letter.txt"
    inner = documents.load("zip://inner.md::memory://case/all.zip")
    assert (inner.name, inner.kind, inner.text) == ("inner.md", DocumentKind.MARKDOWN, "# Inside")
    with pytest.raises(DocumentError, match="'memory://case' is a folder"):
        documents.load("memory://case")
    with pytest.raises(DocumentNotFoundError, match=r"There is no file 'memory://case/gone.pdf'"):
        documents.load("memory://case/gone.pdf")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://bucket/a.pdf", "needs a package that is not installed: .*s3fs"),
        ("gs://bucket/a.pdf", "needs a package that is not installed: .*gcsfs"),
        ("nonsense://a", "cannot be opened: Protocol not known: nonsense"),
        ("zip://a.txt::/gone/b.zip", "cannot be opened: No such file"),
    ],
)
def test_addresses_that_cannot_be_opened(address: str, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        documents.load(address)


class FailingFileSystem(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A driver whose server fails in the way the address names."""

    protocol = "failing"

    def cat_file(self, path: str, **_: Any) -> bytes:
        if path.startswith("denied"):
            raise PermissionError(path)
        if path.startswith("down"):
            raise ConnectionResetError("the server went away.")
        return b"fine"


def test_failing_driver() -> None:
    fsspec.register_implementation("failing", FailingFileSystem, clobber=True)
    with pytest.raises(DocumentError, match=r"No permission to read 'failing://denied/a\.pdf'"):
        documents.load("failing://denied/a.pdf")
    with pytest.raises(DocumentError, match=r"cannot be read: the server went away\. Try again later"):
        documents.load("failing://down/a.pdf")


def test_name_of_a_web_address() -> None:
    assert _address_name("https://example.org/2024/invoice.pdf?sig=a/b#top") == "invoice.pdf"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("memory://case/letter.txt", "letter.txt"),
        ("zip://inner.md::memory://case/all.zip", "inner.md"),
        ("folder/a.pdf", "a.pdf"),
        (Path("folder/a::b.txt"), "a::b.txt"),
        (b"content", None),
    ],
)
def test_file_name(source: str | Path | bytes, name: str | None) -> None:
    assert documents.file_name(source) == name


def test_a_path_is_never_taken_for_an_address(tmp_path: Path) -> None:
    path = tmp_path / "a::b.txt"
    path.write_text("Hi")
    document = documents.load(path)
    assert (document.name, document.text) == ("a::b.txt", "Hi")


def test_words_of_a_foreign_error() -> None:
    assert error_text(ValueError("It broke. ")) == "It broke"
    assert error_text(TimeoutError()) == "TimeoutError"


def test_within_the_limits() -> None:
    for data in (GIF, pdf_of("x"), b"text"):
        documents.check(documents.load(data), LIMITS)
    unlimited = replace(LIMITS, max_pages=None, max_image_bytes=None, max_image_px=None)
    for data in (GIF, pdf_of("x")):
        documents.check(documents.load(data), unlimited)


@pytest.mark.parametrize(
    ("document", "limits", "error", "words"),
    [
        (
            documents.load(b"Ab", name="a.txt"),
            replace(LIMITS, kinds=frozenset({DocumentKind.PDF, DocumentKind.GIF})),
            DocumentError,
            (
                "'a.txt' is of the kind 'text', which this provider does not take. It takes gif, pdf: "
                "convert the file, or choose another provider."
            ),
        ),
        (
            documents.load(pdf_of(*["x"] * 3), name="a.pdf"),
            replace(LIMITS, max_pages=2),
            LimitError,
            "'a.pdf' has 3 pages; one request takes at most 2. Split the file.",
        ),
        (
            documents.load(PNG + bytes(1000), name="a.png"),
            replace(LIMITS, max_image_bytes=1000),
            LimitError,
            "'a.png' is an image of 1,029 bytes; at most 1,000 are taken. Save it smaller.",
        ),
        (
            documents.load(PNG, name="a.png"),
            replace(LIMITS, max_image_px=300),
            LimitError,
            "'a.png' is an image of 320 × 240 pixels; each side may have at most 300. Scale it down.",
        ),
        (
            documents.load(PNG, name="a.png"),
            replace(LIMITS, max_request_bytes=39),
            LimitError,
            "'a.png' takes 40 bytes as sent; one request takes at most 39. Split the file, or make it smaller.",
        ),
        (
            documents.load("é".encode(), name="a.txt"),
            replace(LIMITS, max_request_bytes=1),
            LimitError,
            "'a.txt' takes 2 bytes as sent; one request takes at most 1. Split the file, or make it smaller.",
        ),
    ],
)
def test_over_a_limit(document: Document, limits: Limits, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        documents.check(document, limits)
    assert str(raised.value) == words


def test_forty_megabytes() -> None:
    document = documents.load(b"a line of the log\n" * (40_000_000 // 18), name="big.txt")
    with pytest.raises(LimitError, match="'big.txt' takes 39,999,996 bytes as sent; .* at most 32,000,000"):
        documents.check(document, LIMITS)


def test_a_pdf_sent_as_text_counts_as_text() -> None:
    document = documents.load(pdf_of("short"), with_text_layer=True)
    documents.check(document, replace(LIMITS, reads_text_layer=True, max_request_bytes=5))
    with pytest.raises(LimitError):
        documents.check(document, replace(LIMITS, max_request_bytes=5))
