"""Filling in a layout from a document, one value at a time, each from the document's own words.

The model sees a JSON object grow: we write the keys and the punctuation, it writes the values, all as strings and
as the document writes them; and for each it can only write what stands in the document (or is one of the options).
So every value is known with its place. The answer's own JSON, with numbers as numbers and dates in ISO form, is
made beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from batchata.providers.local import grammar
from batchata.providers.local.candidates import candidates, same_value
from batchata.providers.local.cues import Cues, words_of_name
from batchata.providers.local.layout import Fixed, Items, Kind, Leaf, Node, Record
from batchata.providers.local.reading import Place, Reading, shown
from batchata.providers.local.shapes import Shape, runs

ABSENT = "none"
_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer's JSON, and the place in the reading that it comes from."""

    text: str
    place: Place | None = None


class UnfillableError(Exception):
    """A value that must be given has nothing in the document to come from."""


Ask = Callable[[str, str, bool], str]
"""From the form so far, the grammar of what comes next and whether a quote ends it, to what the model wrote."""


class Filler:
    """Fills in one answer. ``shapes`` says what the values of a leaf look like, by its path."""

    def __init__(self, reading: Reading, shapes: Mapping[str, Shape], ask: Ask) -> None:
        self._reading = reading
        self._shapes = shapes
        self._ask = ask
        self._form = ""

    def fill(self, node: Node, path: str = "") -> Iterator[Piece]:
        """The pieces of the JSON, in order."""
        match node:
            case Fixed(value):
                yield self._literal(_json(value))
            case Leaf():
                yield self._leaf(node, path)
            case Record(members):
                for index, member in enumerate(members):
                    yield self._literal(("{" if index == 0 else ", ") + _json(member.key) + ": ")
                    yield from self.fill(member.node, join(path, member.key))
                yield self._literal("}")
            case Items(item, fewest, most):
                yield self._literal("[")
                for index in range(most):
                    if index >= fewest and not self._goes_on(item, index):
                        break
                    if index:
                        yield self._literal(", ")
                    yield from self.fill(item, path)
                yield self._literal("]")

    def _literal(self, text: str) -> Piece:
        self._form += text
        return Piece(text)

    def _goes_on(self, item: Node, index: int) -> bool:
        more = ", " if index else {Record: "{", Items: "["}.get(type(item), '"')
        return not self._ask(self._form, grammar.mark(["]", more]), False).startswith("]")

    def _leaf(self, leaf: Leaf, path: str) -> Piece:
        match leaf.kind:
            case Kind.CHOICE:
                words = {option_word(option): option for option in leaf.options}
                if leaf.nullable:
                    words.setdefault(ABSENT, None)
                return Piece(_json(words[self._write(grammar.one_of(words))]))
            case Kind.TEXT:
                return self._text(leaf, path)
            case _:
                return self._candidate(leaf, path)

    def _text(self, leaf: Leaf, path: str) -> Piece:
        text = self._reading.text
        if not text.strip():
            return self._nothing(leaf, path)
        shape = self._shapes.get(path)
        options = {} if shape is None else runs(text, shape)
        cues = self._cues(path)
        absent = [ABSENT] if leaf.nullable else []
        rules = grammar.one_of(cues.narrowed(options) + absent) if options else grammar.words_of(text, *absent)
        written = self._write(rules)
        if leaf.nullable and written == ABSENT:
            return Piece("null")
        place = cues.best_place(options.get(written) or places_of(text, written))
        return Piece(_json(self._reading.as_written(place)), place)

    def _candidate(self, leaf: Leaf, path: str) -> Piece:
        found = candidates(leaf, self._reading.text)
        if not found:
            return self._nothing(leaf, path)
        shape = self._shapes.get(path)
        options = {
            written: candidate.places
            for written, candidate in found.items()
            if shape is None or shape.fits(written)
        } or {written: candidate.places for written, candidate in found.items()}
        cues = self._cues(path)
        written = self._write(grammar.one_of(cues.narrowed(options) + ([ABSENT] if leaf.nullable else [])))
        if leaf.nullable and written == ABSENT:
            return Piece("null")
        if written not in options:
            raise UnfillableError(f"the engine wrote {written!r} for {path!r}, which it was not allowed to")
        return Piece(found[written].json_text, cues.best_place(options[written]))

    def _cues(self, path: str) -> Cues:
        shape = self._shapes.get(path)
        return Cues(self._reading.text, words_of_name(path) | (shape.cues if shape else frozenset()))

    def _nothing(self, leaf: Leaf, path: str) -> Piece:
        if leaf.nullable:
            return self._literal("null")
        raise UnfillableError(
            f"the document holds no {leaf.kind} that {path or 'the answer'!r} could be taken from"
        )

    def _write(self, rules: str) -> str:
        value = self._ask(self._form + '"', rules, True).strip()
        self._form += f'"{value}"'
        return value


def join(path: str, key: str) -> str:
    """The path of a field inside another; items of a list have the path of their list."""
    return f"{path}.{key}" if path else key


def option_word(option: object) -> str:
    """An option of a choice as the model reads and writes it."""
    if isinstance(option, bool):
        return _YES if option else _NO
    return ABSENT if option is None else shown(str(option)).strip()


def places_of(text: str, written: str) -> list[Place]:
    """Where a text stands, as whole words where it does. Raises ``UnfillableError`` where it does not stand."""
    found = [Place(match.start(), match.end()) for match in re.finditer(re.escape(written), text)]
    if not written or not found:
        raise UnfillableError(f"the engine wrote {written!r}, which does not stand in the document")
    return [place for place in found if _is_whole(text, place)] or found


def _is_whole(text: str, place: Place) -> bool:
    before, after = text[: place.start][-1:], text[place.end : place.end + 1]
    first, last = text[place.start], text[place.end - 1]
    return not (before.isalnum() and first.isalnum()) and not (last.isalnum() and after.isalnum())


def example_form(node: Node, value: Any, text: str) -> str:
    """The form as filled in for a worked example: its values as strings, as its document writes them."""
    match node:
        case Fixed(fixed):
            return _json(fixed)
        case Leaf():
            return _json(_example_value(node, value, text))
        case Record(members):
            given = value if isinstance(value, dict) else {}
            inner = (
                f"{_json(member.key)}: {example_form(member.node, given.get(member.key), text)}"
                for member in members
            )
            return "{" + ", ".join(inner) + "}"
        case Items(item):
            return "[" + ", ".join(example_form(item, given, text) for given in value or ()) + "]"


def example_values(node: Node, value: Any, text: str, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and written value of everything that a worked example takes from its document."""
    match node:
        case Leaf(kind=kind) if kind is not Kind.CHOICE and value is not None:
            yield path, _example_value(node, value, text)
        case Record(members) if isinstance(value, dict):
            for member in members:
                yield from example_values(member.node, value.get(member.key), text, join(path, member.key))
        case Items(item):
            for given in value or ():
                yield from example_values(item, given, text, path)


def _example_value(leaf: Leaf, value: Any, text: str) -> str:
    if value is None:
        return ABSENT
    if leaf.kind is Kind.CHOICE:
        return option_word(value)
    if leaf.kind is not Kind.TEXT:
        for written, found in candidates(leaf, text).items():
            if same_value(found.json_text, value):
                return written
    return " ".join(shown(str(value)).split())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
