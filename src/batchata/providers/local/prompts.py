"""A request line as what the model is told: the turns of the conversation, and the form it fills in. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from batchata.providers.local.fill import ABSENT, example_form, example_values
from batchata.providers.local.layout import Items, Leaf, Node, NoLayoutError, Record, layout_of
from batchata.providers.local.reading import Reading, read, shown
from batchata.providers.local.shapes import Shape, shape_of

# Without any, the default model's own template puts in one under which it answers in broken French.
_SYSTEM = "You are a helpful assistant."

Parts = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of the model.

    Attributes:
        turns: role and content, in order; the answer comes next.
        layout: what to fill in; ``None`` for an answer written freely, or under a schema.
        reading: the documents to fill it in from.
        shapes: what its values look like in the worked examples, by path.
    """

    turns: list[dict[str, str]]
    layout: Node | None
    reading: Reading
    shapes: dict[str, Shape]


def unreadable(request: dict[str, Any]) -> str | None:
    """The name of a document of which the model can read nothing."""
    for part in _all_parts(request):
        if part["type"] == "unreadable":
            return str(part["name"])
    return None


def task_of(request: dict[str, Any]) -> Task:
    """What to ask."""
    documents = [part for message in request["messages"] for part in message["parts"] if part["type"] == "document"]
    layout = _layout(request) if documents else None
    turns = [{"role": "system", "content": request["system"] or _SYSTEM}]
    values: dict[str, list[tuple[str, str]]] = {}
    for example in request["examples"]:
        output = example["output"]
        if layout is not None:
            text, answer = _content(example["parts"]), json.loads(output)
            output = example_form(layout, answer, text)
            for path, value in example_values(layout, answer, text):
                values.setdefault(path, []).append((shown(text), value))
        turns.append({"role": "user", "content": _content(example["parts"])})
        turns.append({"role": "assistant", "content": output})
    turns.extend(
        {"role": message["role"], "content": _content(message["parts"])} for message in request["messages"]
    )
    if layout is not None and not request["examples"]:
        # Examples show the form; told of it as well, the small model does worse.
        turns[-1]["content"] += _fields(layout)
    shapes = {path: shape_of(given) for path, given in values.items()}
    return Task(turns, layout, read(documents), shapes)


def _layout(request: dict[str, Any]) -> Node | None:
    if not request["citations"] or request["schema"] is None:
        return None
    try:
        return layout_of(request["schema"])
    except NoLayoutError:
        return None


def _all_parts(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for turn in (*request["examples"], *request["messages"]):
        yield from turn["parts"]


def _content(parts: Parts) -> str:
    return "\n\n".join(_text(part) for part in parts)


def _text(part: dict[str, Any]) -> str:
    if part["type"] == "text":
        return str(part["text"])
    return "\n\n".join(shown(page) for page in part["pages"])


def _fields(layout: Node) -> str:
    """The answer's keys with the descriptions that the response model gives."""
    lines = [f"- {path}: {words}" if words else f"- {path}" for path, words in _described(layout)]
    return "\n\nAnswer as JSON with these fields:\n" + "\n".join(lines)


def _described(node: Node, path: str = "answer", words: str | None = None) -> Iterator[tuple[str, str | None]]:
    match node:
        case Record(members):
            for member in members:
                yield from _described(member.node, member.key, member.description)
        case Items(item):
            yield from _described(item, path, words)
        case Leaf(nullable=nullable):
            yield path, " ".join(filter(None, [words, f"({ABSENT} if absent)" if nullable else ""])) or None
