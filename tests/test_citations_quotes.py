"""Quotes by the path that a model gave them."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import AliasPath, BaseModel, Field, RootModel

from batchata.citations import resolve
from batchata.structured import read, wrapped_answer
from batchata.types import Quote


class Line(BaseModel):
    text: str
    net: int = Field(alias="netAmount")


class Order(BaseModel):
    lines: list[Line]
    tags: dict[str, int]
    city: Annotated[str, Field(validation_alias=AliasPath("address", "city"))]
    note: str = ""


DATA = """{"lines": [{"text": "a", "netAmount": 1}, {"text": "b", "netAmount": 2}],
 "tags": {"a.b": 3, "x/y": 4, "2": 5}, "address": {"city": "Leeds"}, "note": ""}"""

PATHS = {
    "lines[0].text": ["lines[0].text"],
    "lines[1].netAmount": ["lines[1].net"],
    "lines[1].net": ["lines[1].net"],
    "lines.1.text": ["lines[1].text"],
    "/lines/1/text": ["lines[1].text"],
    'lines[1]["text"]': ["lines[1].text"],
    "data.lines[1].text": ["lines[1].text"],
    "$.lines[1].text": ["lines[1].text"],
    " lines[1].text ": ["lines[1].text"],
    "lines[0]": ["lines[0].text", "lines[0].net"],
    "lines": ["lines[0].text", "lines[0].net", "lines[1].text", "lines[1].net"],
    "tags['a.b']": ["tags.a.b"],
    "tags.a.b": ["tags.a.b"],
    "/tags/a.b": ["tags.a.b"],
    "/tags/x~1y": ["tags.x/y"],
    "tags.2": ["tags.2"],
    "address.city": ["city"],
    "city": ["city"],
    "note": ["note"],
    # What cannot be told is for no field.
    "lines[2].text": [],
    "lines[*].text": [],
    "lines[-1].text": [],
    "LINES[0].text": [],
    "total": [],
    "": [],
    "[0]": [],
    "...": [],
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(path: str) -> None:
    reading = read(wrapped_answer(DATA, [Quote(path, "quoted", None)]), Order, quoted=True)
    found = resolve((), reading.value, reading.node, [], reading.quotes)
    assert [leaf for leaf, cited in (found.by_field or {}).items() if cited] == PATHS[path]
    assert [each.cited_text for each in found.unmapped] == ([] if PATHS[path] else ["quoted"])
    assert [each.cited_text for each in found.flat] == ["quoted"]


def test_a_list_at_the_root() -> None:
    class Lines(RootModel[list[Line]]):
        pass

    data = '[{"text": "a", "netAmount": 1}]'
    reading = read(
        wrapped_answer(data, [Quote("[0].text", "x", None), Quote("0.netAmount", "y", 1)]), Lines, quoted=True
    )
    found = resolve((), reading.value, reading.node, [], reading.quotes)
    assert {path: [each.cited_text for each in cited] for path, cited in (found.by_field or {}).items()} == {
        "[0].text": ["x"],
        "[0].net": ["y"],
    }
