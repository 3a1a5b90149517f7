"""Bytes to text: decoding, and HTML and DOCX through libraries that fetch and open nothing else."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError

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
_WINDOWS = {"iso8859-1": "cp1252", "ascii": "cp1252"}

# In an HTML page's head, an XML declaration or the header of an e-mail.
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 4096

# What has neither a mark nor zeros is not UTF-16 or UTF-32, though any bytes could be read as such; nor does
# anyone send EBCDIC, of which the same is true.
_NEVER_GUESSED = [
    *("utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"),
    *("cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"),
]

# With fewer signs beyond ASCII than this, charset-normalizer takes a lone accent for Chinese or Cyrillic.
_ENOUGH_TO_GUESS = 30

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MAX_CONTROL_SHARE = 0.01  # a stray control character is found in real e-mails; more is not text
_MAX_UNPACKED_BYTES = 512 * 1024 * 1024

# What mammoth lets through when parts of the file are missing, cut or nested beyond reading; the SyntaxError is
# ElementTree's.
_UNREADABLE_PARTS = (
    ExpatError,
    SyntaxError,
    LookupError,
    ValueError,
    AttributeError,
    TypeError,
    OSError,
    RecursionError,
)

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
        return data.decode(_wide_encoding(data) or "utf-8")
    except UnicodeDecodeError:
        return _guessed(data, label)


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 without a byte order mark, told by the zeros that stand in every second byte of Western text."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if even == 0 and odd > len(data) / 4:
        return "utf-16-le"
    if odd == 0 and even > len(data) / 4:
        return "utf-16-be"
    return None


def _guessed(data: bytes, label: str) -> str:
    if b"\0" in data:
        raise _not_text(label)
    text = _as_declared(data)
    if text is None and _is_western(data):
        text = _in_encoding(data, "cp1252")
    if text is not None:
        return text
    import charset_normalizer  # noqa: PLC0415  # imported where first used

    guesses = charset_normalizer.from_bytes(data, cp_exclusion=_NEVER_GUESSED)
    best = guesses.best()
    if best is not None:
        # Where the letters do not tell the Latin sets apart, the Western one is by far the most common.
        equal = {one.encoding for one in guesses if one.chaos <= best.chaos and one.coherence >= best.coherence}
        text = _in_encoding(data, "cp1252" if "cp1252" in equal else best.encoding)
    if text is None:
        raise _not_text(label)
    return text


def _as_declared(data: bytes) -> str | None:
    declared = _DECLARED.search(data, 0, _DECLARED_WITHIN)
    name = "" if declared is None else declared[1].decode("ascii", "replace").lower()
    # UTF-8 was tried before, and a declaration that can be read as ASCII does not stand in UTF-16.
    return None if not name or name.startswith("utf") else _in_encoding(data, name)


def _is_western(data: bytes) -> bool:
    """A few accents and signs among ASCII letters: Windows' Western set, as browsers assume too."""
    beyond = sum(byte >= 0x80 for byte in data)  # noqa: PLR2004  # the end of ASCII
    letters = beyond + sum(65 <= byte & ~32 <= 90 for byte in data)  # noqa: PLR2004  # A to Z, a to z
    return beyond <= 2 or (beyond < _ENOUGH_TO_GUESS and beyond < letters * 0.4)  # noqa: PLR2004  # a word or two


def _in_encoding(data: bytes, encoding: str) -> str | None:
    try:
        name = codecs.lookup(encoding).name
        with suppress(UnicodeError):  # five bytes mean nothing in Windows' set, but something in Latin-1
            return data.decode(_WINDOWS.get(name, name))
        return data.decode(name)
    except (LookupError, UnicodeError):
        return None


def _not_text(label: str) -> DocumentError:
    return DocumentError(
        f"{label!r} is neither a supported format nor text in a known encoding. Supported are {SUPPORTED}; "
        "if it is text, save it as UTF-8."
    )


def html_to_text(html: str, label: str) -> str:
    """The text that a reader sees, tables and lists laid out with spaces; scripts and styles left out."""
    from inscriptis import Inscriptis  # noqa: PLC0415  # imported where first used
    from lxml import html as lxml_html  # noqa: PLC0415  # imported where first used

    # By default lxml drops, without a word, what is nested more than 256 deep.
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        text = Inscriptis(lxml_html.document_fromstring(html.encode(), parser=parser)).get_text()
    except lxml_html.etree.ParserError:
        return ""  # nothing but white space and comments
    except RecursionError as error:
        raise _too_deep(label) from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise _too_deep(label)
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n")


def _too_deep(label: str) -> DocumentError:
    return DocumentError(f"{label!r} is HTML nested too deeply to be read. Save the page as PDF or text.")


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
    except _UNREADABLE_PARTS as error:
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


def _runs(paragraph: Element) -> Iterator[str]:
    in_page_number = False  # it says nothing about the content, and differs on every page
    for element in paragraph.iter():
        if element.tag == f"{_WORD}instrText":
            in_page_number = "PAGE" in (element.text or "")
        elif element.tag == f"{_WORD}fldChar" and element.get(f"{_WORD}fldCharType") == "end":
            in_page_number = False
        elif element.tag == f"{_WORD}t" and not in_page_number:
            yield element.text or ""
        elif element.tag in {f"{_WORD}tab", f"{_WORD}br"}:
            yield " "


def _damaged(label: str, error: BaseException) -> DocumentError:
    return DocumentError(
        f"{label!r} is a damaged DOCX file ({type(error).__name__}: {error_text(error)}). "
        "Open it in Word and save it anew, or give a PDF."
    )
