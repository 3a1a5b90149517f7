"""What is typed, and what it means: files, tables, response models."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel, ValidationError

from batchata.cli.folder import RunFolder, find, settings_of
from batchata.cli.inputs import expanded
from batchata.cli.schemas import response_model
from batchata.cli.settings import checked
from batchata.cli.tables import Table
from batchata.errors import ArgumentError, BatchataError


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def test_patterns_folders_and_names_each_file_once(tmp_path: Path) -> None:
    for name in ("b.pdf", "a.pdf", "deep/c.pdf", ".hidden/d.pdf", "deep/.e.pdf", "x[1].pdf"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    assert expanded(["in/b.pdf", "in/*.pdf"]) == ["in/b.pdf", "in/a.pdf", "in/x[1].pdf"]
    assert expanded(["in/**/*.pdf"]) == ["in/a.pdf", "in/b.pdf", "in/deep/c.pdf", "in/x[1].pdf"]
    assert expanded(["in"]) == ["in/a.pdf", "in/b.pdf", "in/deep/c.pdf", "in/x[1].pdf"]
    assert expanded(["in/x[1].pdf"]) == ["in/x[1].pdf"]


def test_addresses() -> None:
    import fsspec  # noqa: PLC0415  # used here only

    memory = fsspec.filesystem("memory")
    for name in ("b.txt", "a.txt", "deep/c.txt"):
        memory.pipe_file(f"/box/{name}", b"x")
    assert expanded(["memory://box/*.txt"]) == ["memory:///box/a.txt", "memory:///box/b.txt"]
    assert len(expanded(["memory://box/"])) == 3
    assert expanded(["https://example.com/a?b=*"]) == ["https://example.com/a?b=*"]
    with pytest.raises(ArgumentError, match=re.escape("Nothing is at 'memory://none/*.txt'. Check the address.")):
        expanded(["memory://none/*.txt"])


def test_json_lines_in_every_form() -> None:
    rows = ["text", [{"role": "user", "content": "list"}], {"messages": user("under messages")}, {"only": "column"}]
    Path("a.jsonl").write_text("\n\n".join(json.dumps(row) for row in rows))
    table = Table("a.jsonl")
    assert list(table) == [user("text"), user("list"), user("under messages"), user("column")]
    assert list(table) == list(table)
    assert len(table) == 4


def test_csv_with_any_separator_and_packed() -> None:
    Path("a.csv").write_text('\ufeffid;text\n1;"one; two"\n\n2;three\n', encoding="utf-8")
    assert list(Table("a.csv", "text")) == [user("one; two"), user("three")]
    with gzip.open("b.tsv.gz", "wt") as file:
        file.write("id\ttext\n1\tpacked\n")
    assert list(Table("b.tsv.gz", "text", "Be brief.")) == [
        [{"role": "system", "content": "Be brief."}, *user("packed")]
    ]


def test_parquet_with_texts_or_conversations() -> None:
    pq.write_table(
        pa.table({"id": [1, 2], "text": ["one", "two"], "messages": [user("a"), user("b")]}), "a.parquet"
    )
    assert list(Table("a.parquet", "text")) == [user("one"), user("two")]
    assert list(Table("a.parquet")) == [user("a"), user("b")]
    assert len(Table("a.parquet", "text")) == 2


@pytest.mark.parametrize(
    ("name", "text", "column", "message"),
    [
        (
            "a.csv",
            "id,text\n1,x\n",
            "texd",
            "has no column 'texd'; its columns are 'id', 'text'. Did you mean 'text'?",
        ),
        ("a.csv", "id,text\n1,x\n", None, "has the columns 'id', 'text'. Say which to take: --column NAME."),
        ("a.csv", "id,text\n1\n", "text", "has a row with 1 of 2 columns: ['1']."),
        ("a.jsonl", '"x"\n{"x"\n', None, "'a.jsonl', line 2, is no JSON:"),
        ("a.jsonl", "5\n", None, "'a.jsonl', row 1, holds no conversation: a text, or a list"),
        ("a.parquet", "no parquet", "text", "'a.parquet' cannot be read as Parquet:"),
        ("a.txt", "x", None, "Messages are read from JSONL, CSV or Parquet, and 'a.txt' ends with '.txt'."),
    ],
)
def test_a_wrong_table_is_named_with_its_place(name: str, text: str, column: str | None, message: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(BatchataError, match=re.escape(message)):
        list(Table(name, column))


def test_a_table_in_another_encoding_is_refused() -> None:
    Path("a.csv").write_bytes("text\nMüller\n".encode("latin-1"))
    with pytest.raises(ArgumentError, match="'a.csv' is not UTF-8: .* Save it as UTF-8."):
        list(Table("a.csv"))


MODELS = """
from __future__ import annotations
from pydantic import BaseModel

class Line(BaseModel):
    amount: float

class Invoice(BaseModel):
    lines: list[Line]

number = 5
"""


def test_a_model_from_a_file_and_from_a_module(tmp_path: Path) -> None:
    Path("invoice_models.py").write_text(MODELS)
    assert set(response_model(f"{tmp_path}/invoice_models.py:Invoice", "").model_fields) == {"lines"}
    assert set(response_model("invoice_models:Line", str(tmp_path)).model_fields) == {"amount"}
    Path("one.py").write_text("from pydantic import BaseModel\nclass Only(BaseModel):\n    a: int\n")
    assert response_model(f"{tmp_path}/one.py", "").__name__ == "Only"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("models.py:Invoise", "'models.py' has no 'Invoise'. Did you mean 'Invoice'?"),
        (
            "models.py:number",
            "has something else than a Pydantic model under 'number'. Models in it: Line, Invoice.",
        ),
        ("models.py", "has the models Line, Invoice. Name the one: 'models.py:Class'."),
        ("empty.py", "'empty.py' has no Pydantic model."),
        ("gone.py:A", "There is no file 'gone.py', which should hold the response model."),
        ("broken.py:A", "'broken.py', line 2, cannot be run: SyntaxError:"),
        ("names.py:A", "'names.py', line 2, cannot be run: NameError: name 'missing' is not defined"),
        ("no_such_module_here:A", "The module 'no_such_module_here' of the response model was not found"),
        ("Invoice", "'Invoice' names no response model. Give 'module:Class', 'file.py:Class', or a JSON Schema"),
    ],
)
def test_a_wrong_model_is_named_with_the_way_out(spec: str, message: str) -> None:
    Path("models.py").write_text(MODELS)
    Path("empty.py").write_text("")
    Path("broken.py").write_text("\nclass A(:\n")
    Path("names.py").write_text("\nclass A(missing): ...\n")
    with pytest.raises(ArgumentError, match=re.escape(message)):
        response_model(spec, "")


SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": "string", "description": "As printed."},
        "total": {"type": "number", "minimum": 0},
        "issued": {"type": "string", "format": "date"},
        "currency": {"enum": ["EUR", "USD"]},
        "seller": {"$ref": "#/$defs/Party"},
        "lines": {
            "type": "array",
            "maxItems": 2,
            "items": {"type": "object", "properties": {"amount": {"type": ["number", "null"], "minimum": 1}}},
        },
        "codes": {"type": "array", "items": {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "boolean"}]}},
        "by-country": {"type": "object", "additionalProperties": {"type": "integer"}},
        "copy": {"type": "string", "default": "no"},
    },
    "required": ["number", "total", "seller"],
    "additionalProperties": False,
    "$defs": {"Party": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
}
WHOLE = {
    "number": "7",
    "total": 12.5,
    "issued": "2026-11-01",
    "currency": "EUR",
    "seller": {"city": "Bonn"},
    "lines": [{"amount": 12.5}],
    "codes": ["a", True],
    "by-country": {"DE": 1},
    "copy": "yes",
}


def schema_model(schema: object) -> type[BaseModel]:
    Path("invoice.json").write_text(json.dumps(schema))
    return response_model("invoice.json", "")


def test_a_json_schema_becomes_a_model() -> None:
    model = schema_model(SCHEMA)
    assert model.__name__ == "invoice"
    assert model.model_validate(WHOLE).model_dump(mode="json", by_alias=True) == WHOLE
    assert list(model.model_fields)[-2:] == ["by_country", "copy_"]
    left_out = model.model_validate({"number": "7", "total": 1, "seller": {"city": "Bonn"}, "issued": None})
    assert left_out.model_dump(exclude={"number", "total", "seller"}) == {
        "issued": None,
        "currency": None,
        "lines": None,
        "codes": None,
        "by_country": None,
        "copy_": "no",
    }
    assert model.model_json_schema()["properties"]["number"]["description"] == "As printed."


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": None},
        {"total": -1},
        {"issued": "soon"},
        {"currency": "DM"},
        {"seller": {}},
        {"lines": [{"amount": 0.5}]},
        {"lines": [{}, {}, {}]},
        {"codes": ["abc"]},
        {"by-country": {"DE": "many"}},
        {"unheard_of": 1},
    ],
)
def test_a_model_of_a_json_schema_holds_to_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        schema_model(SCHEMA).model_validate({**WHOLE, **wrong})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([], "holds no JSON Schema of an object"),
        ({"type": "array", "items": {"type": "string"}}, "holds no JSON Schema of an object"),
        ({"properties": {"a": {"type": "text"}}}, "invoice.json: a: 'text' is no type of JSON Schema."),
        ({"properties": {"a": {}}}, "invoice.json: a: None is no type of JSON Schema."),
        ({"properties": {"a": {"not": {"type": "string"}}}}, "invoice.json: a: 'not' cannot be expressed."),
        ({"properties": {"a": {"type": "array", "uniqueItems": True}}}, "a: 'uniqueItems' cannot be expressed."),
        ({"properties": {"a": {"$ref": "#/$defs/no"}}}, "a refers to '#/$defs/no', which is not in the file."),
        ({"properties": {"a": {"type": "string", "pattern": "["}}}, "a: {'pattern': '['} cannot be held to:"),
        ({"properties": {"a": {"type": "integer", "minimum": "z"}}}, "a: {'minimum': 'z'} cannot be held to:"),
        ({"properties": {"a": {"$ref": 7}}}, "invoice.json: a: '$ref' is 7, and no text."),
        ({"properties": {"a": {"anyOf": []}}}, "invoice.json: a: 'anyOf' is [], and no list of schemas."),
        ({"properties": {"a": {"oneOf": {"b": 1}}}}, "a: 'oneOf' is {'b': 1}, and no list of schemas."),
        ({"properties": {"a": {"type": "string"}}, "required": "a"}, "'required' is 'a', and no list of names."),
        ({"properties": {}}, "it needs 'type': 'object' and 'properties', with at least one."),
        ({"properties": {"a": 5}}, "invoice.json: a has no schema of its own, but 5."),
        ({"properties": {"a": {"enum": [1.5]}}}, "invoice.json: a: a choice of [1.5] cannot be expressed."),
        ({"properties": {"a": {"type": "null"}}, "required": ["b"]}, "invoice.json: 'required' names ['b']"),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/Tree"}},
                "$defs": {"Tree": {"properties": {"more": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}}},
            },
            "invoice.json: a: more[]: '#/$defs/Tree', which holds itself, cannot be expressed.",
        ),
    ],
)
def test_a_schema_that_cannot_be_kept_is_refused(schema: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(message)):
        schema_model(schema)


def test_what_a_run_was_asked_is_kept_without_the_passwords_in_addresses(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a-run", "unused")
    prompt = "Which of https://me:kept@host/?token=kept is it?"
    settings = checked(
        {
            "model": "gpt-6-luna",
            "files": [
                "s3://key:hunter2@box/a.pdf",
                "https://host/a.pdf?X-Amz-Signature=hunter2&id=3",
                "/a:b@c.pdf",
            ],
            "prompt": prompt,
            "state_path": "postgresql+psycopg://me:hunter2@host/runs?run=one",
        }
    )
    folder.keep(settings)
    kept = folder.kept()
    assert kept == {
        "model": "gpt-6-luna",
        "files": ["s3://key:***@box/a.pdf", "https://host/a.pdf?X-Amz-Signature=***&id=3", "/a:b@c.pdf"],
        "prompt": prompt,
        "state_path": "postgresql+psycopg://me:***@host/runs?run=one",
    }
    for again in (
        lambda: find("a"),
        lambda: settings_of(folder, {}),
        lambda: settings_of(folder, {"state_path": "b"}),
    ):
        with pytest.raises(ArgumentError, match="was given with a password or key in it, and those are not kept."):
            again()
    whole = {"state_path": settings.state_path, "files": settings.files}
    assert settings_of(folder, whole) == settings
