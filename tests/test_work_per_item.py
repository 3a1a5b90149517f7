"""How much is done for each item of a run, counted in calls: seconds would depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from batchata import BatchManager
from tests.test_batch import MODEL, Number, ask
from tests.wire import answers
from tests.wire.anthropic_server import AnthropicServer

FEW, MANY = 100, 600
MOST_CALLS = 175
"""Python functions and built-in ones together; 160 when this was written. A loop over all fields adds 10 and more."""


def run(folder: Path, count: int) -> None:
    manager = BatchManager(
        messages=(conversation for conversation in ask(*map(str, range(count)))),
        model=MODEL,
        response_model=Number,
        max_tokens=50,
        items_per_job=count,
        state_path=folder / f"{count}.json",
        results_dir=folder / f"{count}",
    )
    assert manager.run()["completed_items"] == count


def calls_of(work: Callable[[], None]) -> int:
    """In this thread; the others only wait for the server, which runs here too."""
    count = 0

    def called(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_the_calls_made_for_each_item_stay_few(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    anthropic_server.answer = lambda _: answers.json_answer({"number": 7})
    run(tmp_path, 1)  # what is imported when it is first needed is there by now
    few, many = (calls_of(partial(run, tmp_path, count)) for count in (FEW, MANY))
    per_item = (many - few) / (MANY - FEW)
    print(f"{per_item:.0f} calls an item")  # noqa: T201  # a figure to look at
    assert per_item <= MOST_CALLS
