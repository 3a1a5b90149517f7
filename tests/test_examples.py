from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXPECTED = {
    "any_provider": ["local/smollm2-135m", "HP-2026-0417", "tokens in", "✓"],
    "batch_manager_example": ["0 of 6 files were finished", "harrow-pike-invoice.pdf", "5 completed, 1 failed, $0"],
    "citation_example": ["aldermoor-letter.pdf", "0 citations", "does not cite free text"],
    "citation_with_pydantic": ["invoice.number", "on page 1", "✓"],
    "pdf_extraction": ["tannwald-rechnung.pdf", '"total_due": ', "no text layer", "Structured + Field Citations"],
    "raw_text_example": ["What is the capital of France?", "Mode: Plain Text"],
    "spam_detection": ["library at four", "of 6 right"],
}


def test_every_example_is_tested() -> None:
    modules = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert modules - {"__init__", "_common"} == set(EXPECTED)


@pytest.mark.local_model
@pytest.mark.usefixtures("local_weights")
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_example_runs_offline(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", f"examples.{name}"]
    run = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", "TMPDIR": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr
    for words in EXPECTED[name]:
        assert words in run.stdout
