"""Which item of a list was read from which item of the answer's JSON, if a validator may have moved them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum

from batchata.jsonspans import Node


def paired(values: Sequence[object], nodes: Sequence[Node]) -> list[Node | None]:
    """For each value its node: by position, or, where the same values stand in another order, by value.

    With another number of them nobody knows which is which, unless all of them say what some node says.
    """
    said = [_said(value) for value in values]
    told = [tuple(sorted(_scalars(node.value))) for node in nodes]
    if len(values) == len(nodes) and (said == told or sorted(said) != sorted(told)):
        return list(nodes)
    by_words: dict[tuple[str, ...], list[Node]] = {}
    for words, node in zip(reversed(told), reversed(nodes), strict=True):
        by_words.setdefault(words, []).append(node)
    found = [by_words[words].pop() if by_words.get(words) else None for words in said]
    return found if len(values) == len(nodes) or None not in found else [None] * len(values)


def _said(value: object) -> tuple[str, ...]:
    """All that a value says, sorted; of a model without its defaults."""
    from pydantic import BaseModel  # noqa: PLC0415  # imported where first used

    if isinstance(value, BaseModel):
        return tuple(sorted(_scalars({name: getattr(value, name) for name in value.model_fields_set})))
    return tuple(sorted(_scalars(value)))


def _scalars(value: object) -> Iterator[str]:
    from pydantic import BaseModel  # noqa: PLC0415  # imported where first used

    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in value.model_fields_set}
    if isinstance(value, Mapping):
        yield from _all(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from _all(value)
    else:
        yield _plain(value.value if isinstance(value, Enum) else value)


def _all(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        yield from _scalars(value)


def _plain(value: object) -> str:
    """Numbers by their size, everything else by its letters."""
    text = " ".join(str(value).casefold().split())
    if isinstance(value, bool):
        return text
    try:
        return str(Decimal(text).normalize())
    except InvalidOperation:
        return text
