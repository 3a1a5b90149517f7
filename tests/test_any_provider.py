"""One script, unchanged, with every provider: the answers behind all servers are the real local model's."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from batchata import BatchResult, batch
from examples import any_provider as script
from examples._common import DOCUMENTS, WORKED_EXAMPLES
from tests.providers.served import KINDS, serving
from tests.stores import say
from tests.test_examples import ROOT
from tests.wire import answers

PROMPT = "Extract the sender, the reference, the date of issue and the total due."
Read = dict[str, BatchResult[script.BusinessDocument]]


@pytest.fixture(scope="module")
def read() -> Read:
    """What the local model reads in each file."""
    job = batch(
        "local/smollm2-135m",
        files=[DOCUMENTS / name for name in script.FILES],
        prompt=PROMPT,
        response_model=script.BusinessDocument,
        enable_citations=True,
        max_tokens=400,
        examples=WORKED_EXAMPLES,
    )
    return {str(entry["input"]["name"]): entry for entry in job.results()}


def answered(params: dict[str, Any], read: Read) -> answers.Answer:
    """The local model's answer to the file that this request holds, in the form that it asks for."""
    asked = json.dumps(params)
    name = script.FILES[max(range(len(script.FILES)), key=lambda index: asked.rfind(_sign(index, asked)))]
    entry = read[name]
    assert entry["result"] is not None
    data = entry["result"].model_dump(mode="json")
    if "citations" not in json.dumps(answers.schema_of(params) or {}):
        return answers.json_answer(data)
    assert isinstance(entry["citations"], dict)
    quotes = [
        {"path": field, "quote": place.cited_text, "page": place.start_page}
        for field, places in entry["citations"].items()
        for place in places[:1]
    ]
    return answers.json_answer({"data": data, "citations": quotes})


def _sign(index: int, asked: str) -> str:
    """What gives a file away: its name where it is sent with it, else the end of its bytes."""
    name = script.FILES[index]
    if name in asked:
        return name
    return base64.b64encode((DOCUMENTS / name).read_bytes()).decode()[-300:]


def run(model: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.any_provider", "--model", model],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", "TMPDIR": str(folder), "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(printed: str) -> list[tuple[str, str, str, str]]:
    """File, field, value and page of each row."""
    found = re.findall(r"^ *(\S+\.pdf) +(\w+) +(.*?) +(\d+) +(\w+) +✓ *$", printed, re.MULTILINE)
    return [(file, field, value, page) for file, field, value, page, _ in found]


@pytest.mark.local_model
@pytest.mark.usefixtures("local_weights")
def test_one_script_with_every_provider(read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    local = run("local/smollm2-135m", tmp_path)
    say(local)
    rows = table(local)
    assert [row[:2] for row in rows] == [
        (name, field) for name in script.FILES for field in script.BusinessDocument.model_fields
    ]
    for name, kind in KINDS.items():
        with monkeypatch.context() as patch, serving(name, patch, tmp_path) as server:
            server.answer = lambda params: answered(params, read)
            printed = run(kind.model, tmp_path)
        say(printed)
        assert table(printed) == rows, name
        assert ("cost unknown" in printed) == (name == "compatible")
