"""Citations: the leaves of a value with their places, and what mapping does to any answer at all."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass as plain_dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from batchata.citations import resolve
from batchata.citations.leaves import Leaf, leaves
from batchata.citations.mapping import assign
from batchata.citations.texts import Texts
from batchata.jsonspans import without_cite_tags
from batchata.structured import read
from batchata.types import Citation, Source, TextBlock

EXAMPLES = int(os.environ.get("BATCHATA_EXAMPLES", "200"))


@plain_dataclass
class Box2:
    wide: int
    high: int


class Odd(BaseModel):
    tags: set[str]
    pair: tuple[int, str]
    box: Box2
    left_out: str = "default"
    keyed: dict[date, int] = {}


def test_leaves_of_the_odder_types() -> None:
    text = '{"tags": ["b", "a", "b"], "pair": [1, "x"], "box": {"wide": 2, "high": 3}, "keyed": {"2024-03-05": 4}}'
    reading = read(text, Odd)
    found = {
        leaf.path: text[slice(*leaf.span)] if leaf.span else None for leaf in leaves(reading.value, reading.node)
    }
    assert {found.pop("tags[0]"), found.pop("tags[1]")} == {"a", "b"}
    assert found == {
        "pair[0]": "1",
        "pair[1]": "x",
        "box.wide": "2",
        "box.high": "3",
        "left_out": None,
        "keyed.2024-03-05": "4",
    }


def test_a_default_is_not_searched() -> None:
    text = '{"tags": ["b"], "pair": [1, "x"], "box": {"wide": 2, "high": 3}}'
    reading = read(text, Odd)
    found = resolve([TextBlock(text)], reading.value, reading.node, [Source("s", ("a default",), paged=False)])
    assert found.by_field is not None
    assert found.by_field["left_out"] == []


def test_the_citations_of_an_answer_keep_their_order() -> None:
    cited = tuple(Citation(text, document_index=0) for text in ("c", "a", "b"))
    text = '{"tags": ["b"], "pair": [1, "x"], "box": {"wide": 2, "high": 3}}'
    blocks = [TextBlock(text[:40], cited[:2]), TextBlock(text[40:], cited[2:])]
    reading = read(text, Odd)
    resolved = resolve(blocks, reading.value, reading.node, [])
    assert [each.cited_text for each in resolved.flat] == ["c", "a", "b"]
    assert resolved.by_field is not None
    assert [each.cited_text for each in resolved.by_field["pair[1]"]] == ["c", "a"]


# --- mapping equals overlap --------------------------------------------------------------------------

scalars = (
    st.text('abc{}[]:,"\\/ \n\t5éß\u2028😀\x01', max_size=6) | st.integers(-999, 999) | st.booleans() | st.none()
)
names = st.sampled_from(["a", "b2", "long_name", "x", "total"])
shapes = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def model_of(shape: object) -> Any:
    """The model of a value: objects become models."""
    if isinstance(shape, dict):
        fields: dict[str, Any] = {name: (model_of(each), ...) for name, each in shape.items()}
        return create_model("M", **fields)
    if isinstance(shape, list):
        kinds = tuple(model_of(each) for each in shape)
        return tuple[kinds] if shape else list[int]  # type: ignore[valid-type]  # made at run time
    return type(shape) if shape is not None else None


def places(shape: object, start: int, path: str, *, escaped: bool) -> tuple[dict[str, tuple[int, int]], int]:
    """The leaves' places, found by writing the JSON again rather than by parsing it."""
    if isinstance(shape, dict | list) and shape:
        found: dict[str, tuple[int, int]] = {}
        position = start + 1
        members = shape.items() if isinstance(shape, dict) else enumerate(shape)
        for key, each in members:
            step = f"{path}.{key}".lstrip(".") if isinstance(shape, dict) else f"{path}[{key}]"
            position += len(json.dumps(key)) + 2 if isinstance(shape, dict) else 0
            inner, position = places(each, position, step, escaped=escaped)
            found |= inner
            position += 2
        return found, position - 1
    end = start + len(json.dumps(shape, ensure_ascii=escaped))
    inside = (start + 1, end - 1) if isinstance(shape, str) and shape else (start, end)
    return {path: inside}, end


@given(
    st.dictionaries(names, shapes, min_size=2, max_size=4),
    st.sampled_from(["", "```\n", "“…”\n\n"]),
    st.booleans(),
    st.lists(st.integers(0, 250), max_size=12),
    st.data(),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_mapping_is_the_overlap(
    shape: dict[str, object], before: str, escaped: bool, cuts: list[int], data: st.DataObject
) -> None:
    answer = json.dumps(shape, ensure_ascii=escaped)
    text = before + answer + before[::-1]
    truth, _ = places(shape, len(before), "", escaped=escaped)
    blocks: list[TextBlock] = []
    expected: dict[str, list[str]] = {path: [] for path in truth}
    for number, (start, end) in enumerate(
        pairwise(sorted({0, len(text), *(cut for cut in cuts if cut < len(text))}))
    ):
        whole = start <= len(before) and end >= len(before) + len(answer)
        cited = data.draw(st.integers(0, 2)) if not whole else 0
        blocks.append(TextBlock(text[start:end], tuple(Citation(f"{number}.{each}") for each in range(cited))))
        for path, (left, right) in truth.items():
            if max(left, start) < min(right, end):
                expected[path] += [f"{number}.{each}" for each in range(cited)]
    reading = read(text, model_of(shape))
    resolved = resolve(blocks, reading.value, reading.node, [])
    assert resolved.by_field is not None
    assert {path: [each.cited_text for each in cited] for path, cited in resolved.by_field.items()} == expected
    belong = {each for cited in expected.values() for each in cited}
    incoming = [citation.cited_text for block in blocks for citation in block.citations]
    assert [each.cited_text for each in resolved.flat] == incoming
    assert [each.cited_text for each in resolved.unmapped] == [each for each in incoming if each not in belong]


# --- no citation is lost, counted twice or given away for nothing ------------------------------------


class Party(BaseModel):
    name: str = "Acme"
    city: str = "Rome"


class Report(BaseModel):
    total: int | None = None
    net_total: float = 100.0
    parties: list[Party] = []
    tags: list[str] = []
    paid: bool = True


labels = ["total", "net total", "Net", "parties", "name", "city", "tags", "paid"]
written = ["Acme", "Acme Holding", "Rome", "100", '"100.00"', "7", "true", "é", "😀"]
marks = [
    " ",
    "\n",
    "\n\n",
    ". ",
    ", ",
    "| ",
    ": ",
    " and ",
    " is the ",
    "**",
    "- ",
    "## ",
    "```",
    "{",
    "}",
    "[",
    "]",
]
tags = ["<cite i='1'>", "</cite>"]
prose = st.lists(st.sampled_from(labels + written + marks + tags), max_size=25).map("".join)
values = st.builds(
    Report,
    total=st.sampled_from([None, 7, 100]),
    parties=st.lists(st.builds(Party, name=st.sampled_from(["Acme", "Acme Holding", ""])), max_size=3),
    tags=st.lists(st.sampled_from(["Rome", "a", "7"]), max_size=3),
)


@given(values, prose, prose, st.lists(st.integers(0, 600), max_size=25), st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_each_citation_is_mapped_or_not(
    value: Report, before: str, behind: str, cuts: list[int], data: st.DataObject
) -> None:
    answer = value.model_dump_json()
    text = before + answer + behind
    node = read(answer, Report).node
    found = [_moved(leaf, len(before)) for leaf in leaves(value, node)]
    borders = pairwise(sorted({0, len(text), *(cut for cut in cuts if cut < len(text))}))
    blocks = [
        TextBlock(text[start:end], tuple(map(Citation, data.draw(st.lists(prose, max_size=2)))))
        for start, end in borders
    ]
    cited = [citation.cited_text for block in blocks for citation in block.citations]
    root = (len(before), len(before) + len(answer))
    assigned = assign(blocks, found, root)
    mapped = {number for numbers in assigned.by_leaf.values() for number in numbers}
    assert sorted([*mapped, *assigned.unmapped]) == list(range(len(cited)))
    assert all(numbers == sorted(set(numbers)) for numbers in assigned.by_leaf.values())

    starts = [(block, sum(len(each.text) for each in blocks[:number])) for number, block in enumerate(blocks)]
    owners = [(start, start + len(block.text)) for block, start in starts for _ in block.citations]
    holds = partial(_holds, without_cite_tags(before + "\n" + behind)[0])
    for leaf in found:
        for number in assigned.by_leaf.get(leaf.path, ()):
            start, end = owners[number]
            overlaps = leaf.span is not None and max(start, leaf.span[0]) < min(end, leaf.span[1])
            assert overlaps or holds(cited[number], leaf)
    for number in assigned.unmapped:
        start, end = owners[number]
        assert (start <= root[0] and end >= root[1]) or not any(
            leaf.span and max(start, leaf.span[0]) < min(end, leaf.span[1]) for leaf in found
        )


def _holds(around: str, cited: str, leaf: Leaf) -> bool:
    texts = Texts()
    return texts.hold(cited, leaf) or any(texts.hold(line, leaf) for line in (around, *around.split("\n")))


def _moved(leaf: Leaf, by: int) -> Leaf:
    span = None if leaf.span is None else (leaf.span[0] + by, leaf.span[1] + by)
    return Leaf(leaf.path, leaf.labels, leaf.value, leaf.raw, span, leaf.given)
