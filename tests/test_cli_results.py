"""What comes out of a run, in every form."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batchata.cli.flat import ColumnType, column_types, flat
from batchata.types import BatchResult
from tests.command_line import CommandLine, command_line
from tests.wire import answers
from tests.wire.anthropic_server import AnthropicServer

SCHEMA = {
    "properties": {
        "number": {"type": "string"},
        "total": {"type": "number"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"amount": {"type": "integer"}}}},
        "paid": {"type": "boolean"},
    },
    "required": ["number", "total", "lines"],
}
TEXTS = ["Invoice R-1 of Müller, total 12.50", "Invoice R-2, total 7, of 3 and 4, paid", "nothing to see"]
ANSWERS = [
    {"number": "R-1", "total": 12.5, "lines": []},
    {"number": "R-2", "total": 7, "lines": [{"amount": 3}, {"amount": 4}], "paid": True},
]


def answer(params: dict[str, Any]) -> answers.Answer:
    asked = json.dumps(params["messages"], ensure_ascii=False)
    for text, found in zip(TEXTS, ANSWERS, strict=False):
        if text in asked:
            return answers.json_answer(found)
    return answers.text_answer("I see no invoice.")


@pytest.fixture
def cli(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Beside a run of three documents, of which the last failed."""
    anthropic_server.answer = answer
    Path("schema.json").write_text(json.dumps(SCHEMA))
    Path("in").mkdir()
    for number, text in enumerate(TEXTS):
        Path(f"in/{number}.txt").write_text(text, encoding="utf-8")
    run = command_line(monkeypatch, capsys)
    words = ("run", "in", "-m", "claude-haiku-5-5", "-p", "Extract.", "--schema", "schema.json")
    assert run(*words, "--citations", "--citation-mode", "aligned", "--name", "bills", "--yes").code == 3
    return run


def test_json_lines_are_the_entries_whole(cli: CommandLine) -> None:
    done = cli("results")
    assert done.code == 0
    assert [entry["result"] for entry in done.lines] == [
        {"number": "R-1", "total": 12.5, "lines": [], "paid": None},
        {"number": "R-2", "total": 7.0, "lines": [{"amount": 3}, {"amount": 4}], "paid": True},
        None,
    ]
    assert done.lines[0]["citations"]["number"][0]["cited_text"] == "R-1"
    assert done.lines[2]["error"]["reason"] == "invalid_output"
    assert cli("results", "bills", "--json").out == done.out


def test_csv_has_a_row_an_item_and_the_place_of_each_field(cli: CommandLine) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("results", "--format", "csv").out)))
    assert list(rows[0])[:9] == [
        "_index",
        "_file",
        "_source",
        "_status",
        "_reason",
        "_message",
        "_cost_usd",
        "_input_tokens",
        "_output_tokens",
    ]
    shown = [(row["_file"], row["_status"], row["number"], row["total"], row["lines[1].amount"]) for row in rows]
    assert shown == [
        ("0.txt", "completed", "R-1", "12.5", ""),
        ("1.txt", "completed", "R-2", "7.0", "4"),
        ("2.txt", "failed", "", "", ""),
    ]
    places = [(row["total:text"], row["total:verified"], row["total:match"]) for row in rows]
    assert places == [("12.50", "True", "numeric"), ("7", "True", "exact"), ("", "", "")]
    assert rows[2]["_reason"] == "invalid_output"


def test_parquet_is_read_back_by_pyarrow(cli: CommandLine) -> None:
    written = cli("results", "--output", "bills.parquet")
    assert (written.code, written.out, written.err) == (0, "", "3 items in bills.parquet\n")
    table = pq.read_table("bills.parquet")
    assert table.column("number").to_pylist() == ["R-1", "R-2", None]
    assert table.column("total").to_pylist() == [12.5, 7.0, None]
    assert table.column("lines[0].amount").to_pylist() == [None, 3, None]
    assert table.column("total:verified").to_pylist() == [True, True, None]
    kinds = {name: str(table.schema.field(name).type) for name in ("_index", "total", "lines[0].amount", "_file")}
    assert kinds == {"_index": "int64", "total": "double", "lines[0].amount": "int64", "_file": "string"}
    assert table.schema.field("_cost_usd").type == pa.decimal128(38, 18)
    told = [Decimal(entry["cost_usd"]) for entry in cli("results").lines]
    assert table.column("_cost_usd").to_pylist() == told


def test_a_file_that_cannot_be_written_is_named(cli: CommandLine) -> None:
    done = cli("results", "--output", "no/such/folder.csv", "--json")
    assert done.code == 1
    assert done.json["error"]["message"].startswith("'no/such/folder.csv' cannot be written: No such file")


def test_parquet_through_a_pipe(cli: CommandLine) -> None:
    del cli
    done = subprocess.run(
        [sys.executable, "-m", "batchata", "results", "--format", "parquet"],
        capture_output=True,
        check=True,
        env=dict(os.environ),
        timeout=60,
    )
    assert pq.read_table(io.BytesIO(done.stdout)).column("number").to_pylist() == ["R-1", "R-2", None]


def test_a_reader_that_leaves_early_is_no_error_to_read_about(cli: CommandLine) -> None:
    del cli
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m batchata results | head -c 1"],
        capture_output=True,
        check=False,
        env=dict(os.environ),
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (b"{", b"")


def test_the_report_is_written_and_named(cli: CommandLine) -> None:
    done = cli("report", "--json")
    assert done.code == 0
    assert done.json == {"report": str(Path.cwd() / "bills-run" / "report.html")}
    assert "R-2" in Path("bills-run/report.html").read_text(encoding="utf-8")
    assert cli("report", "bills", "--output", "mine.html").out == "Open mine.html\n"


def test_results_and_report_need_no_password_of_the_state(cli: CommandLine) -> None:
    command = json.loads(Path("bills-run/command.json").read_text())
    command["settings"]["state_path"] = "postgresql+psycopg://me:***@host/runs"
    Path("bills-run/command.json").write_text(json.dumps(command))
    assert cli("results").code == 0
    assert cli("report").code == 0
    assert cli("status").code == 2


def entry(result: object) -> BatchResult[Any]:
    return {
        "result": result,
        "citations": None,
        "unmapped_citations": [],
        "error": None,
        "input": {"index": 0, "name": None, "source": None},
        "usage": None,
        "cost_usd": None,
        "cost_is_estimate": False,
        "notes": [],
    }


def test_values_of_a_field_decide_its_column() -> None:
    entries = [
        entry({"a": 1, "b": 1, "c": True, "d": 2**70, "e": [], "f": None}),
        entry({"a": 2, "b": 0.5, "c": 1, "d": 1, "e": {"x": {}}, "f": None}),
    ]
    kinds = column_types(entries)
    assert {name: kind for name, kind in kinds.items() if not name.startswith("_")} == {
        "a": ColumnType.INTEGER,
        "b": ColumnType.NUMBER,
        "c": ColumnType.TEXT,
        "d": ColumnType.TEXT,
        "e": ColumnType.TEXT,
        "e.x": ColumnType.TEXT,
        "f": ColumnType.TEXT,
    }
    assert kinds["c"].value_of(True) == "true"
    assert kinds["d"].value_of(2**70) == "1180591620717411303424"
    assert flat(entries[1])["e.x"] == "{}"
    assert flat(entry("a text"))["result"] == "a text"


@pytest.mark.usefixtures("local_weights")
@pytest.mark.local_model
def test_a_run_on_the_local_engine_costs_nothing_and_is_not_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("The train leaves at noon.")
    cli = command_line(monkeypatch, capsys)
    words = ("run", "a.txt", "-m", "local/smollm2-135m", "-p", "When does the train leave?", "--max-tokens", "20")
    done = cli(*words, "--json")
    assert done.code in {0, 3}  # cut off at 20 tokens, perhaps
    assert (done.json["total_items"], done.json["total_cost"]) == (1, "0")


def test_amounts_in_csv_are_without_exponents(cli: CommandLine) -> None:
    words = ("run", "in", "-m", "claude-haiku-5-5", "-p", "Extract.", "--schema", "schema.json", "--name", "cheap")
    assert cli(*words, "--prices", "input=0.001,output=0.001", "--yes").code == 3
    rows = list(csv.DictReader(io.StringIO(cli("results", "cheap", "--format", "csv").out)))
    assert len(rows) == 3
    assert all(re.fullmatch(r"0\.0{6,}\d+", row["_cost_usd"]) for row in rows)
