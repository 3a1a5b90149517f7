"""The compatible provider against a batch server and a model server that nobody here wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

import batchata
from batchata import BatchJob, BatchManager, batch
from batchata.errors import MissingWeightsError
from batchata.providers.local.weights import locate
from tests.foreign.servers import AIBRIX_PYTHON, aibrix, llama_cpp

MODEL = "compatible/smollm2"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not AIBRIX_PYTHON.exists():
        pytest.skip(f"AIBrix is not installed ({AIBRIX_PYTHON}): make foreign")
    try:
        weights = locate("smollm2-135m", os.environ)
    except MissingWeightsError as error:
        pytest.skip(f"there are no weights on this machine: {error}")
    with llama_cpp(weights) as model_url, aibrix(model_url, tmp_path_factory.mktemp("aibrix")) as address:
        yield address


@pytest.fixture(autouse=True)
def pointed(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPATIBLE_BASE_URL", address)
    monkeypatch.delenv("COMPATIBLE_API_KEY", raising=False)


def ask(*texts: str) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": text}] for text in texts]


class Colour(BaseModel):
    colour: Literal["red", "green", "blue"]
    count: int


def test_answers_of_a_real_model_in_input_order() -> None:
    job = batch(
        MODEL, messages=ask("Say hello.", "Name a colour.", "What is water?"), max_tokens=24, temperature=0.0
    )
    entries = job.results(timeout=120)
    assert [entry["error"] for entry in entries if entry["error"] and entry["error"]["reason"] != "truncated"] == []
    for entry in entries:
        assert entry["usage"] is not None
        assert entry["usage"]["input_tokens"] > 5
        assert 0 < entry["usage"]["output_tokens"] <= 24
        assert entry["cost_usd"] is None  # nobody knows what this server charges
    assert job.stats()["total_results"] == 3


def test_objects_whose_schema_the_model_server_enforces() -> None:
    job = batch(
        MODEL,
        messages=ask("There are three red balls. Which colour, and how many?", "One blue bird. Which, how many?"),
        response_model=Colour,
        max_tokens=60,
        temperature=0.0,
    )
    results = [entry["result"] for entry in job.results(timeout=120)]
    assert all(isinstance(result, Colour) for result in results)


def test_a_job_is_taken_up_by_its_id() -> None:
    job = batch(MODEL, messages=ask("Say one.", "Say two."), max_tokens=8, temperature=0.0)
    taken: BatchJob[Any] = BatchJob.attach(job.id, model=MODEL)
    assert len(taken.results(timeout=120)) == 2


def test_a_run_under_a_cap(tmp_path: Path) -> None:
    manager = BatchManager(
        messages=ask(*(f"Say {number}." for number in range(9))),
        model=MODEL,
        items_per_job=4,
        max_parallel_jobs=2,
        max_tokens=6,
        max_cost=1,
        prices={MODEL: {"input": "0.10", "output": "0.40"}},
        state_path=tmp_path / "run.json",
        results_dir=tmp_path / "out",
    )
    summary = manager.run()
    assert summary["total_items"] == 9
    assert summary["jobs_completed"] == 3
    assert summary["completed_items"] + summary["failed_items"] == 9
    usages = [entry["usage"] for entry in manager.results()]
    expected = sum(
        (Decimal(usage["input_tokens"]) * Decimal("0.10") + Decimal(usage["output_tokens"]) * Decimal("0.40"))
        for usage in usages
        if usage is not None
    ) / Decimal(1_000_000)
    assert None not in usages
    assert summary["total_cost"] == expected


def test_what_the_server_refuses_is_said() -> None:
    attached: BatchJob[Any] = BatchJob.attach("no-such-job", model=MODEL)
    with pytest.raises(batchata.ProviderError, match="no-such-job"):
        attached.results(timeout=60)
