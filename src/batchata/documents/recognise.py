"""What a file is: by its content first, by the suffix of its name second."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath

from batchata.errors import DocumentError
from batchata.types import DocumentKind

SUPPORTED = "PDF, plain text, Markdown, HTML, CSV, JSON, DOCX, and PNG, JPEG, WebP and GIF images"

MEDIA_TYPES: dict[DocumentKind, str] = {
    DocumentKind.PDF: "application/pdf",
    DocumentKind.TEXT: "text/plain",
    DocumentKind.MARKDOWN: "text/markdown",
    DocumentKind.HTML: "text/html",
    DocumentKind.CSV: "text/csv",
    DocumentKind.JSON: "application/json",
    DocumentKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    DocumentKind.PNG: "image/png",
    DocumentKind.JPEG: "image/jpeg",
    DocumentKind.WEBP: "image/webp",
    DocumentKind.GIF: "image/gif",
}

DEFAULT_NAMES: dict[DocumentKind, str] = {
    **{kind: f"document.{kind.value}" for kind in DocumentKind},
    DocumentKind.TEXT: "document.txt",
    DocumentKind.MARKDOWN: "document.md",
    DocumentKind.JPEG: "document.jpg",
}

_TEXT_SUFFIXES: dict[str, DocumentKind] = {
    ".txt": DocumentKind.TEXT,
    ".text": DocumentKind.TEXT,
    ".log": DocumentKind.TEXT,
    ".eml": DocumentKind.TEXT,
    ".jsonl": DocumentKind.TEXT,
    ".xml": DocumentKind.TEXT,
    ".md": DocumentKind.MARKDOWN,
    ".markdown": DocumentKind.MARKDOWN,
    ".csv": DocumentKind.CSV,
    ".tsv": DocumentKind.CSV,
    ".json": DocumentKind.JSON,
    ".html": DocumentKind.HTML,
    ".htm": DocumentKind.HTML,
    ".xhtml": DocumentKind.HTML,
}

_BINARY_SUFFIXES: dict[str, str] = {
    ".pdf": "PDF",
    ".docx": "DOCX",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WebP",
    ".gif": "GIF",
}

_PDF_HEADER_WITHIN = 1024  # readers accept junk before the header up to here (PDF 1.7, appendix H.3)

_IMAGES: tuple[tuple[bytes, DocumentKind], ...] = (
    (b"\x89PNG\r\n\x1a\n", DocumentKind.PNG),
    (b"\xff\xd8\xff", DocumentKind.JPEG),
    (b"GIF87a", DocumentKind.GIF),
    (b"GIF89a", DocumentKind.GIF),
)

_OLD_OFFICE = (
    "an old Office file (.doc, .xls, .ppt, .msg) or an Office file with a password; "
    "save it as DOCX or PDF without one"
)

# (offset, magic, what it seems to be)
_UNSUPPORTED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_OFFICE),
    (0, b"{\\rtf", "an RTF file; save it as DOCX or PDF"),
    (0, b"%!PS", "a PostScript file; convert it to PDF"),
    (0, b"II*\0", "a TIFF image; convert it to PNG or PDF"),
    (0, b"MM\0*", "a TIFF image; convert it to PNG or PDF"),
    (4, b"ftypheic", "a HEIC image; convert it to JPEG"),
    (4, b"ftypavif", "an AVIF image; convert it to JPEG"),
    (4, b"ftyp", "a video or HEIF file"),
    (0, b"\x7fELF", "an executable"),
    (0, b"\xcf\xfa\xed\xfe", "an executable"),
    (0, b"\xca\xfe\xba\xbe", "an executable"),
    (0, b"\x1f\x8b", "a gzip archive; unpack it"),
    (0, b"\xfd7zXZ\0", "an xz archive; unpack it"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (0, b"Rar!\x1a\x07", "a RAR archive; unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (257, b"ustar", "a tar archive; unpack it"),
)

# These begin like words, so they count only in data with a NUL, which no text has.
_UNSUPPORTED_IF_BINARY: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MZ", "an executable"),
    (0, b"BM", "a BMP image; convert it to PNG"),
    (0, b"BZh", "a bzip2 archive; unpack it"),
    (0, b"PAR1", "a Parquet file; export it as CSV"),
    (0, b"RIFF", "a sound or video file"),
    (0, b"OggS", "a sound or video file"),
    (0, b"ID3", "a sound file"),
)

_ZIP_MEMBERS: tuple[tuple[str, str], ...] = (
    ("xl/", "an Excel workbook; export the sheet as CSV or PDF"),
    ("ppt/", "a PowerPoint file; export it as PDF"),
    ("META-INF/container.xml", "an EPUB book; convert it to PDF or HTML"),
    ("content.xml", "an OpenDocument file; save it as DOCX or PDF"),
)


def binary_kind(data: bytes, name: str | None, label: str) -> DocumentKind | None:
    """PDF, DOCX or an image, or ``None`` for what may be text.

    Raises ``DocumentError`` for every other format that is recognised.
    """
    suffix = _suffix(name)
    header = data.find(b"%PDF-", 0, _PDF_HEADER_WITHIN)
    # A text may speak of "%PDF-"; a file named as text is a PDF only if it begins like one.
    if header == 0 or (header > 0 and suffix not in _TEXT_SUFFIXES):
        return DocumentKind.PDF
    for magic, kind in _IMAGES:
        if data.startswith(magic):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return DocumentKind.WEBP
    if data.startswith(b"PK\x03\x04"):
        return _zip_kind(data, suffix, label)
    seems = seems_to_be(data)
    if seems is not None:
        raise unsupported(label, seems)
    return None


def seems_to_be(data: bytes) -> str | None:
    """The name of a known format that is not supported; ``None`` if no signature fits."""
    signatures = _UNSUPPORTED + (_UNSUPPORTED_IF_BINARY if b"\0" in data[:4096] else ())
    for offset, magic, seems in signatures:
        if data.startswith(magic, offset):
            return seems
    return None


def unsupported(label: str, seems: str) -> DocumentError:
    """The error for a format that is recognised but not taken."""
    return DocumentError(f"{label!r} seems to be {seems}. Supported are {SUPPORTED}.")


def require_text_name(name: str | None, label: str) -> None:
    """Refuse text in a file named as a PDF, DOCX or image, such as a web server's error page."""
    expected = _BINARY_SUFFIXES.get(_suffix(name))
    if expected is not None:
        raise DocumentError(
            f"{label!r} is not a readable {expected} file: it does not begin like one. "
            "It may be damaged, cut short, or another kind of file under that name; get it again or rename it."
        )


def text_kind(text: str, name: str | None) -> DocumentKind:
    """Which kind of text: as the suffix says where the content allows it, else as the content looks."""
    named = _TEXT_SUFFIXES.get(_suffix(name))
    if named is DocumentKind.JSON:
        return DocumentKind.JSON if _is_json(text) else DocumentKind.TEXT
    if named is DocumentKind.HTML:
        return DocumentKind.HTML if "<" in text else DocumentKind.TEXT
    if named is not None:
        return named
    if _is_html(text):
        return DocumentKind.HTML
    # A lone number or word is valid JSON too, but nobody means it so.
    if text.lstrip()[:1] in {"{", "["} and _is_json(text):
        return DocumentKind.JSON
    return DocumentKind.TEXT


def _suffix(name: str | None) -> str:
    return PurePosixPath(name or "").suffix.lower()


def _is_json(text: str) -> bool:
    import orjson  # noqa: PLC0415  # imported where first used

    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_html(text: str) -> bool:
    start = text.lstrip("\ufeff \t\r\n")[:2048].lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return True
    return start.startswith(("<?xml", "<!--")) and "<html" in start


def _zip_kind(data: bytes, suffix: str, label: str) -> DocumentKind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        what = "DOCX file" if suffix == ".docx" else "ZIP archive"
        raise DocumentError(f"{label!r} is a damaged {what}: {error}. Get it again or save it anew.") from error
    if any(name.startswith("word/document") for name in names):
        return DocumentKind.DOCX
    for member, seems in _ZIP_MEMBERS:
        if any(name.startswith(member) for name in names):
            raise unsupported(label, seems)
    raise unsupported(label, "a ZIP archive; unpack it")
