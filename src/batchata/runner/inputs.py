"""A run's inputs: any iterable, read once and in order, with room to give some back."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from batchata.errors import ArgumentError
from batchata.runner.task import FileSource, Item
from batchata.types import DocumentPart, Message, TextPart


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave: files or conversations."""

    messages: Iterable[object] | None
    files: Iterable[FileSource] | None

    def items(self) -> Iterator[Item]:
        """The inputs from the first, numbered. Raises ``ArgumentError`` for an iterator that was read before."""
        if self.messages is not None:
            return (Item(index, conversation=each) for index, each in enumerate(_again(self.messages, "messages")))
        return iter(())


class Inputs:
    """The items that are not in a job yet."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._returned: deque[Item] = deque()

    def take(self) -> Item | None:
        """The next item; ``None`` if there is none left."""
        return self._returned.popleft() if self._returned else next(self._items, None)

    def give_back(self, items: Iterable[Item]) -> None:
        """Put items, in their order, before all that are left."""
        self._returned.extendleft(reversed(list(items)))


def digest_of(system: str | None, turns: Iterable[Message]) -> str:
    """A hash of what one input says, documents included, to notice one that changed."""
    whole = hashlib.sha256()
    for piece in _pieces(system, turns):
        whole.update(len(piece).to_bytes(8, "big") + piece)
    return whole.hexdigest()


def chained(digest: str, item_digest: str) -> str:
    """The hash of all inputs up to one more."""
    return hashlib.sha256(f"{digest}{item_digest}".encode()).hexdigest()


def _pieces(system: str | None, turns: Iterable[Message]) -> Iterator[bytes]:
    yield (system or "").encode("utf-8", "surrogatepass")
    for turn in turns:
        yield turn.role.encode()
        for part in turn.parts:
            match part:
                case TextPart(text=text):
                    yield text.encode("utf-8", "surrogatepass")
                case DocumentPart(document=document):
                    yield document.data


def _again(given: Iterable[object], name: str) -> Iterator[object]:
    iterator = iter(given)
    if iterator is given and getattr(given, "gi_running", None) is False and getattr(given, "gi_frame", 1) is None:
        raise ArgumentError(
            f"{name} is a generator that was read to its end before. Give something that can be read again: a list, "
            f"or an object whose __iter__ starts anew."
        )
    return iterator
