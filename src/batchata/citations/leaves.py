"""The leaves of a validated value: path, labels, and the place in the answer's JSON they were read from."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from batchata.citations.pairing import paired
from batchata.jsonspans import Node

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo


_DEEPEST = 100
_STEPS = re.compile(r"[.\[\]/\"]")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a result.

    Attributes:
        path: the key in the result's citations, for example ``line_items[2].amount``; see ``join``.
        labels: what a document may call it, as words in lower case: field name, alias, title, nearest first.
        value: the validated value; of an enum, what stands behind the name; ``None`` for an empty list or dict.
        raw: the value as it stood in the JSON, if that was a scalar.
        span: characters of the answer it was read from; ``None`` if it cannot be told.
        given: ``False`` for a default that the answer does not hold.
    """

    path: str
    labels: tuple[str, ...]
    value: object
    raw: object
    span: tuple[int, int] | None
    given: bool


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    labels: tuple[str, ...]
    node: Node | None
    given: bool


def leaves(value: BaseModel, node: Node | None) -> list[Leaf]:
    """Every leaf of the value, in field order; an empty list or dict is a leaf too. ``node`` is its JSON.

    What a validator linked back to what holds it is passed over, as is what is nested too deeply for any answer.
    """
    return list(_walk(value, _Place("", (), node, given=True), frozenset()))


def _walk(value: object, place: _Place, above: frozenset[int]) -> Iterator[Leaf]:
    if id(value) in above or len(above) > _DEEPEST:
        return
    children = _children(value, place)
    if not children:
        yield _leaf(value if children is None else None, place)
        return
    for child, child_place in children:
        yield from _walk(child, child_place, above | {id(value)})


def _leaf(value: object, place: _Place) -> Leaf:
    node = place.node
    raw = node.value if node is not None and node.children is None else None
    plain = value.value if isinstance(value, Enum) else value
    path = place.path or "root"
    return Leaf(path, place.labels, plain, raw, None if node is None else span_of(node), place.given)


def span_of(node: Node) -> tuple[int, int]:
    """The characters that count as a node's own; of ``""`` the quotes."""
    return (node.start, node.end) if node.start < node.end else (node.start - 1, node.end + 1)


def _children(value: object, place: _Place) -> list[tuple[object, _Place]] | None:
    """The parts of a composite value; ``None`` for a scalar."""
    from pydantic import BaseModel, RootModel  # noqa: PLC0415  # imported where first used

    if isinstance(value, RootModel):
        return [(value.root, place)]
    if isinstance(value, BaseModel):
        return list(_of_model(value, place))
    if is_dataclass(value) and not isinstance(value, type):
        infos: dict[str, FieldInfo] = getattr(value, "__pydantic_fields__", {})
        named = [
            (getattr(value, spec.name), _named(place, spec.name, infos.get(spec.name))) for spec in fields(value)
        ]
        is_told = place.node is not None and isinstance(place.node.children, dict)
        return [(each, replace(at, given=at.given and (at.node is not None or not is_told))) for each, at in named]
    return _of_container(value, place)


def _of_container(value: object, place: _Place) -> list[tuple[object, _Place]] | None:
    if isinstance(value, Mapping):
        return list(_of_mapping(value, place))
    if isinstance(value, AbstractSet):
        return list(_of_set(value, place))
    if isinstance(value, list | tuple | deque):
        return list(_of_sequence(list(value), place))
    return None


def _of_model(value: BaseModel, place: _Place) -> Iterator[tuple[object, _Place]]:
    for name, info in type(value).model_fields.items():
        yield getattr(value, name), _named(place, name, info, given=name in value.model_fields_set)
    for name, extra in (value.model_extra or {}).items():
        yield extra, _named(place, name, None)


def _named(place: _Place, name: str, info: FieldInfo | None, *, given: bool = True) -> _Place:
    routes = _routes(name, info)
    nodes = (_follow(place.node, route) for route in routes)
    node = next((found for found in nodes if found is not None), None)
    titles = [info.title] if info is not None and info.title else []
    labels = _labels(name, *(str(route[-1]) for route in routes), *titles)
    return _Place(join(place.path, name), labels, node, given and place.given)


def _routes(name: str, info: FieldInfo | None) -> list[list[str | int]]:
    """Where the JSON may hold a field, in the order in which Pydantic looks."""
    from pydantic import AliasChoices, AliasPath  # noqa: PLC0415  # imported where first used

    alias = None if info is None else info.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    routes: list[list[str | int]] = []
    for choice in choices:
        if isinstance(choice, AliasPath):
            routes.append(list(choice.path))
        elif isinstance(choice, str):
            routes.append([choice])
    return [*routes, [name]]


def _follow(node: Node | None, route: Iterable[str | int]) -> Node | None:
    if node is not None and node.children is None:
        return node  # a validator made parts out of one value: they all stand there
    for step in route:
        if node is None or node.children is None:
            return None
        if isinstance(node.children, dict):
            node = node.children.get(str(step))
        elif isinstance(step, int) and -len(node.children) <= step < len(node.children):
            node = node.children[step]
        else:
            return None
    return node


def _of_mapping(value: Mapping[object, object], place: _Place) -> Iterator[tuple[object, _Place]]:
    nodes = place.node.children if place.node is not None and isinstance(place.node.children, dict) else {}
    # Keys that a validator made anew are known by their values alone.
    in_order = paired(list(value.values()), list(nodes.values())) if nodes else [None] * len(value)
    for (key, child), by_order in zip(value.items(), in_order, strict=True):
        name = str(key.value if isinstance(key, Enum) else key)
        node = nodes.get(name, by_order) if place.node is None or place.node.children is not None else place.node
        yield child, _Place(join(place.path, name), _labels(name), node, place.given)


def _of_sequence(value: list[object], place: _Place) -> Iterator[tuple[object, _Place]]:
    nodes = _item_nodes(place.node, value)
    for index, (child, node) in enumerate(zip(value, nodes, strict=True)):
        path = f"{place.path}[{index}]"
        yield child, _Place(path, place.labels, node, place.given)


def _item_nodes(node: Node | None, values: Sequence[object]) -> list[Node | None]:
    if node is None or node.children is None:
        return [node] * len(values)
    return paired(values, _members(node))


def _of_set(value: AbstractSet[object], place: _Place) -> Iterator[tuple[object, _Place]]:
    """Sets have an order of their own."""
    values = list(value)
    for index, (child, node) in enumerate(zip(values, _item_nodes(place.node, values), strict=True)):
        yield child, _Place(f"{place.path}[{index}]", place.labels, node, place.given)


def _members(node: Node) -> list[Node]:
    children = node.children or ()
    return list(children.values()) if isinstance(children, dict) else list(children)


def join(path: str, name: str) -> str:
    """The path of a member; a name that would read as several steps stands in brackets: ``rates["a.b"]``."""
    if not name or _STEPS.search(name):
        return f"{path}[{json.dumps(name, ensure_ascii=False)}]"
    return f"{path}.{name}" if path else name


def _labels(*names: str) -> tuple[str, ...]:
    words = (_words(name) for name in names)
    return tuple(dict.fromkeys(word for word in words if word))


WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


def _words(name: str) -> str:
    """``invoice_number``, ``invoiceNumber`` and ``Invoice number`` as words."""
    return " ".join(word.casefold() for word in WORD.findall(name))
