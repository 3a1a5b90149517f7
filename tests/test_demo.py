from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from rich.console import Console

from batchata import demo
from batchata.demo import fields, screen
from batchata.demo.task import BusinessDocument, expected, worked_examples
from batchata.types import BatchResult, Citation, JobStats

ROOT = Path(__file__).parents[1]
DOCUMENTS = ROOT / "src" / "batchata" / "demo" / "documents"
TRUTH: dict[str, Any] = json.loads((DOCUMENTS / "truth.json").read_text(encoding="utf-8"))


def pages_of(name: str) -> list[str]:
    with pypdfium2.PdfDocument(DOCUMENTS / name) as pdf:
        return [page.get_textpage().get_text_bounded() for page in pdf]


@pytest.mark.parametrize(
    "document", [*TRUTH["documents"], *TRUTH["examples"]], ids=lambda document: document["file"]
)
def test_a_document_says_what_the_truth_says_of_it(document: dict[str, Any]) -> None:
    pages = pages_of(document["file"])
    assert len(pages) == document["pages"]
    if not document["text_layer"]:
        assert "".join(pages).strip() == ""
        return
    for field in document["fields"].values():
        assert field["printed"] in pages[field["page"] - 1]


def test_the_total_of_the_long_invoice_stands_on_its_second_page_only() -> None:
    first, second = pages_of("quillbrook-invoice.pdf")
    assert "7,325.15" not in first
    assert "7,325.15" in second


def test_the_truth_is_what_the_documents_print() -> None:
    assert expected() == {
        "harrow-pike-invoice.pdf": BusinessDocument(
            sender="Harrow & Pike Joinery",
            reference="HP-2026-0417",
            issued=date(2026, 4, 1),
            total_due=Decimal("2418.60"),
        ),
        "tannwald-rechnung.pdf": BusinessDocument(
            sender="Elektro Tannwald GmbH",
            reference="RE-26/00318",
            issued=date(2026, 3, 5),
            total_due=Decimal("1221.30"),
        ),
        "quillbrook-invoice.pdf": BusinessDocument(
            sender="Quillbrook Lab Supply, Inc.",
            reference="QB-20931",
            issued=date(2026, 3, 12),
            total_due=Decimal("7325.15"),
        ),
        "aldermoor-letter.pdf": BusinessDocument(
            sender="Aldermoor Water Cooperative",
            reference="AWC/7741/26",
            issued=date(2026, 4, 14),
            total_due=Decimal("318.75"),
        ),
        "erlenhagen-brief.pdf": BusinessDocument(
            sender="Erlenhagener Feuerkasse VVaG",
            reference="WG-58/2026-031",
            issued=date(2026, 4, 21),
            total_due=Decimal("1187.40"),
        ),
        "penhallow-scan.pdf": BusinessDocument(
            sender="Penhallow Print Works",
            reference="PPW 5512",
            issued=date(2026, 4, 27),
            total_due=Decimal("584.00"),
        ),
    }


def test_the_worked_examples_are_none_of_the_documents() -> None:
    assert [(path.name, answer.total_due) for path, answer in worked_examples()] == [
        ("example-invoice.pdf", Decimal("331.20")),
        ("example-rechnung.pdf", Decimal("2142.00")),
        ("example-letter.pdf", Decimal("1240.00")),
    ]
    assert not {path.name for path, _ in worked_examples()} & set(expected())


def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_demo_documents.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, timeout=120)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in DOCUMENTS.iterdir()}
    assert max(len(data) for data in made.values()) < 60_000


def entry(name: str, index: int, **values: Any) -> BatchResult[BusinessDocument]:
    found: BatchResult[BusinessDocument] = {
        "result": None,
        "citations": None,
        "unmapped_citations": [],
        "error": None,
        "input": {"index": index, "name": name, "source": None},
        "usage": None,
        "cost_usd": Decimal(0),
        "cost_is_estimate": False,
        "notes": [],
    }
    found.update(values)  # type: ignore[typeddict-item]  # a short way to write test entries
    return found


ENTRIES = [
    entry(
        "aldermoor-letter.pdf",
        0,
        result=BusinessDocument(
            sender="Aldermoor Water Cooperative",
            reference="AWC/7741/26",
            issued=date(2026, 4, 14),
            total_due=Decimal(2118),
        ),
        citations={
            "reference": [Citation("AWC/7741/26", start_page=1, verified=True)],
            "issued": [Citation("14 April 2026", start_page=1, verified=True)],
            "sender": [],
            "total_due": [Citation("2,118", start_page=1, verified=True)],
        },
        usage={
            "input_tokens": 600,
            "output_tokens": 50,
            "cached_input_tokens": 200,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
        },
    ),
    entry(
        "penhallow-scan.pdf",
        1,
        error={
            "reason": "errored",
            "message": "'penhallow-scan.pdf' has no text layer",
            "retryable": False,
            "raw_text": None,
        },
    ),
]


def printed(width: int = 100) -> tuple[Console, io.StringIO]:
    target = io.StringIO()
    return Console(file=target, width=width), target


def test_the_table_shows_wrong_and_unverified_values_as_they_are() -> None:
    console, target = printed()
    screen.print_fields(console, ENTRIES, expected())
    rows = [" ".join(line.split()) for line in target.getvalue().splitlines()]
    assert "reference AWC/7741/26 ✓ page 1" in rows
    assert "issued 2026-04-14 ✓ page 1 printed 14 April 2026" in rows
    assert "aldermoor-letter.pdf sender Aldermoor Water Cooperative ✗" in rows
    assert "total_due 2118 ✓ page 1 printed 2,118" in rows
    assert "expected 318.75" in rows
    assert "penhallow-scan.pdf all no result see below" in rows


def test_the_score_counts_right_wrong_and_unread_fields() -> None:
    console, target = printed()
    screen.print_score(console, ENTRIES, expected(), "local/some")
    assert "3 of 8 fields as expected, 1 wrong, 4 not read." in target.getvalue()


def test_a_failed_document_is_shown_with_its_message() -> None:
    console, target = printed()
    screen.print_failures(console, ENTRIES)
    assert "Failed: penhallow-scan.pdf (errored)" in target.getvalue()
    assert "'penhallow-scan.pdf' has no text layer" in target.getvalue()


def test_costs_are_those_of_the_real_models_at_batch_price() -> None:
    console, target = printed()
    stats: JobStats = {
        "batch_id": "job",
        "status": "ended",
        "is_complete": True,
        "elapsed_time": 12.2,
        "total_results": 2,
        "failed_results": 1,
        "total_citations": 3,
        "total_input_tokens": 600,
        "total_output_tokens": 50,
        "cached_input_tokens": 200,
        "total_cost": Decimal(0),
        "currency": "USD",
        "service_tier": "local",
        "batch_discount": None,
        "raw_results_dir": None,
    }
    screen.print_costs(console, ENTRIES, stats)
    text = target.getvalue()
    assert "600 tokens read and 50 written in 12 s; paid: $0.0000." in text
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "claude-haiku-5-5 $0.0000 $0.42" in rows  # 600 × 0.05 + 50 × 0.25 dollars per million
    assert "claude-sonnet-5-5 $0.0008 $8.50" in rows  # 600 × 1 + 50 × 5
    assert "claude-opus-5-5 $0.0017 $17.00" in rows  # 600 × 2 + 50 × 10
    assert "tokenizer" in text


@pytest.mark.local_model
@pytest.mark.usefixtures("local_weights")
def test_the_demo_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    console, target = printed()
    demo.run(Path("batchata-demo"), console=console)
    text = target.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "of 24 fields as expected" in text
    assert "Failed: penhallow-scan.pdf (errored)" in text
    lines = (tmp_path / "batchata-demo" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["input"]["name"] for entry in entries] == list(expected())
    read = [entry for entry in entries if entry["error"] is None]
    assert len(read) == 5
    for one in read:
        assert set(one["citations"]) == {"sender", "reference", "issued", "total_due"}
        assert all(places and places[0]["verified"] for places in one["citations"].values())
    raw = list((tmp_path / "batchata-demo" / "raw").iterdir())
    assert len(raw) == 6
    report = (tmp_path / "batchata-demo" / "report.html").read_text(encoding="utf-8")
    assert all(name in report for name in expected())
    assert "Open batchata-demo/report.html: every value beside its page" in text


@pytest.mark.local_model
@pytest.mark.usefixtures("local_weights")
def test_what_the_demo_names_next_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fields.py").write_bytes(Path(fields.__file__).read_bytes())
    Path("YOUR-FOLDER").mkdir()
    Path("YOUR-FOLDER/letter.pdf").write_bytes((DOCUMENTS / "aldermoor-letter.pdf").read_bytes())
    console, target = printed()
    screen.print_next(console, Path("fields.py"), None)
    lines = target.getvalue().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("  batchata run"))
    command = "\n".join(lines[start : start + 2]).replace("batchata", f"{sys.executable} -m batchata", 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 item completed; cost $0.0000" in done.stdout


def test_without_the_packages_of_the_report_the_demo_says_how_to_get_them() -> None:
    console, target = printed()
    screen.print_next(console, Path("out/fields.py"), None)
    assert "For a report to look at: pip install 'batchata[report]', then the demo once more" in target.getvalue()
    console, target = printed()
    screen.print_next(console, Path("out/fields.py"), Path("out/report.html"))
    assert "Open out/report.html: every value beside its page" in target.getvalue()


NO_REPORT = """
import sys
from pathlib import Path
sys.modules["jinja2"] = None
from batchata.demo import _report
print(_report([], Path("report.html")), Path("report.html").exists())
"""


def test_without_the_packages_of_the_report_none_is_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_REPORT], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout == "None False\n"
