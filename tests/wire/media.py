"""Just enough of PDFs and images to check and to count them as the real server does.

Written by hand on purpose: pdfium must not be used from the server's threads while the library uses it, and a
check by the same code as the library's would agree with its mistakes.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import zlib
from functools import lru_cache

from tests.wire.answers import JsonObject

PAGE_TOKENS = 2_500
"""Text and picture of one PDF page; the real server takes 1,500 to 3,000 for the text alone."""

MAX_IMAGE_BYTES = 10_000_000
_MAX_IMAGE_SIDE = 8_000
_MAX_SIDE_AMONG_MANY = 2_000
_MANY_IMAGES = 20
_MAX_IMAGE_TOKENS = 4_784
_PATCH = 28

_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_MAGIC = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}


class BadMediaError(ValueError):
    """The real server refuses this; the message is what it says."""


def decode(data: object) -> bytes:
    if not isinstance(data, str) or not data:
        raise BadMediaError("data: Field required")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise BadMediaError("data: Invalid base64 data") from error


def pdf_pages(data: str) -> int:
    """Pages of a base64 PDF, by its page objects; a damaged file counts as one page."""
    return _pdf_pages(decode(data))


@lru_cache(maxsize=256)
def _pdf_pages(body: bytes) -> int:
    if b"%PDF-" not in body[:1024]:
        raise BadMediaError("The PDF specified was not valid.")
    if re.search(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)", body):
        raise BadMediaError("The PDF specified is password protected.")
    pages = len(_PAGE.findall(body))
    if pages == 0:
        pages = sum(len(_PAGE.findall(_inflate(stream))) for stream in _STREAM.findall(body))
    return max(pages, 1)


def _inflate(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return b""


def image_tokens(data: str) -> int:
    """Tokens of a base64 image, by the formula of the vision page."""
    width, height = _size(decode(data))
    return min(math.ceil(width / _PATCH) * math.ceil(height / _PATCH), _MAX_IMAGE_TOKENS)


def check_image(source: JsonObject, images_in_request: int) -> None:
    media_type = source.get("media_type")
    if media_type not in _MAGIC:
        raise BadMediaError("media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'")
    body = decode(source.get("data"))
    if len(body) > MAX_IMAGE_BYTES:
        raise BadMediaError(f"image exceeds 10 MB maximum: {len(body)} bytes > {MAX_IMAGE_BYTES} bytes")
    if not body.startswith(_MAGIC[media_type]):
        raise BadMediaError(f"Image does not match the provided media type {media_type}")
    side = max(_size(body))
    limit = _MAX_SIDE_AMONG_MANY if images_in_request > _MANY_IMAGES else _MAX_IMAGE_SIDE
    if side > limit:
        raise BadMediaError(f"At least one of the image dimensions exceed max allowed size: {limit} pixels")


def _size(body: bytes) -> tuple[int, int]:
    if body.startswith(_MAGIC["image/png"]):
        return int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big")
    if body.startswith(_MAGIC["image/gif"]):
        return int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
    if body.startswith(_MAGIC["image/jpeg"]):
        return _jpeg_size(body)
    return _webp_size(body)


def _jpeg_size(body: bytes) -> tuple[int, int]:
    frame = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]")
    at = 2
    while at + 9 < len(body) and body[at] == 0xFF:
        if frame.match(body, at):
            return int.from_bytes(body[at + 7 : at + 9], "big"), int.from_bytes(body[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(body[at + 2 : at + 4], "big")
    raise BadMediaError("Could not process image")


def _webp_size(body: bytes) -> tuple[int, int]:
    kind = body[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[24:27], "little"), 1 + int.from_bytes(body[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(body[26:28], "little") & 0x3FFF, int.from_bytes(body[28:30], "little") & 0x3FFF
    raise BadMediaError("Could not process image")
