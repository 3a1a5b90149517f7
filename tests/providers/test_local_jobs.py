"""The local engine's jobs, with its real model and real processes: kept, picked up, canceled, never done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from batchata.errors import MissingWeightsError
from batchata.providers.local import LocalProvider, weights
from batchata.providers.local.jobs import Job, find_job
from batchata.types import (
    Document,
    DocumentKind,
    DocumentPart,
    Example,
    Failed,
    JobSnapshot,
    JobState,
    Message,
    Outcome,
    Reason,
    Request,
    RequestCounts,
    Succeeded,
    TextPart,
)
from tests.providers.served import submit_lines

pytestmark = pytest.mark.local_model

LIMIT_SECONDS = 100


class Invoice(BaseModel):
    number: str
    issued: date
    sender: str
    total: Decimal
    paid: bool
    items: list[str]


EXAMPLE = """Fernleigh Garden Services
Invoice FG-1188
Issued on 2 February 2026
1 hedge cut £186.00
2 leaf clearance £90.00
Amount due £276.00"""
EXAMPLE_ANSWER = {
    "number": "FG-1188",
    "issued": "2026-02-02",
    "sender": "Fernleigh Garden Services",
    "total": "276.00",
    "paid": False,
    "items": ["hedge cut", "leaf clearance"],
}
INVOICE_PAGES = (
    "Page 1 of 2",
    """Harrow & Pike Joinery
Invoice HP-2026-0417
Issued on 1 April 2026
1 window seat £825.00
2 sash window £480.00
Amount due £1,305.00""",
)


@pytest.fixture(scope="module")
def model() -> str:
    try:
        return str(weights.locate(weights.DEFAULT_MODEL, os.environ))
    except MissingWeightsError:
        pytest.skip("the weights are not on this machine: run batchata local fetch")


@pytest.fixture
def provider(tmp_path: Path) -> LocalProvider:
    return LocalProvider.from_environment({"BATCHATA_CACHE_DIR": str(tmp_path)})


def ask(model: str, number: int, *, tokens: int = 12) -> Request:
    text = TextPart(f"Tell a long story about the number {number}.")
    return Request(f"r-{number}", model, (Message("user", (text,)),), tokens)


def submit(provider: LocalProvider, requests: list[Request], tag: str = "t") -> str:
    return submit_lines(provider, map(provider.encode, requests), tag=tag)


def job_of(tmp_path: Path, job_id: str) -> Job:
    job = find_job(tmp_path, job_id)
    assert job is not None
    return job


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(provider: LocalProvider, job_id: str) -> JobSnapshot:
    until(lambda: provider.check(job_id).state is JobState.ENDED)
    return provider.check(job_id)


def ids(provider: LocalProvider, job_id: str) -> list[str]:
    return sorted(provider.decode(line).custom_id for line in provider.fetch(job_id))


def worker_pid(job: Job) -> int | None:
    text = (job.folder / "worker.lock").read_text() if (job.folder / "worker.lock").exists() else ""
    return int(text) if text else None


def forget_start(job: Job) -> None:
    """As if the last worker had been started long ago."""
    os.utime(job.folder / "starts", (0, 0))


@pytest.fixture(scope="module")
def outcomes(model: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """One job with a bit of everything."""
    cache = tmp_path_factory.mktemp("cache")
    environment = {"BATCHATA_CACHE_DIR": str(cache), "BATCHATA_LOCAL_CONTEXT": "768"}
    provider = LocalProvider.from_environment(environment)

    def over(name: str, *pages: str, citations: bool = True) -> Request:
        document = Document(name, DocumentKind.PDF, "application/pdf", b"", pages=pages, page_count=len(pages))
        given = Document("ex.txt", DocumentKind.TEXT, "text/plain", b"", text=EXAMPLE)
        example = Example((DocumentPart(given), TextPart("Extract.")), json.dumps(EXAMPLE_ANSWER))
        return Request(
            name,
            model,
            (Message("user", (DocumentPart(document), TextPart("Extract."))),),
            200,
            schema=Invoice.model_json_schema(),
            citations=citations,
            examples=(example,),
        )

    requests = [
        over("invoice", *INVOICE_PAGES),
        over("scan.pdf", "", ""),
        over("long", "one more line of many words\n" * 500),
        over("bare", "Thank you."),
        over("uncited", *INVOICE_PAGES, citations=False),
        Request("france", model, (Message("user", (TextPart("What is the capital of France?"),)),), 20),
        Request("cut", model, (Message("user", (TextPart("Tell a long story."),)),), 5),
    ]
    job_id = submit(provider, requests)
    snapshot = ended(provider, job_id)
    assert snapshot.counts == RequestCounts(succeeded=3, errored=4)
    return {outcome.custom_id: outcome for outcome in map(provider.decode, provider.fetch(job_id))}


def test_every_cited_value_stands_at_its_place(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["invoice"]
    assert isinstance(outcome, Succeeded)
    answer = Invoice.model_validate_json(outcome.text)
    assert (answer.number, answer.issued) == ("HP-2026-0417", date(2026, 4, 1))
    citations = [citation for block in outcome.blocks for citation in block.citations]
    assert len(citations) == 4 + len(answer.items)
    for citation in citations:
        assert citation.document_index == 1
        assert citation.start_page is not None
        page = INVOICE_PAGES[citation.start_page - 1]
        assert page[citation.start_char : citation.end_char] == citation.cited_text != ""
    assert outcome.usage is not None
    assert outcome.usage.service_tier == "local"
    assert outcome.usage.input_tokens > 200


def test_a_scan_fails_alone_and_says_why(outcomes: dict[str, Outcome], model: str) -> None:
    outcome = outcomes["scan.pdf"]
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.ERRORED
    assert outcome.message == (
        f"'scan.pdf' has no text layer; local/{model} reads text only; use a model that sees pages, for example "
        "claude-haiku-5-5"
    )


def test_a_document_longer_than_the_context_is_refused_with_the_number(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["long"]
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.ERRORED
    assert outcome.message.startswith("needs 3,")
    assert outcome.message.endswith("the model's context is 768; use a model with a longer context")


def test_a_value_that_stands_nowhere_fails_its_request(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["bare"]
    assert isinstance(outcome, Failed)
    assert outcome.message == "the document holds no date that 'issued' could be taken from"


def test_a_schema_without_citations_is_enforced(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["uncited"]
    assert isinstance(outcome, Succeeded)
    assert set(json.loads(outcome.text)) == set(Invoice.model_fields)


def test_plain_answers_and_cut_ones(outcomes: dict[str, Outcome]) -> None:
    france, cut = outcomes["france"], outcomes["cut"]
    assert isinstance(france, Succeeded)
    assert "Paris" in france.text
    assert isinstance(cut, Failed)
    assert cut.reason is Reason.TRUNCATED
    assert cut.text
    assert "raise max_tokens (now 5)" in cut.message


def test_a_killed_worker_is_picked_up_and_nothing_is_answered_twice(
    provider: LocalProvider, model: str, tmp_path: Path
) -> None:
    job_id = submit(provider, [ask(model, number) for number in range(10)])
    job = job_of(tmp_path, job_id)
    until(lambda: len(list(job.results())) >= 2)
    pid = worker_pid(job)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not _alive(pid))
    kept = list(job.results())
    assert len(kept) < 10
    with (job.folder / "results.jsonl").open("ab") as file:
        file.write(b'{"type": "succeeded", "custom_id": "r-9')
    assert list(job.results()) == kept
    forget_start(job)
    snapshot = ended(provider, job_id)
    assert snapshot.counts == RequestCounts(errored=10)  # every story is cut off at its twelve tokens
    assert ids(provider, job_id) == [f"r-{number}" for number in range(10)]
    assert list(job.results())[: len(kept)] == kept


def test_the_worker_outlives_its_caller_and_a_second_one_leaves(model: str, tmp_path: Path) -> None:
    code = f"""
        from batchata.providers.local import LocalProvider
        from batchata.spool import Lines
        from batchata.types import Message, Request, TextPart
        provider = LocalProvider.from_environment({{"BATCHATA_CACHE_DIR": {str(tmp_path)!r}}})
        asked = [
            Request(f"r-{{n}}", {model!r}, (Message("user", (TextPart("Tell a story."),)),), 12) for n in range(6)
        ]
        with Lines() as lines:
            lines.extend(map(provider.encode, asked))
            print(provider.submit(lines, tag="t"))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    job_id = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    job = job_of(tmp_path, job_id)
    until(lambda: worker_pid(job) is not None)
    second = [sys.executable, "-m", "batchata.providers.local.worker", str(job.folder)]
    assert subprocess.run(second, timeout=60, check=False, capture_output=True).returncode == 0
    until(lambda: job.has("ended"))
    provider = LocalProvider.from_environment({"BATCHATA_CACHE_DIR": str(tmp_path)})
    assert ids(provider, job_id) == [f"r-{number}" for number in range(6)]


def test_cancel_keeps_what_is_finished(provider: LocalProvider, model: str, tmp_path: Path) -> None:
    job_id = submit(provider, [ask(model, 0, tokens=4), *(ask(model, n, tokens=400) for n in range(1, 20))])
    job = job_of(tmp_path, job_id)
    seen: list[int] = []

    def look() -> None:
        seen.append(ended(provider, job_id).counts.total)  # type: ignore[union-attr]  # always counted

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    until(lambda: len(list(job.results())) >= 1)
    provider.cancel(job_id)
    asked = time.monotonic()
    snapshot = ended(provider, job_id)
    assert time.monotonic() - asked < 20
    for looker in lookers:
        looker.join()
    assert seen == [20, 20]
    assert snapshot.counts is not None
    assert snapshot.counts.canceled >= 10
    assert snapshot.counts.errored >= 1
    assert snapshot.counts.total == snapshot.counts.done == 20
    assert len(set(ids(provider, job_id))) == 20
    provider.cancel(job_id)
    assert provider.check(job_id) == snapshot


def test_an_engine_that_always_dies_ends_the_job(provider: LocalProvider, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF? no")
    job_id = submit(provider, [ask(str(broken), number) for number in range(2)])
    job = job_of(tmp_path, job_id)

    def over() -> bool:
        forget_start(job)
        time.sleep(0.3)
        return provider.check(job_id).state is JobState.ENDED

    until(over)
    outcomes = [provider.decode(line) for line in provider.fetch(job_id)]
    assert [outcome.custom_id for outcome in outcomes] == ["r-0", "r-1"]
    for outcome in outcomes:
        assert isinstance(outcome, Failed)
        assert outcome.reason is Reason.ERRORED
        assert outcome.message.startswith("the local engine died 4 times. Its last words:")


def test_jobs_are_found_by_their_tag_and_old_ones_go(provider: LocalProvider, model: str, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    first = submit(provider, [ask(model, 0)], tag="mine")
    submit(provider, [ask(model, 0)], tag="other")
    second = submit(provider, [ask(model, 0)], tag="mine")
    assert [job.provider_job_id for job in provider.find("mine", before, 1)] == [second, first]
    assert provider.find("mine", before + timedelta(hours=1), 1) == []
    assert provider.find("mine", before, 2) == []
    for job_id in (first, second):
        ended(provider, job_id)
    old = job_of(tmp_path, first)
    (old.folder / "job.json").write_text(json.dumps({**old.about(), "created_at": 0}))
    (tmp_path / "local" / "jobs" / "notes").mkdir()
    submit(provider, [ask(model, 0)])
    assert find_job(tmp_path, first) is None
    assert find_job(tmp_path, second) is not None
    assert (tmp_path / "local" / "jobs" / "notes").is_dir()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
