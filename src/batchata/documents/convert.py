"""Bytes to text: decoding, and HTML and DOCX through libraries that fetch and open nothing else."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

from batchata.documents.read import error_text
from batchata.documents.recognise import SUPPORTED
from batchata.errors import DocumentError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
_BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Who writes "latin-1" means Windows' larger set (WHATWG Encoding Standard, section 4.2).
_WINDOWS = {"latin_1": "cp1252", "iso8859_1": "cp1252", "ascii": "cp1252"}

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MAX_CONTROL_SHARE = 0.01  # a stray control character is found in real e-mails; more is not text
_MAX_UNPACKED_BYTES = 512 * 1024 * 1024

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def decode(data: bytes, label: str) -> str:
    """Text in UTF-8, UTF-16 or UTF-32 with a byte order mark, or in an encoding told by its content.

    Raises ``DocumentError`` for what is not text.
    """
    text = _decoded(data, label)
    if "\0" in text or len(_CONTROL.findall(text)) > len(text) * _MAX_CONTROL_SHARE:
        raise _not_text(label)
    return text


def _decoded(data: bytes, label: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise DocumentError(
                    f"{label!r} is marked as {encoding.upper()} text, but is not ({error.reason}). "
                    "Save it as UTF-8."
                ) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(data, label)


def _guessed(data: bytes, label: str) -> str:
    if b"\0" in data:
        raise _not_text(label)
    import charset_normalizer  # noqa: PLC0415  # imported where first used

    best = charset_normalizer.from_bytes(data).best()
    if best is None:
        raise _not_text(label)
    encoding = _WINDOWS.get(best.encoding, best.encoding)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:  # five bytes mean nothing in Windows' set, but something in Latin-1
        return data.decode(best.encoding)


def _not_text(label: str) -> DocumentError:
    return DocumentError(
        f"{label!r} is neither a supported format nor text in a known encoding. Supported are {SUPPORTED}; "
        "if it is text, save it as UTF-8."
    )


def html_to_text(html: str, label: str) -> str:
    """The text that a reader sees, tables and lists laid out with spaces; scripts and styles left out."""
    from inscriptis import get_text  # noqa: PLC0415  # imported where first used

    try:
        text = get_text(html.lstrip("\ufeff \t\r\n"))
    except RecursionError as error:
        raise DocumentError(
            f"{label!r} is HTML nested too deeply to be read. Save the page as PDF or text."
        ) from error
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n")


def docx_to_text(data: bytes, label: str) -> str:
    """The text of a Word file: page headers, body with tables and lists, footnotes, page footers."""
    import mammoth  # noqa: PLC0415  # imported where first used

    _require_whole(data, label)
    try:
        body = mammoth.convert_to_html(
            io.BytesIO(data),
            convert_image=lambda _: [],  # never opens a picture, inside the file or linked from it
            include_embedded_style_map=False,
            external_file_access=False,
        ).value
        header, footer = _edges(data, "header"), _edges(data, "footer")
    except (KeyError, ValueError, AttributeError, TypeError, SyntaxError, OSError, RecursionError) as error:
        raise _damaged(label, error) from error
    parts = (header, html_to_text(body, label), footer)
    return "\n\n".join(part for part in parts if part.strip())


def _require_whole(data: bytes, label: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > _MAX_UNPACKED_BYTES:
                raise DocumentError(
                    f"{label!r} would unpack to {unpacked:,} bytes; at most {_MAX_UNPACKED_BYTES:,} are read. "
                    "Take the pictures out, or save it as PDF."
                )
            broken = archive.testzip()
    # RuntimeError is zipfile's word for a member with a password.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise _damaged(label, error) from error
    if broken is not None:
        raise DocumentError(f"{label!r} is a damaged DOCX file: {broken!r} in it is broken. Get it again.")


def _edges(data: bytes, edge: str) -> str:
    """Text of the page headers or footers, which mammoth leaves out and letters keep their sender in."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415  # imported where first used

    found: dict[str, None] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in sorted(archive.namelist()):
            if re.fullmatch(rf"word/{edge}\d*\.xml", name):
                root = ET.fromstring(archive.read(name))  # noqa: S314  # expat opens nothing and bounds expansion
                lines = ("".join(_runs(paragraph)).strip() for paragraph in root.iter(f"{_WORD}p"))
                found["\n".join(line for line in lines if line)] = None
    return "\n".join(text for text in found if text)


def _runs(paragraph: Element) -> list[str]:
    blanks = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n"}
    return [
        (element.text or "") if element.tag == f"{_WORD}t" else blanks.get(element.tag, "")
        for element in paragraph.iter()
    ]


def _damaged(label: str, error: BaseException) -> DocumentError:
    return DocumentError(
        f"{label!r} is a damaged DOCX file ({type(error).__name__}: {error_text(error)}). "
        "Open it in Word and save it anew, or give a PDF."
    )
