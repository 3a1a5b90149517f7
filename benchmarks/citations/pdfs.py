"""Other people's PDFs, good and bad: text, or a typed error, in time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.citations.data import DATA, lines

_SECONDS = 60
_MUST_OPEN = {"text", "huge", "encrypted-open", "fonts", "non-latin", "damaged-but-opens"}
_ENDED = {"text", "no text layer", "DocumentError"}


def run(verbose: bool) -> bool:
    """Each file in a process of its own, so that a crash is one file's."""
    outcomes = Counter[tuple[str, str]]()
    slowest: list[tuple[float, str]] = []
    wrong: list[str] = []
    for told in lines(DATA / "pdfs" / "manifest.jsonl"):
        began = time.monotonic()
        outcome, detail = _outcome(DATA / "pdfs" / told["file"])
        slowest.append((time.monotonic() - began, told["file"]))
        outcomes[told["label"], outcome] += 1
        if outcome not in _ENDED or (told["label"] in _MUST_OPEN and outcome == "DocumentError"):
            wrong.append(f"{told['file']} ({told['label']}): {outcome}: {detail}")
        elif verbose:
            print(f"  {told['file']} ({told['label']}): {outcome}: {detail}")
    print("| label | outcome | files |")
    for (label, outcome), count in sorted(outcomes.items()):
        print(f"| {label} | {outcome} | {count} |")
    print("slowest: " + ", ".join(f"{name} {seconds:.1f} s" for seconds, name in sorted(slowest)[:-6:-1]))
    for line in wrong:
        print("  WRONG", line)
    print(
        f"text or a typed error within {_SECONDS} s: {outcomes.total() - len(wrong)} of {outcomes.total()}: "
        f"{'MISSED' if wrong else 'met'}"
    )
    return not wrong


def _outcome(path: Path) -> tuple[str, str]:
    """What came of a file, and a word on it."""
    command = [sys.executable, "-m", "benchmarks.citations.read_pdf", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603  # our own module
    except subprocess.TimeoutExpired:
        return "HANG", f"over {_SECONDS} s"
    if done.returncode:
        return "CRASH", f"exit code {done.returncode}: {done.stderr[-300:]}"
    outcome, detail = json.loads(done.stdout)
    return str(outcome), str(detail)
