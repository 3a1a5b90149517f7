"""A provider of one's own, in the four steps of docs/providers.md, by nothing but the public seam."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import batchata
from batchata import BatchJob, BatchManager, batch
from batchata.providers import PROVIDERS, Entry, Provider
from batchata.types import (
    DocumentKind,
    Failed,
    JobSnapshot,
    JobState,
    Limits,
    ModelInfo,
    Outcome,
    Reason,
    Request,
    RequestCounts,
    Succeeded,
    TextBlock,
    TextPart,
    TokenCount,
    Usage,
)


@dataclass
class Shop:
    """The toy's server: keeps jobs, and shouts back what it is told."""

    jobs: dict[str, tuple[str, list[bytes], datetime]] = field(default_factory=dict)


SHOP = Shop()


class ToyProvider:
    """Answers in capitals; a token is a word."""

    name = "toy"
    limits = Limits(
        max_requests=1_000,
        max_bytes=1_000_000,
        max_request_bytes=10_000,
        custom_id_pattern=r"[a-z0-9-]{1,64}",
        kinds=frozenset({DocumentKind.TEXT}),
        max_pages=None,
        max_image_bytes=None,
        max_image_px=None,
        expires_hours=None,
        counts_live=True,
        native_citations=False,
        schema_dialect=None,
        schema_with_citations=False,
        reads_text_layer=True,
    )

    def describe(self, model: str) -> ModelInfo:
        if model != "shouter":
            raise batchata.UnknownModelError(f"toy has no model {model!r}. Try 'toy/shouter'.")
        return ModelInfo(model)

    def encode(self, request: Request) -> bytes:
        words = [
            part.text if isinstance(part, TextPart) else part.document.text or ""
            for part in request.messages[-1].parts
        ]
        return json.dumps({"id": request.custom_id, "say": " ".join(words)}).encode()

    def decode(self, entry: bytes) -> Outcome:
        line = json.loads(entry)
        if line["say"] == "MUMBLE":
            return Failed(line["id"], Reason.REFUSED, "it does not mumble")
        usage = Usage(input_tokens=len(line["say"].split()), output_tokens=len(line["say"].split()))
        return Succeeded(line["id"], (TextBlock(line["say"]),), usage)

    def submit(self, entries: Iterable[bytes], *, tag: str) -> str:
        job_id = f"toy-{len(SHOP.jobs)}"
        SHOP.jobs[job_id] = (tag, list(entries), datetime.now(UTC))
        return job_id

    def check(self, provider_job_id: str) -> JobSnapshot:
        _, lines, created_at = SHOP.jobs[provider_job_id]
        counts = RequestCounts(succeeded=len(lines))
        return JobSnapshot(provider_job_id, JobState.ENDED, counts, created_at=created_at)

    def check_many(self, provider_job_ids: Sequence[str]) -> Mapping[str, JobSnapshot]:
        return {job_id: self.check(job_id) for job_id in provider_job_ids}

    def fetch(self, provider_job_id: str) -> Iterator[bytes]:
        for line in reversed(SHOP.jobs[provider_job_id][1]):
            entry = json.loads(line)
            yield json.dumps({**entry, "say": entry["say"].upper()}).encode()

    def cancel(self, provider_job_id: str) -> None:
        """Its jobs are over at once."""

    def find(self, tag: str, since: datetime, count: int) -> Sequence[JobSnapshot]:
        return [
            self.check(job_id)
            for job_id, (known, lines, created_at) in SHOP.jobs.items()
            if known == tag and len(lines) == count and created_at >= since
        ]

    def count_tokens(self, request: Request) -> TokenCount:
        return TokenCount(len(self.encode(request).split()), exact=False)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Step 2: one entry."""

    def connect(_: Mapping[str, str]) -> Provider:
        return ToyProvider()

    monkeypatch.setitem(PROVIDERS, "toy", Entry(prefixes=("shout",), connect=connect))
    monkeypatch.setattr("tests.test_adding_a_provider.SHOP", Shop())


def ask(*texts: str) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": text}] for text in texts]


@pytest.mark.parametrize("model", ["toy/shouter", "shouter"])
def test_a_job(model: str) -> None:
    entries = batch(model, messages=ask("one", "mumble", "three")).results()
    assert [entry["result"] for entry in entries] == ["ONE", None, "THREE"]
    assert entries[1]["error"] is not None
    assert entries[1]["error"]["reason"] == "refused"
    assert [entry["cost_usd"] for entry in entries] == [None, Decimal(0), None]


def test_an_object_a_file_and_a_job_taken_up_again(tmp_path: Path) -> None:
    class Sum(BaseModel):
        total: int

    (tmp_path / "a.txt").write_text('{"TOTAL": 3}')
    job = batch("toy/shouter", messages=ask('{"total": 12}'))
    again: BatchJob[Any] = BatchJob.attach(job.id, model="toy/shouter")
    assert again.results()[0]["result"] == '{"TOTAL": 12}'
    entry = batch("toy/shouter", files=[tmp_path / "a.txt"], prompt="!", response_model=Sum).results()[0]
    assert entry["error"] is not None
    assert entry["error"]["reason"] == "invalid_output"


def test_a_run_under_a_cap(tmp_path: Path) -> None:
    manager = BatchManager(
        messages=ask(*(f"item {number}" for number in range(25))),
        model="toy/shouter",
        items_per_job=4,
        max_tokens=5,
        max_cost="0.01",
        prices={"toy/shouter": {"input": 10, "output": 10}},
        state_path=tmp_path / "run.json",
        results_dir=tmp_path / "out",
    )
    summary = manager.run()
    assert (summary["completed_items"], summary["jobs_completed"]) == (25, 7)
    assert summary["total_cost"] == Decimal("0.001")  # 25 items, 2 words in, 2 words out, 10 dollars a million
    assert [entry["result"] for entry in manager.results()] == [f"ITEM {number}" for number in range(25)]
    assert len(SHOP.jobs) == 7


def test_what_it_does_not_take_is_said() -> None:
    with pytest.raises(batchata.UnknownModelError, match="Try 'toy/shouter'"):
        batch("toy/whisperer", messages=ask("a"))
    with pytest.raises(batchata.DocumentError, match="It takes text"):
        batch("toy/shouter", files=[b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x02\0\0\0"], prompt="?")
