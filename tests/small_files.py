"""Small files of several kinds, made on the spot."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import docx
import fpdf

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\xf0\x08\x02\0\0\0"
WEBP = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\x01\0\xef\0\0"
JPEG = b"\xff\xd8\xff\xc0\0\x11\x08\0\xf0\x01\x40\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"


def pdf_of(*pages: str, crop: str = "", rotate: int = 0) -> bytes:
    """A PDF of A4 pages, each line of text 20 points under the one before, the first at 100, 200."""
    pdf = fpdf.FPDF(unit="pt")
    pdf.set_compression(False)
    for page in pages:
        pdf.add_page()
        pdf.set_font("helvetica", size=12)
        for number, line in enumerate(page.split("\n")):
            pdf.text(100, 200 + 20 * number, line)
    data = bytes(pdf.output())
    extra = crop + (f"/Rotate {rotate}" if rotate else "")
    # PDFium rebuilds the table of offsets that this breaks.
    return data.replace(b"/Type /Page\n", b"/Type /Page\n" + extra.encode() + b"\n") if extra else data


def pdf_that_means(content: bytes, meaning: dict[int, str]) -> bytes:
    """A PDF of one page of 300 × 200 points, whose font F draws Helvetica's letters but says they mean others.

    ``meaning`` goes from a letter's code to UTF-16 in hexadecimal.
    """
    pairs = " ".join(f"<{code:02X}> <{utf_16}>" for code, utf_16 in meaning.items())
    to_unicode = (
        "begincmap 1 begincodespacerange <00> <FF> endcodespacerange "
        f"{len(meaning)} beginbfchar {pairs} endbfchar endcmap"
    ).encode()
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding/ToUnicode 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(to_unicode), to_unicode),
    )
    numbered = (b"%d 0 obj%s\nendobj\n" % (number, body) for number, body in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + b"".join(numbered) + b"trailer<</Root 1 0 R>>\n%%EOF"


def docx_of(build: Any) -> bytes:
    document = docx.Document()
    build(document)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def zip_of(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def without(data: bytes, member: str, replacement: bytes | None = None) -> bytes:
    """A ZIP archive with one member left out, or replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            if name != member:
                new.writestr(name, old.read(name))
            elif replacement is not None:
                new.writestr(name, replacement)
    return stream.getvalue()
