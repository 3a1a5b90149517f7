"""What is OpenAI's own way with jobs, through the public API."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchata import BatchManager
from tests.providers.served import serving
from tests.wire.jobs import Seconds
from tests.wire.openai import OpenAIServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OpenAIServer]:
    with serving("openai", monkeypatch, tmp_path) as server:
        assert isinstance(server, OpenAIServer)
        yield server


def manager(folder: Path, **more: Any) -> BatchManager[str]:
    made: BatchManager[str] = BatchManager(
        messages=[[{"role": "user", "content": f"Item {number}"}] for number in range(24)],
        model="gpt-6-luna",
        max_tokens=20,
        state_path=folder / "run.json",
        results_dir=folder / "out",
        **{"items_per_job": 4, **more},
    )
    return made


def test_jobs_that_find_no_room_in_the_queue_wait_and_are_sent_again(server: OpenAIServer, tmp_path: Path) -> None:
    server.ends_after = Seconds(0.3)
    server.api.queue_tokens = 50  # a job has 20 tokens
    summary = manager(tmp_path).run()
    assert (summary["completed_items"], summary["failed_items"], summary["jobs_completed"]) == (24, 0, 6)
    assert summary["total_cost"] == server.ledger.total
    assert server.ledger.bought_more_than_once() == {}
    assert 6 < len(server.ledger.created) < 20


def test_a_job_that_never_finds_room_says_why_and_costs_nothing(server: OpenAIServer, tmp_path: Path) -> None:
    server.api.queue_tokens = 50
    run = manager(tmp_path, items_per_job=24)
    summary = run.run()
    assert (summary["failed_items"], summary["total_cost"]) == (24, Decimal(0))
    error = run.results()[0]["error"]
    assert error is not None
    assert "Enqueued token limit reached" in error["message"]
    assert error["retryable"]
