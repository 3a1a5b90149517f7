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
