"""The README's code runs, its links lead somewhere, and llms.txt holds what the documents say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from tests.wire import answers
from tests.wire.anthropic_server import AnthropicServer

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def invoice_answer(params: dict[str, Any]) -> answers.Answer:
    assert params["messages"][-1]["content"][-1]["text"] == "Extract the invoice."
    return answers.cited_answer(
        [
            ('{"number": ', []),
            ('"2026-0117"', [answers.page_citation("Invoice 2026-0117", 1)]),
            (', "issued": "2026-03-05", "total": ', []),
            ('"1234.50"', [answers.page_citation("Total 1234.50", 1)]),
            ("}", []),
        ]
    )


def test_every_block_of_the_readme_runs(
    anthropic_server: AnthropicServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "invoices").mkdir()
    pdf = FPDF()
    pdf.set_font("helvetica", size=12)
    pdf.add_page()
    pdf.multi_cell(0, 8, "Invoice 2026-0117\nIssued 2026-03-05\nTotal 1234.50")
    pdf.output(str(tmp_path / "invoices" / "a.pdf"))
    anthropic_server.answer = invoice_answer
    namespace: dict[str, object] = {"__name__": "readme"}
    for block in python_blocks(ROOT / "README.md"):
        exec(compile(block, "README.md", "exec", dont_inherit=True), namespace)  # noqa: S102  # this is what the test is for
    printed = capsys.readouterr().out
    assert "a.pdf number='2026-0117' issued=datetime.date(2026, 3, 5) total=Decimal('1234.50')" in printed
    assert "number Invoice 2026-0117 1 exact True" in printed


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_docs_blocks_run() -> None:
    for page in ROOT.glob("docs/*.md"):
        for block in python_blocks(page):
            exec(compile(block, page.name, "exec", dont_inherit=True), {})  # noqa: S102  # this is what the test is for


def test_llms_txt_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "make_llms.py", "--check"], check=False)
    assert done.returncode == 0, "run: python scripts/make_llms.py"
