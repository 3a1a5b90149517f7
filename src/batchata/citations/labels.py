"""Where a text names the fields of a result."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from batchata.citations.leaves import WORD, Leaf
from batchata.citations.texts import Span, covers

Words = tuple[str, ...]

_BETWEEN = re.compile(r"[ \t_*`'’-]{0,4}|[ \t\r]*\n[ \t]*")
"""What may stand between the words of one label."""
_INDEX = re.compile(r"\[\d+\]")
_PLURAL = re.compile(r"(?<=ss|.x|ch|sh)es$|(?<=.[^s])s$")
_IE = re.compile(r"ie$")


@dataclass(slots=True)
class Named:
    """Leaves by path: those whose own label it is, and those inside something with that name."""

    own: dict[str, Leaf] = field(default_factory=dict)
    inside: dict[str, Leaf] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Word:
    stem: str
    start: int
    end: int


class Labels:
    """What the leaves may be called: ``vendor.name`` "name" and "vendor name", loosely also "vendor"."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self._named: defaultdict[Words, Named] = defaultdict(Named)
        for leaf in leaves:
            holders = _holders(leaf.path)
            for label in leaf.labels:
                words = _stems(label)
                for name in (words, *(holder + words for holder in holders)):
                    self._named[name].own[leaf.path] = leaf
            for holder in holders:
                self._named[holder].inside[leaf.path] = leaf
        self._longest: dict[str, int] = {}
        for words in filter(None, self._named):
            self._longest[words[0]] = max(self._longest.get(words[0], 0), len(words))

    def find(self, text: str) -> list[tuple[Span, Named]]:
        """Every label in a text, in order, the longest where several overlap: "net total" does not say "total"."""
        found: list[tuple[Span, Named]] = []
        words = list(_words(text))
        position = 0
        while position < len(words):
            length = self._length(text, words, position)
            if length:
                group = words[position : position + length]
                named = self._named[tuple(word.stem for word in group)]
                found.append(((group[0].start, group[-1].end), named))
            position += length or 1
        return found

    def _length(self, text: str, words: Sequence[_Word], position: int) -> int:
        """How many words the longest label has that begins with this one; 0 if none does."""
        most = self._longest.get(words[position].stem, 0)
        stems: Words = ()
        best = 0
        for number, word in enumerate(words[position : position + most]):
            if number and not _BETWEEN.fullmatch(text, words[position + number - 1].end, word.start):
                break
            stems += (word.stem,)
            if stems in self._named:
                best = number + 1
        return best


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that names leaves."""

    span: Span
    leaves: dict[str, Leaf]


class Mentions:
    """The places of a text that name leaves, in order. ``used``: starts of those that name nothing any more."""

    def __init__(self, mentions: Iterable[Mention], used: set[int]) -> None:
        self._all = [mention for mention in mentions if mention.leaves]
        self._starts = [mention.span[0] for mention in self._all]
        self._used = used

    def within(self, span: Span) -> Iterator[Mention]:
        """Those that share characters with a span."""
        first = max(0, bisect_left(self._starts, span[0]) - 1)
        for mention in self._all[first : bisect_left(self._starts, span[1])]:
            if mention.span[1] > span[0] and mention.span[0] not in self._used:
                yield mention

    def before(self, position: int) -> Iterator[Mention]:
        """Those that end before a position, the nearest first."""
        for number in range(bisect_left(self._starts, position) - 1, -1, -1):
            mention = self._all[number]
            if mention.span[1] <= position and mention.span[0] not in self._used:
                yield mention

    def behind(self, position: int) -> Mention | None:
        """The first that begins behind a position."""
        number = bisect_left(self._starts, position)
        if number == len(self._all) or self._starts[number] in self._used:
            return None
        return self._all[number]

    def use_up(self, span: Span) -> None:
        """Let those inside a span name nothing any more."""
        self._used.update(mention.span[0] for mention in self.within(span) if covers(span, mention.span))


def _holders(path: str) -> list[Words]:
    """What holds a leaf, outermost first: of ``line_items[2].tax.rate`` "line item" and "tax"."""
    steps = (_stems(step) for step in _INDEX.sub("", path).split(".")[:-1])
    return [step for step in steps if step]


def _stems(text: str) -> Words:
    return tuple(word.stem for word in _words(text))


def _words(text: str) -> Iterator[_Word]:
    for match in WORD.finditer(text):
        yield _Word(_stem(match.group().casefold()), match.start(), match.end())


def _stem(word: str) -> str:
    """The word without its plural: "parties" and "party" are one."""
    return _IE.sub("y", _PLURAL.sub("", word))
