"""Quotes by path: which leaf a quoted passage belongs to, and which quotes a worked example should show."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from batchata.citations.aligning import Aligner
from batchata.citations.grounding import Grounder
from batchata.citations.leaves import Leaf, join, leaves, span_of
from batchata.citations.mapping import Assigned
from batchata.citations.texts import Span, Texts
from batchata.jsonspans import Node
from batchata.types import Citation, Origin, Quote, Source

if TYPE_CHECKING:
    from pydantic import BaseModel

_STEP = re.compile(
    r"""\[\s*(?P<double>"(?:[^"\\]|\\.)*")\s*\]|\[\s*'(?P<single>[^']*)'\s*\]|(?P<plain>[^.\[\]/]+)"""
)
_BRACKETED = re.compile(r'\[("(?:[^"\\]|\\.)*")\]')
_INDEX = re.compile(r"[0-9]{1,9}")
_WHOLE = frozenset({"$", "data", "root"})


def claims(quotes: Sequence[Quote], sources: Sequence[Source | None]) -> list[Citation]:
    """The quotes as citations that nobody has checked yet."""
    at_hand = [number for number, source in enumerate(sources) if source is not None]
    # Which of several documents was meant, only the looking up can tell.
    document = at_hand[0] if len(at_hand) == 1 else None
    return [
        Citation(
            quote.text, document_index=document, start_page=quote.page, end_page=quote.page, origin=Origin.QUOTED
        )
        for quote in quotes
    ]


def assign_quotes(
    quotes: Sequence[Quote], found: Sequence[Leaf], node: Node | None, texts: Texts, *, first: int
) -> Assigned:
    """Give each quote, numbered from ``first``, to the leaf at its path.

    A path is one in the answer's JSON (``line_items[2].amount``, ``/line_items/2/amount``), or else the leaf's own. A
    path to an object or list gives the quote to those leaves inside whose values it holds.
    """
    assigned = Assigned()
    by_path = {leaf.path: [leaf] for leaf in found}
    by_span: defaultdict[Span | None, list[Leaf]] = defaultdict(list)
    for leaf in found:
        by_span[leaf.span].append(leaf)
    scalars = {} if node is None else _by_path(node)
    for number, quote in enumerate(quotes, start=first):
        path = quote.path.strip()
        place = scalars.get(path) or (None if node is None else _at(node, path))
        inside: list[Leaf] = []
        if place is not None and place.children is None:
            inside = by_span[span_of(place)]
        elif place is not None:
            inside = [leaf for leaf in found if _is_within(leaf, place) and texts.hold(quote.text, leaf)]
        assigned.give(number, inside or by_path.get(path, []))
    return assigned


def quotes_of(value: BaseModel, node: Node, sources: Sequence[Source]) -> list[Quote]:
    """The quotes that a model should have given with an answer: every value as it stands in the documents."""
    found = leaves(value, node)
    places = Aligner(Grounder(sources), found).align(found)
    return [
        Quote(path, places[leaf.path].cited_text, places[leaf.path].start_page)
        for path, scalar in _scalars(node, "")
        for leaf in found
        if leaf.path in places and _is_within(leaf, scalar)
    ]


def _by_path(node: Node) -> dict[str, Node]:
    """Every value by its path, and by the path as it reads where odd names are not put in brackets."""
    proper = dict(_scalars(node, ""))
    loose: defaultdict[str, list[Node]] = defaultdict(list)
    for path, place in proper.items():
        loose[_BRACKETED.sub(lambda match: f".{json.loads(match[1])}", path).removeprefix(".")].append(place)
    return {path: places[0] for path, places in loose.items() if len(places) == 1} | proper


def _at(node: Node, path: str) -> Node | None:
    """The node at a path; the name of the whole ("data", "$") may stand before it."""
    steps = _steps(path)
    if not steps:
        return node if node.children is None else None
    place = _follow(node, steps)
    return _follow(node, steps[1:]) if place is None and steps[0] in _WHOLE else place


def _steps(path: str) -> list[str]:
    """``lines[2].text``, ``lines.2.text``, ``lines[2]["text"]`` or the JSON pointer ``/lines/2/text`` (RFC 6901)."""
    if path.startswith("/"):
        return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    return [_unquoted(match) for match in _STEP.finditer(path)]


def _unquoted(match: re.Match[str]) -> str:
    if match["double"] is None:
        return match[match.lastgroup or 0]
    try:
        return str(json.loads(match["double"]))
    except ValueError:  # escapes that JSON does not know
        return match["double"][1:-1]


def _follow(node: Node, steps: Sequence[str]) -> Node | None:
    place: Node | None = node
    for step in steps:
        children = None if place is None else place.children
        if isinstance(children, dict):
            place = children.get(step)
        elif children is not None and _INDEX.fullmatch(step) and int(step) < len(children):
            place = children[int(step)]
        else:
            return None
    return place


def _is_within(leaf: Leaf, place: Node) -> bool:
    start, end = span_of(place)
    return leaf.span is not None and start <= leaf.span[0] and leaf.span[1] <= end


def _scalars(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    if node.children is None:
        yield path, node
    elif isinstance(node.children, dict):
        for key, child in node.children.items():
            yield from _scalars(child, join(path, key))
    else:
        for index, child in enumerate(node.children):
            yield from _scalars(child, f"{path}[{index}]")
