"""A run's inputs: any iterable, read in order, with room to give some back."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TypeVar

from batchata.errors import ArgumentError
from batchata.runner.task import FileSource, Item

T = TypeVar("T")


class Given:
    """What the user gave: files or conversations, as a list or as anything that can be iterated over."""

    def __init__(self, messages: Iterable[object] | None, files: Iterable[FileSource] | None) -> None:
        self._messages = messages
        self._files = files
        self._was_read = False

    @property
    def kind(self) -> str:
        """``"messages"`` or ``"files"``."""
        return "files" if self._messages is None else "messages"

    @property
    def count(self) -> int | None:
        """How many there are, where that is known without reading them."""
        given: object = self._files if self._messages is None else self._messages
        return len(given) if isinstance(given, Sized) else None

    @property
    def is_lasting(self) -> bool:
        """Whether they can be read any number of times."""
        given: object = self._files if self._messages is None else self._messages
        return not isinstance(given, Iterator)

    @property
    def can_be_read(self) -> bool:
        """Whether they can be read now."""
        return self.is_lasting or not self._was_read

    def items(self) -> Iterator[Item]:
        """The inputs from the first, numbered. Raises ``ArgumentError`` for an iterator that was read before."""
        if self._messages is not None:
            return (Item(index, conversation=each) for index, each in enumerate(self._again(self._messages)))
        files: Iterable[FileSource] = () if self._files is None else self._files
        return (Item(index, file=each) for index, each in enumerate(self._again(files)))

    def item(self, index: int) -> Item:
        """One input for its name; without it where they cannot be picked out."""
        files = self._files
        if isinstance(files, Sequence) and index < len(files):
            return Item(index, file=files[index])
        return Item(index)

    def _again(self, given: Iterable[T]) -> Iterator[T]:
        iterator = iter(given)
        if iterator is given:
            if self._was_read:
                raise ArgumentError(
                    f"{self.kind} is an iterator, which can be read once, and it was. Give something that can be read "
                    f"again: a list, or an object whose __iter__ starts anew."
                )
            self._was_read = True
        return iterator


class Inputs:
    """The items that are not in a job yet."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._returned: deque[Item] = deque()

    def take(self) -> Item | None:
        """The next item; ``None`` if there is none left."""
        return self._returned.popleft() if self._returned else next(self._items, None)

    def give_back(self, items: Iterable[Item]) -> None:
        """Put items, in their order, before all that are left."""
        self._returned.extendleft(reversed(list(items)))

    def has_more(self) -> bool:
        """Whether there is another item."""
        item = self.take()
        if item is None:
            return False
        self.give_back([item])
        return True

    def count_rest(self) -> int:
        """How many are left; none is, afterwards."""
        rest = len(self._returned) + sum(1 for _ in self._items)
        self._returned.clear()
        return rest


class Chain:
    """The hash of what inputs say, one after the other."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, digests: Iterable[str]) -> None:
        """The next ones; ``""`` is one that cannot be read."""
        self._hash.update("".join([f"{digest}\n" for digest in digests]).encode())

    def copy(self) -> Chain:
        """One that goes on from here by itself."""
        other = Chain()
        other._hash = self._hash.copy()
        return other

    @property
    def digest(self) -> str:
        """Of all so far."""
        return self._hash.hexdigest()


def joined(digests: Iterable[str]) -> str:
    """The hash of the inputs of one job."""
    chain = Chain()
    chain.add(digests)
    return chain.digest
