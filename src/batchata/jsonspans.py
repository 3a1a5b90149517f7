"""JSON in a model's answer, with the place of every value.

Forgiving about what stands around the JSON and about commas and comments in it, never about values: what is not
clearly JSON (single quotes, bare words, an unescaped quote) is not repaired.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Candidate", "Node", "candidates", "locate", "without_cite_tags"]

Children: TypeAlias = "dict[str, Node] | tuple[Node, ...] | None"


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and where it stands.

    Attributes:
        start: first character in the text; for strings the one after the quote.
        end: character after the last one; for strings the closing quote.
        value: the value as Python's ``json`` reads it.
        children: members of an object by key, items of an array, ``None`` for scalars.
        complete: ``False`` when the text ended inside the value; members cut off are left out.
    """

    start: int
    end: int
    value: object
    children: Children = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """JSON found in a text: its tree, and ``json``, the same value as strict JSON, numbers as they were written."""

    node: Node
    json: str


def locate(text: str) -> Node | None:
    """The JSON answer in a model's text, or ``None``.

    Fences, prose, ``<cite …>`` markup, comments and trailing commas are passed over. When several objects or arrays
    stand in the text, the largest complete one wins, of equal ones the last. A scalar is an answer only if nothing
    else stands in the text. Values nested deeper than 100 levels are not taken for an answer.
    """
    found = candidates(text)
    return found[0].node if found else None


def candidates(text: str) -> list[Candidate]:
    """All JSON values that may be the answer, likeliest first (see ``locate``); none lies inside another."""
    clean, origin = without_cite_tags(text)
    scalar = _whole_scalar(clean)
    found = [scalar] if scalar else list(_containers(clean))
    found.sort(
        key=lambda each: (each.node.complete, each.node.end - each.node.start, each.node.start), reverse=True
    )
    return found if origin is None else [Candidate(_moved(each.node, origin), each.json) for each in found]


# --- cite markup -------------------------------------------------------------------------------------

_CITE_OPEN = re.compile(r"<cite\s[^<>]*>")
_CITE_TAG = re.compile(r"<cite\s[^<>]*>|</cite\s*>")


def without_cite_tags(text: str) -> tuple[str, list[int] | None]:
    """The text without leaked ``<cite index="…">`` markup, and the old position of each character that is left.

    The second is ``None`` when there was none. A bare ``<cite>`` is somebody's HTML and stays.
    """
    if not _CITE_OPEN.search(text):
        return text, None
    origin: list[int] = []
    position = 0
    for tag in _CITE_TAG.finditer(text):
        origin.extend(range(position, tag.start()))
        position = tag.end()
    origin.extend(range(position, len(text)))
    return _CITE_TAG.sub("", text), origin


def _moved(node: Node, origin: list[int]) -> Node:
    """The node with its places in the text that still had the tags."""
    start = origin[node.start] if node.start < len(origin) else origin[-1] + 1
    end = origin[node.end - 1] + 1 if node.end > node.start else start
    children = node.children
    if isinstance(children, dict):
        children = {key: _moved(child, origin) for key, child in children.items()}
    elif children is not None:
        children = tuple(_moved(child, origin) for child in children)
    return Node(start, end, node.value, children, node.complete)


# --- finding -----------------------------------------------------------------------------------------

_OPENING = re.compile(r"[{\[]")
_BRACKET = re.compile(r"[{}\[\]]")
_LOOSE_KEY = re.compile(r"\s*['’‘]?[\w$]+['’‘]?\s*:")
_FENCE = re.compile(r"\s*(?:```\w*)?\s*")


def _whole_scalar(text: str) -> Candidate | None:
    reader = _Reader(text, _FENCE.match(text).end())  # type: ignore[union-attr]  # matches the empty string too
    try:
        node = reader.scalar()
        if node is None or reader.token().kind != "end":
            return None
    except _NotJsonError:
        return None
    return Candidate(node, reader.written[0])


def _containers(text: str) -> Iterator[Candidate]:
    position = 0
    while opening := _OPENING.search(text, position):
        reader = _Reader(text, opening.start())
        try:
            node = reader.value()
        except _NotJsonError:
            # Inside broken JSON no piece may pass for the answer; after a brace in prose the search goes on.
            broken = reader.members or reader.depth > _MAX_DEPTH or _LOOSE_KEY.match(text, reader.position)
            position = _skip(text, reader.position, reader.depth) if broken else reader.position
            position = max(position, opening.end())
            continue
        if node is None or (not node.complete and not node.children):
            return
        yield Candidate(node, "".join(reader.written))
        position = node.end


def _skip(text: str, position: int, depth: int) -> int:
    """Where the brackets that are open at ``position`` are closed."""
    for bracket in _BRACKET.finditer(text, position):
        depth += 1 if bracket.group() in "{[" else -1
        if depth <= 0:
            return bracket.end()
    return len(text)


# --- reading -----------------------------------------------------------------------------------------

_MAX_DEPTH = 100
_TOKEN = re.compile(
    r'(?P<string>"(?>[^"\\]+|\\.)*+")'
    r"|(?P<scalar>(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))"
    r"|(?P<mark>[{}\[\]:,])"
    r"|(?P<end>```|\Z"
    r'|"(?>[^"\\]+|\\.)*+\\?\Z|-?\d*\.?\d*(?:[eE][+-]?)?\Z|(?:t|tr|tru|f|fa|fal|fals|n|nu|nul)\Z)',
    re.ASCII | re.DOTALL,
)
_BLANK = re.compile(r"(?>[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*+", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")


class _NotJsonError(ValueError):
    """What stands here is not JSON."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Reader:
    """Reads one value. Where the text ends inside it, what was whole is kept."""

    text: str
    position: int
    depth: int = 0
    members: int = 0
    ahead: _Token | None = None
    written: list[str] = field(default_factory=list)

    def token(self) -> _Token:
        """The next token, not yet taken."""
        if self.ahead is not None:
            return self.ahead
        blank = _BLANK.match(self.text, self.position)
        start = blank.end() if blank else self.position
        match = _TOKEN.match(self.text, start)
        if match is None:
            raise _NotJsonError
        kind = match.lastgroup or ""
        if kind == "scalar" and match.end() == len(self.text) and self.depth:
            kind = "end"  # more digits may have followed
        self.ahead = _Token(kind, match.group(), match.start(), match.end())
        return self.ahead

    def value(self) -> Node | None:
        """The value that begins here; ``None`` if the text ends first."""
        token = self.token()
        if token.text == "{":
            return self._object(token)
        if token.text == "[":
            return self._array(token)
        return self.scalar()

    def scalar(self) -> Node | None:
        """The string, number or word that begins here; ``None`` if the text ends first."""
        token = self.token()
        if token.kind == "end":
            return None
        if token.kind == "mark":
            raise _NotJsonError
        try:
            value: object = json.loads(token.text, strict=False)
        except ValueError as error:  # a wrong escape, or more digits than Python reads
            raise _NotJsonError from error
        self._take(token, _CONTROL.sub(lambda char: f"\\u{ord(char.group()):04x}", token.text))
        quote = 1 if token.kind == "string" else 0
        return Node(token.start + quote, token.end - quote, value)

    def _object(self, opening: _Token) -> Node:
        children: dict[str, Node] = {}

        def member() -> bool:
            key = self.token()
            if key.kind == "mark":
                raise _NotJsonError
            name = self.scalar()
            if name is None or self.token().kind == "end":
                return False
            if not isinstance(name.value, str):
                raise _NotJsonError
            self._take_mark(":")
            child = self.value()
            if child is not None:
                children[name.value] = child
            return child is not None and child.complete

        complete = self._members(opening, "}", member)
        value = {key: child.value for key, child in children.items()}
        return Node(opening.start, self.position, value, children, complete)

    def _array(self, opening: _Token) -> Node:
        children: list[Node] = []

        def item() -> bool:
            child = self.value()
            if child is not None:
                children.append(child)
            return child is not None and child.complete

        complete = self._members(opening, "]", item)
        return Node(opening.start, self.position, [child.value for child in children], tuple(children), complete)

    def _members(self, opening: _Token, closing: str, read_one: Callable[[], bool]) -> bool:
        """Read members up to the closing bracket; whether it came before the text ended."""
        self._take(opening, opening.text)
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _NotJsonError
        while (token := self.token()).text != closing:
            if token.kind == "end" or not read_one():
                return False
            self.members += 1
            if self.token().text == ",":
                self._take_mark(",")
            elif self.token().kind == "end":
                return False
            elif self.token().text != closing:
                raise _NotJsonError
        if self.written[-1] == ",":
            self.written.pop()
        self._take(token, closing)
        self.depth -= 1
        return True

    def _take_mark(self, mark: str) -> None:
        token = self.token()
        if token.text != mark:
            raise _NotJsonError
        self._take(token, mark)

    def _take(self, token: _Token, strict: str) -> None:
        self.position = token.end
        self.ahead = None
        self.written.append(strict)
