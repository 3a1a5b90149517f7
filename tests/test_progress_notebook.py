"""Progress in a notebook: a real kernel, without a browser. Skipped where Jupyter's packages are not installed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.wire.anthropic_server import AnthropicServer

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("ipywidgets")

WITHOUT_WIDGETS = "import sys; sys.modules['ipywidgets'] = None"
RUN = """
from batchata import BatchManager
asked = [[{"role": "user", "content": f"Say {number}."}] for number in range(12)]
manager = BatchManager(messages=asked, model="claude-haiku-5-5", items_per_job=3, max_cost=1)
summary = manager.run(print_progress=WANTED)
"""
WAIT = """
from batchata import batch
job = batch("claude-haiku-5-5", messages=[[{"role": "user", "content": "Say it."}]]).wait()
"""


def executed(*cells: str) -> tuple[list[list[Any]], list[str]]:
    """The outputs of each cell, and what each widget shows in the end, as text."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    widgets = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    states = [each["state"] for each in widgets.get("state", {}).values() if each["model_name"] == "OutputModel"]
    shown = ["".join(output["data"]["text/plain"] for output in state["outputs"]) for state in states]
    return [cell.outputs for cell in notebook.cells], [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in shown]


def texts(outputs: list[Any]) -> list[str]:
    """What a cell printed, without the widget's own name for itself and without empty lines."""
    found = [output.get("text") or output["data"]["text/plain"] for output in outputs]
    return [text for text in found if text.strip() and text != "Output()"]


def test_a_run_is_drawn_in_place_and_its_end_stays(anthropic_server: AnthropicServer) -> None:
    del anthropic_server
    [outputs], [shown] = executed(RUN.replace("WANTED", "True"))
    assert outputs[0]["data"]["text/plain"] == "Output()"
    assert texts(outputs) == []
    assert "100%, 12 of 12 items" in shown
    assert "4 jobs done" in shown
    assert " of $1.00" in shown


def test_a_run_prints_nothing_unless_asked(anthropic_server: AnthropicServer) -> None:
    del anthropic_server
    assert executed(RUN.replace("WANTED", "False")) == ([[]], [])


def test_a_run_is_told_in_lines_where_there_are_no_widgets(anthropic_server: AnthropicServer) -> None:
    del anthropic_server
    [_, outputs], shown = executed(WITHOUT_WIDGETS, RUN.replace("WANTED", "True"))
    lines = "".join(texts(outputs)).splitlines()
    assert lines[0] == "batchata: 0 of 12 items, spent $0.0000 of $1.00"
    assert lines[-1].startswith("batchata: 12 of 12 items, spent $0.0000 of $1.00")
    assert shown == []


def test_waiting_for_a_job_leaves_nothing_behind(anthropic_server: AnthropicServer) -> None:
    del anthropic_server
    [outputs], _ = executed(WAIT)
    assert texts(outputs) == []


def test_waiting_for_a_job_without_widgets_says_nothing(anthropic_server: AnthropicServer) -> None:
    del anthropic_server
    assert executed(WITHOUT_WIDGETS, WAIT) == ([[], []], [])
