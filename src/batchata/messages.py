"""Conversations in the common form, read into messages: every mistake is named by its place."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from batchata.errors import ConversationError, DocumentError
from batchata.types import Document, DocumentPart, Message, Part, Role, TextPart

__all__ = ["parse"]

Load: TypeAlias = Callable[..., Document]

_SYSTEM = frozenset({"system", "developer"})
_SPEAKERS = ("user", "assistant")
_ROLE_AND_CONTENT = 2
_PARTS = "text, image, document, image_url and file"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the user's list something stands, for messages."""

    path: str

    def inside(self, key: str | int) -> _Place:
        return _Place(f"{self.path}[{key!r}]")

    def wrong(self, words: str) -> ConversationError:
        return ConversationError(f"{self.path} {words}")


def parse(conversation: object, path: str, load: Load) -> tuple[str | None, tuple[Message, ...]]:
    """The system text and the turns of the conversation that the user knows as ``path`` (``messages[3]``).

    ``load`` reads a document from a path, an address or bytes, as ``documents.load`` does. Raises
    ``ConversationError`` naming conversation and turn; what ``load`` raises keeps its type and gets the place too.
    """
    if not isinstance(conversation, list) and (
        not isinstance(conversation, Sequence) or isinstance(conversation, (str, bytes))
    ):
        raise _Place(path).wrong(
            f"must be a list of {{'role', 'content'}} dicts, got {type(conversation).__name__}. A single "
            f"conversation goes in a list too: messages=[[…]]."
        )
    system: list[str] = []
    turns: list[Message] = []
    is_asked = False
    for number, turn in enumerate(conversation):
        message = _plain(turn)
        if message is None:
            here = _Place(path).inside(number)
            role, content = _fields(turn, here)
            parts = _parts(content, here.inside("content"), load)
            if role in _SYSTEM:
                system.append(_system_text(parts, here, is_first=not turns))
                continue
            if role == "assistant" and any(isinstance(part, DocumentPart) for part in parts):
                raise here.wrong("is an assistant turn with a document or image; these belong in user turns.")
            message = Message(cast("Role", role), parts)
        turns.append(message)
        is_asked = is_asked or message.role == "user"
    if not is_asked:
        raise _Place(path).wrong("has no user message, so there is nothing to answer.")
    return "\n\n".join(system) or None, tuple(turns)


def _plain(turn: object) -> Message | None:
    """A turn that is nothing but its role and a text, as most are; ``None`` for all that needs a closer look."""
    if type(turn) is not dict or len(turn) != _ROLE_AND_CONTENT:
        return None
    role, content = turn.get("role"), turn.get("content")
    if role in _SPEAKERS and type(content) is str and content and not content.isspace():
        return Message(role, (TextPart(content),))
    return None


def _fields(turn: object, place: _Place) -> tuple[str, object]:
    if not isinstance(turn, Mapping):
        raise place.wrong(f"must be a dict with 'role' and 'content', got {type(turn).__name__}.")
    role = turn.get("role")
    if role not in {"user", "assistant"} | _SYSTEM:
        raise place.wrong(f"has the role {role!r}; allowed are user, assistant and system.")
    if "content" not in turn:
        raise place.wrong("has no 'content'.")
    return str(role), turn["content"]


def _system_text(parts: Sequence[Part], place: _Place, *, is_first: bool) -> str:
    if not is_first:
        raise place.wrong("is a system message in the middle; system messages stand at the start.")
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    if len(texts) < len(parts):
        raise place.wrong("is a system message with a document or image; these belong in user turns.")
    return "\n\n".join(texts)


def _parts(content: object, place: _Place, load: Load) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (_text(content, place),)
    if not isinstance(content, Sequence) or isinstance(content, bytes) or not content:
        raise place.wrong("must be a text or a list of parts, and not empty.")
    return tuple(_part(part, place.inside(number), load) for number, part in enumerate(content))


def _text(text: object, place: _Place) -> TextPart:
    if not isinstance(text, str) or not text.strip():
        raise place.wrong("must be a text that is not empty.")
    return TextPart(text)


def _part(part: object, place: _Place, load: Load) -> Part:
    if not isinstance(part, Mapping):
        raise place.wrong(f"must be a dict with a 'type', got {type(part).__name__}.")
    match part.get("type"):
        case "text":
            return _text(part.get("text"), place.inside("text"))
        case "image" | "document" if "file" in part:
            return _document(part["file"], part, place.inside("file"), load)
        case "image" | "document" if isinstance(part.get("source"), Mapping):
            return _document(_source(part["source"], place.inside("source")), part, place.inside("source"), load)
        case "image_url" if isinstance(part.get("image_url"), Mapping):
            url = part["image_url"].get("url")
            return _document(_data_url(url, place.inside("image_url")), part, place.inside("image_url"), load)
        case "file" if isinstance(part.get("file"), Mapping):
            file = part["file"]
            given = _data_url(file.get("file_data"), place.inside("file"))
            return _document(given, {"title": file.get("filename")}, place.inside("file"), load)
        case "image" | "document":
            raise place.wrong("needs a 'file' (path, address or bytes) or a 'source' dict.")
        case "image_url" | "file":
            raise place.wrong(f"needs a dict under {part['type']!r}.")
        case unknown:
            raise place.wrong(f"has the type {unknown!r}; allowed are {_PARTS}.")


def _source(source: Mapping[str, Any], place: _Place) -> str | bytes:
    """What an Anthropic-like source holds."""
    match source.get("type"):
        case "base64":
            return _decoded(source.get("data"), place.inside("data"))
        case "text":
            return _text(source.get("data"), place.inside("data")).text.encode()
        case "url":
            return _text(source.get("url"), place.inside("url")).text
        case unknown:
            raise place.wrong(f"has the type {unknown!r}; allowed are base64, text and url.")


def _data_url(url: object, place: _Place) -> str | bytes:
    """The bytes in a ``data:`` address; any other address as it is."""
    if not isinstance(url, str) or not url:
        raise place.wrong("needs a 'data:…;base64,…' address or the address of a file.")
    if not url.startswith("data:"):
        return url
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise place.wrong("holds a data: address that is not base64.")
    return _decoded(data, place)


def _decoded(data: object, place: _Place) -> bytes:
    if not isinstance(data, str) or not data:
        raise place.wrong("must be base64 text that is not empty.")
    try:
        # Line ends are common in base64 as mail and command-line tools write it.
        return base64.b64decode("".join(data.split()), validate=True)
    except binascii.Error as error:
        raise place.wrong(f"is not base64: {error}.") from error


def _document(given: object, part: Mapping[str, Any], place: _Place, load: Load) -> DocumentPart:
    if not isinstance(given, (str, bytes, os.PathLike)):
        raise place.wrong(f"must be a path, an address or bytes, got {type(given).__name__}.")
    title = part.get("title")
    try:
        document = load(given, name=title) if isinstance(given, bytes) else load(given)
    except DocumentError as error:
        raise type(error)(f"{place.path} cannot be used: {error}") from error
    return DocumentPart(document, title)
