"""The same job at every provider: what works with one works word for word with the others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import batchata
from batchata import BatchJob, BatchManager, batch
from tests import small_files
from tests.providers.served import KINDS, Kind, serving
from tests.wire import answers
from tests.wire.faults import Cut, DropAnswer, Endpoint, Errored, ItemFault, Reset
from tests.wire.jobs import NEVER, Checks
from tests.wire.loopback import Loopback

ANTHROPIC = "anthropic"


class Number(BaseModel):
    number: int


@pytest.fixture(params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


@pytest.fixture
def kind(name: str) -> Kind:
    return KINDS[name]


@pytest.fixture
def server(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Loopback]:
    with serving(name, monkeypatch, tmp_path) as server:
        yield server


def ask(*texts: str) -> list[list[dict[str, Any]]]:
    return [[{"role": "user", "content": text}] for text in texts]


def numbers(count: int) -> list[list[dict[str, Any]]]:
    return ask(*(f"{index}" for index in range(count)))


def as_json(params: dict[str, Any]) -> answers.Answer:
    assert answers.schema_of(params) is not None
    return answers.json_answer({"number": int(answers.last_user_text(params))})


def test_text_answers_in_input_order_and_every_cent_counted(server: Loopback, kind: Kind) -> None:
    texts = [f"text {number}" for number in range(40)]
    job = batch(kind.model, messages=ask(*texts), max_tokens=50)
    entries = job.results()
    assert [entry["result"] for entry in entries] == texts
    assert [entry["input"]["index"] for entry in entries] == list(range(40))
    for entry in entries:
        assert entry["usage"] is not None
        assert entry["usage"]["input_tokens"] > 0
        assert entry["usage"]["output_tokens"] > 0
    assert len(server.ledger.created) == 1
    assert server.ledger.bought_more_than_once() == {}


def test_the_bill_is_what_the_server_bills(server: Loopback, name: str, kind: Kind) -> None:
    if name == "compatible":  # nobody knows its prices
        entries = batch(kind.model, messages=ask("a", "b")).results()
        assert [entry["cost_usd"] for entry in entries] == [None, None]
        prices: dict[str, batchata.Price] = {kind.model: {"input": "0.05", "output": "0.25"}}
        job = batch(kind.model, messages=ask("c", "d"), prices=prices)
    else:
        job = batch(kind.model, messages=ask("c", "d"))
    total = sum((entry["cost_usd"] or Decimal("NaN") for entry in job.results()), Decimal(0))
    ids = server.ledger.created[-1].custom_ids
    assert total == sum((billed.cost for billed in server.ledger.billed if billed.custom_id in ids), Decimal(0))
    assert job.stats()["total_cost"] == total


def test_validated_objects_with_the_schema_enforced(server: Loopback, kind: Kind) -> None:
    server.answer = as_json
    entries = batch(kind.model, messages=numbers(5), response_model=Number).results()
    assert [entry["result"] for entry in entries] == [Number(number=number) for number in range(5)]


FATES = {
    ItemFault.EXPIRED: "expired",
    ItemFault.CANCELED: "canceled",
    ItemFault.REFUSED: "refused",
    ItemFault.TRUNCATED: "truncated",
    ItemFault.MALFORMED: "invalid_output",
    ItemFault.MISSING: "missing",
}
WHOLE_ONLY = {"gemini", "mistral"}
"""Where a request does not expire or end canceled by itself: its job does."""


@pytest.mark.parametrize("fault", FATES)
def test_one_bad_answer_costs_one_item(server: Loopback, name: str, kind: Kind, fault: ItemFault) -> None:
    if name in WHOLE_ONLY and fault in {ItemFault.EXPIRED, ItemFault.CANCELED}:
        pytest.skip(f"{name} has no such end of a single request")
    server.answer = lambda params: fault if answers.last_user_text(params) == "1" else as_json(params)
    entries = batch(kind.model, messages=numbers(3), response_model=Number).results()
    assert [entry["result"] for entry in entries] == [Number(number=0), None, Number(number=2)]
    assert entries[1]["error"] is not None
    assert entries[1]["error"]["reason"] == FATES[fault]
    assert entries[1]["error"]["message"]


def test_a_failed_request_says_why(server: Loopback, kind: Kind) -> None:
    server.answer = lambda params: (
        Errored("invalid_request_error", "Your image is upside down")
        if answers.last_user_text(params) == "1"
        else answers.echo(params)
    )
    entries = batch(kind.model, messages=numbers(2)).results()
    assert entries[0]["result"] == "0"
    assert entries[1]["error"] is not None
    assert entries[1]["error"]["reason"] == "errored"
    assert "Your image is upside down" in entries[1]["error"]["message"]
    assert entries[1]["cost_usd"] in {Decimal(0), None}


@pytest.mark.parametrize("fault", [ItemFault.DUPLICATE, ItemFault.STRANGER])
def test_lines_too_many_are_left_out(server: Loopback, kind: Kind, fault: ItemFault) -> None:
    server.faults.items(1.0, fault)
    assert [entry["result"] for entry in batch(kind.model, messages=ask("a", "b")).results()] == ["a", "b"]


def test_a_create_whose_answer_was_lost_is_found_and_not_sent_again(server: Loopback, kind: Kind) -> None:
    batch(kind.model, messages=ask("of a colleague", "also"))
    server.faults.next(Endpoint.CREATE, DropAnswer())
    entries = batch(kind.model, messages=ask("a", "b")).results()
    assert [entry["result"] for entry in entries] == ["a", "b"]
    assert len(server.ledger.created) == 2


def test_a_create_whose_answer_was_cut_in_silence_is_found_and_not_sent_again(server: Loopback, kind: Kind) -> None:
    server.faults.next(Endpoint.CREATE, Cut(silent=True))
    assert batch(kind.model, messages=ask("a")).results()[0]["result"] == "a"
    assert len(server.ledger.created) == 1


@pytest.mark.parametrize("fault", ["500", "503", "reset", "reset at once"])
def test_a_create_that_never_arrived_is_sent_again(server: Loopback, kind: Kind, fault: str) -> None:
    server.faults.next(
        Endpoint.CREATE,
        {"reset": Reset(body_read=True), "reset at once": Reset()}.get(fault)
        or server.replies.server_error(int(fault)),
    )
    assert batch(kind.model, messages=ask("a")).results()[0]["result"] == "a"
    assert len(server.ledger.created) == 1


@pytest.mark.parametrize("cut", [Cut(), Cut(silent=True), Cut(fraction=0.9)])
def test_a_cut_download_is_begun_again(server: Loopback, kind: Kind, cut: Cut) -> None:
    server.faults.next(Endpoint.RESULTS, cut)
    texts = [f"{number}" * 50 for number in range(30)]
    assert [entry["result"] for entry in batch(kind.model, messages=ask(*texts)).results()] == texts


def test_reads_are_patient(server: Loopback, kind: Kind) -> None:
    job = batch(kind.model, messages=ask("a"))
    for endpoint in (Endpoint.RETRIEVE, Endpoint.RESULTS):
        calls = server.faults.calls[endpoint]
        server.faults.at(endpoint, calls + 1, server.replies.rate_limited(0.01))
        server.faults.at(endpoint, calls + 2, server.replies.server_error(503))
        server.faults.at(endpoint, calls + 3, Reset(body_read=True))
    assert job.results()[0]["result"] == "a"


def test_money_used_up_is_said_at_once(server: Loopback, kind: Kind) -> None:
    server.faults.rate(Endpoint.CREATE, 1.0, server.replies.spend_limit())
    with pytest.raises(batchata.ProviderError) as caught:
        batch(kind.model, messages=ask("a"))
    assert not isinstance(caught.value, batchata.SubmissionInDoubtError)
    assert server.faults.calls[Endpoint.CREATE] == 1 or caught.value.retryable
    assert server.ledger.created == []


def test_a_wrong_key_is_said_at_once(server: Loopback, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kind.variables[0], "wrong")
    with pytest.raises(batchata.ProviderError, match=kind.variables[0]) as caught:
        batch(kind.model, messages=ask("a"))
    assert caught.value.status_code in {400, 401}
    assert not caught.value.retryable
    assert server.ledger.created == []


def test_no_key_is_said_before_anything_is_read(
    name: str, kind: Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in (*kind.variables, "GOOGLE_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    wanted = kind.variables[name == "compatible"]  # whose server may want no key, but has an address
    with pytest.raises(batchata.ArgumentError, match=f"set {wanted}"):
        batch(kind.model, files=[tmp_path / "missing.pdf"], prompt="What?")


def test_an_unknown_model_is_said_before_anything_is_sent(server: Loopback, name: str, kind: Kind) -> None:
    prefix = kind.model.partition("/")[0] + "/" if "/" in kind.model else f"{name}/"
    if name == "compatible":  # many such servers list only some of their models
        server.answer = answers.echo
        with pytest.raises(batchata.JobFailedError, match="no-such-model"):
            batch(prefix + "no-such-model", messages=ask("a")).results()
        return
    with pytest.raises(batchata.UnknownModelError, match="no-such-model"):
        batch(prefix + "no-such-model", messages=ask("a"))
    assert server.ledger.created == []


def test_too_many_items_for_one_job_are_refused_before_any_is_read(server: Loopback, kind: Kind) -> None:
    def items() -> list[Any]:
        return [[{"role": "user", "content": "a"}]] * 1_000_001

    with pytest.raises(batchata.LimitError, match="BatchManager"):
        batch(kind.model, messages=items())
    assert server.faults.calls[Endpoint.CREATE] == 0


def test_every_kind_of_file(server: Loopback, kind: Kind, tmp_path: Path) -> None:
    files: dict[str, bytes] = {
        "a.pdf": small_files.pdf_of("Invoice 17\nTotal 12.50"),
        "b.txt": b"Plain words.",
        "c.csv": b"name,total\nA,3\n",
        "d.md": b"# Title\n\nWords.",
        "e.html": b"<html><body><p>Hello</p></body></html>",
        "f.json": b'{"total": 4}',
        "g.png": small_files.PNG,
    }
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    server.answer = lambda params: answers.text_answer(answers.last_user_text(params)[-9:])
    entries = batch(kind.model, files=[tmp_path / file for file in files], prompt="Read this").results()
    assert [(entry["result"], entry["error"]) for entry in entries] == [("Read this", None)] * 7


def test_a_conversation_with_several_turns_and_a_system_text(server: Loopback, kind: Kind) -> None:
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    seen: list[str] = []

    def look(params: dict[str, Any]) -> answers.Answer:
        seen.append(str(params))
        return answers.echo(params)

    server.answer = look
    assert batch(kind.model, messages=[conversation]).results()[0]["result"] == "Two?"
    assert "Be brief." in seen[0]


def test_examples_are_taken(server: Loopback, kind: Kind) -> None:
    server.answer = as_json
    job = batch(
        kind.model, messages=numbers(2), response_model=Number, examples=[(ask("three")[0], Number(number=3))]
    )
    assert [entry["result"] for entry in job.results()] == [Number(number=0), Number(number=1)]


def test_a_canceled_job_keeps_what_was_done(server: Loopback, name: str, kind: Kind) -> None:
    server.ends_after = NEVER
    job = batch(kind.model, messages=numbers(4))
    assert not job.is_complete()
    server.batches.done_at_cancel = 0.5
    job.cancel()
    if name == "gemini":  # gives nothing of a canceled job
        with pytest.raises(batchata.JobFailedError):
            job.results()
        return
    entries = job.results()
    assert [entry["result"] for entry in entries[:2]] == ["0", "1"]
    assert all(entry["error"] and entry["error"]["reason"] in {"canceled", "missing"} for entry in entries[2:])


def test_an_expired_job_keeps_what_was_done(server: Loopback, name: str, kind: Kind) -> None:
    server.ends_after = NEVER
    job = batch(kind.model, messages=numbers(4))
    server.batches.expire(done=0.5)
    if name == "gemini":
        with pytest.raises(batchata.JobFailedError, match="48 hours"):
            job.results()
        return
    entries = job.results()
    assert [entry["result"] for entry in entries[:2]] == ["0", "1"]
    assert all(entry["error"] and entry["error"]["reason"] in {"expired", "missing"} for entry in entries[2:])


def test_a_job_is_taken_up_by_its_id(server: Loopback, kind: Kind) -> None:
    server.ends_after = Checks(3)
    job = batch(kind.model, messages=numbers(12))
    again: BatchJob[Any] = BatchJob.attach(job.id, model=kind.model)
    assert [entry["result"] for entry in again.results()] == [str(number) for number in range(12)]


def test_temperature_is_taken_or_refused_at_once(
    server: Loopback, name: str, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    if name in {"anthropic", "openai"}:
        with pytest.raises(batchata.UnsupportedArgumentError, match="temperature"):
            batch(kind.model, messages=ask("a"), temperature=0.5)
        assert server.ledger.created == []
    elif name != "compatible":  # whose server plays a reasoning model of OpenAI's
        assert batch(kind.model, messages=ask("a"), temperature=0.5).results()[0]["result"] == "a"


def test_native_citations_are_taken_or_refused_at_once(
    server: Loopback, name: str, kind: Kind, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("The total is 12 euros.")
    if name == ANTHROPIC:
        return
    with pytest.raises(batchata.UnsupportedArgumentError, match="quoted"):
        batch(kind.model, files=[tmp_path / "a.txt"], prompt="?", enable_citations=True, citation_mode="native")
    assert server.ledger.created == []


def test_a_run_of_many_jobs_within_a_budget(server: Loopback, name: str, kind: Kind, tmp_path: Path) -> None:
    server.answer = as_json
    more: dict[str, Any] = {"prices": {kind.model: {"input": 1, "output": 2}}} if name == "compatible" else {}
    manager = BatchManager(
        messages=numbers(50),
        model=kind.model,
        response_model=Number,
        items_per_job=8,
        max_cost=5,
        max_tokens=50,
        state_path=tmp_path / "run.json",
        results_dir=tmp_path / "out",
        **more,
    )
    summary = manager.run()
    assert (summary["completed_items"], summary["failed_items"], summary["jobs_completed"]) == (50, 0, 7)
    assert [entry["result"] for entry in manager.results()] == [Number(number=number) for number in range(50)]
    assert server.ledger.bought_more_than_once() == {}
    if name != "compatible":
        assert summary["total_cost"] == server.ledger.total


@pytest.mark.parametrize("key", ["sk-sec\nret", "sk-sec ret", "sk-secré"])
def test_what_is_no_key_is_refused_and_not_shown(
    server: Loopback, kind: Kind, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(kind.variables[0], key)
    with pytest.raises(batchata.MissingKeyError, match=f"{kind.variables[0]} holds") as caught:
        batch(kind.model, messages=ask("a"))
    assert "sec" not in str(caught.value)
    assert sum(server.faults.calls.values()) == 0


def test_an_address_that_cannot_be_asked_is_refused_at_once(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kind.variables[0], "a-key")
    monkeypatch.setenv(kind.variables[1], "localhost:8321/v1")
    with pytest.raises(batchata.ArgumentError, match=f"{kind.variables[1]} is 'localhost:8321/v1': .* http://"):
        batch(kind.model, messages=ask("a"))
