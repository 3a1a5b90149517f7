"""The main job through the public API, over the unmodified SDK, against the loopback server."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF
from pydantic import BaseModel

import batchata
from batchata import BatchJob, BatchResult, Box, Citation, Match, batch
from batchata.runner import task
from tests.wire import answers, faults
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import Cut, DropAnswer, Endpoint, Errored, ItemFault, Reset
from tests.wire.jobs import NEVER

MODEL = "claude-haiku-5-5"


class Number(BaseModel):
    number: int


def ask(*texts: str) -> list[list[dict[str, Any]]]:
    return [[{"role": "user", "content": text}] for text in texts]


def numbers(count: int) -> list[list[dict[str, Any]]]:
    return ask(*(f"{index}" for index in range(count)))


def as_json(params: dict[str, Any]) -> answers.Answer:
    return answers.json_answer({"number": int(answers.last_user_text(params))})


def make_pdf(path: Path, *pages: str) -> Path:
    pdf = FPDF()
    pdf.set_font("helvetica", size=12)
    for text in pages:
        pdf.add_page()
        pdf.multi_cell(0, 8, text)
    pdf.output(str(path))
    return path


def test_text_answers_in_input_order(anthropic_server: AnthropicServer) -> None:
    job = batch(MODEL, messages=ask("one", "two", "three"))
    entries = job.results()
    assert [entry["result"] for entry in entries] == ["one", "two", "three"]
    assert entries[1] == {
        "result": "two",
        "citations": None,
        "unmapped_citations": [],
        "error": None,
        "input": {"index": 1, "name": None, "source": None},
        "usage": entries[1]["usage"],
        "cost_usd": entries[1]["cost_usd"],
        "cost_is_estimate": False,
        "notes": [],
    }
    assert job.results() is entries
    assert (
        sum((entry["cost_usd"] or Decimal("NaN") for entry in entries), Decimal(0)) == anthropic_server.ledger.total
    )


def test_a_thousand_requests_with_everything_going_wrong(anthropic_server: AnthropicServer) -> None:
    server = anthropic_server
    server.answer = as_json
    server.faults.rate(None, 0.05, faults.rate_limited(0.01))
    server.faults.rate(None, 0.05, faults.server_error())
    server.faults.next(Endpoint.CREATE, faults.rate_limited(0.01))
    server.faults.items(0.03, Errored("overloaded_error", "Overloaded"))
    server.faults.items(0.02, ItemFault.EXPIRED)
    server.faults.items(0.02, ItemFault.MALFORMED)
    server.faults.items(0.02, ItemFault.REFUSED)
    server.faults.items(0.02, ItemFault.TRUNCATED)
    job = batch(MODEL, messages=numbers(1000), response_model=Number)
    entries = job.results()

    assert [entry["input"]["index"] for entry in entries] == list(range(1000))
    reasons: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if entry["error"] is None:
            assert entry["result"] == Number(number=index)
        else:
            assert entry["result"] is None
            assert entry["error"]["message"]
            reasons[entry["error"]["reason"]] = reasons.get(entry["error"]["reason"], 0) + 1
    assert set(reasons) == {"errored", "expired", "invalid_output", "refused", "truncated"}
    assert 60 <= sum(reasons.values()) <= 170
    stats = job.stats()
    assert stats["failed_results"] == sum(reasons.values())
    assert stats["total_cost"] == server.ledger.total
    assert len(server.ledger.created) == 1
    assert server.ledger.bought_more_than_once() == {}


def test_a_create_whose_answer_was_lost_is_found_and_not_sent_again(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, DropAnswer())
    entries = batch(MODEL, messages=ask("a", "b")).results()
    assert [entry["result"] for entry in entries] == ["a", "b"]
    assert len(anthropic_server.ledger.created) == 1


@pytest.mark.parametrize(
    "fault", [faults.server_error(500), faults.server_error(529), Reset(body_read=True), Reset()]
)
def test_a_create_that_never_arrived_is_sent_again(
    anthropic_server: AnthropicServer, fault: faults.CallFault
) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, fault)
    entries = batch(MODEL, messages=ask("a")).results()
    assert entries[0]["result"] == "a"
    assert len(anthropic_server.ledger.created) == 1


def test_an_equal_job_of_a_colleague_is_told_from_ours_by_its_ids(anthropic_server: AnthropicServer) -> None:
    colleague = batch(MODEL, messages=ask("theirs"))
    anthropic_server.faults.next(Endpoint.CREATE, DropAnswer())
    ours = batch(MODEL, messages=ask("ours"))
    batch(MODEL, messages=ask("later"))
    assert ours.results()[0]["result"] == "ours"
    assert colleague.results()[0]["result"] == "theirs"
    assert anthropic_server.ledger.bought_more_than_once() == {}


def test_when_only_a_colleagues_job_is_found_nothing_of_theirs_is_taken(anthropic_server: AnthropicServer) -> None:
    batch(MODEL, messages=ask("theirs"))
    anthropic_server.faults.next(Endpoint.CREATE, faults.server_error())
    ours = batch(MODEL, messages=ask("ours"))
    with pytest.raises(batchata.SubmissionInDoubtError, match="call batch\\(\\) again"):
        ours.results()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.spend_limit_reached(), "Raise the spend limit"),
        (faults.own_spend_limit_reached(), "Raise the spend limit"),
        (faults.too_large(), "413 Request Entity Too Large.*Send fewer or smaller items"),
    ],
)
def test_a_clear_refusal_is_raised_and_not_repeated(
    anthropic_server: AnthropicServer, fault: faults.CallFault, words: str
) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, fault)
    with pytest.raises(batchata.ProviderError, match=words) as caught:
        batch(MODEL, messages=ask("a"))
    assert not isinstance(caught.value, batchata.SubmissionInDoubtError)
    assert not caught.value.retryable
    assert anthropic_server.faults.calls[Endpoint.CREATE] == 1


@pytest.mark.parametrize("silent", [False, True])
def test_a_cut_download_starts_again(anthropic_server: AnthropicServer, silent: bool) -> None:
    anthropic_server.faults.at(Endpoint.RESULTS, [1, 2], Cut(silent=silent))
    entries = batch(MODEL, messages=numbers(50), response_model=None).results()
    assert [entry["result"] for entry in entries] == [str(index) for index in range(50)]


def test_results_that_never_come_are_missing_and_their_cost_is_unknown(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.items(1.0, ItemFault.MISSING)
    job = batch(MODEL, messages=ask("a"))
    entry = job.results()[0]
    assert entry["error"] == {
        "reason": "missing",
        "message": "the job ended without an answer to this item",
        "retryable": True,
        "raw_text": None,
    }
    assert entry["cost_usd"] is None
    assert job.stats()["total_cost"] is None


@pytest.mark.parametrize("fault", [ItemFault.DUPLICATE, ItemFault.STRANGER])
def test_answers_that_were_not_asked_for_are_left_out(
    anthropic_server: AnthropicServer, fault: ItemFault, caplog: pytest.LogCaptureFixture
) -> None:
    anthropic_server.faults.items(1.0, fault)
    with caplog.at_level(logging.WARNING, logger="batchata"):
        entries = batch(MODEL, messages=ask("a", "b")).results()
    assert [entry["result"] for entry in entries] == ["a", "b"]
    assert "left out" in caplog.text


def test_an_answer_that_does_not_fit_keeps_message_text_and_bill(anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = lambda _: answers.json_answer({"number": "seven"})
    entry = batch(MODEL, messages=ask("x"), response_model=Number).results()[0]
    assert entry["error"] is not None
    assert entry["error"]["reason"] == "invalid_output"
    assert "number" in entry["error"]["message"]
    assert entry["error"]["raw_text"] == '{"number": "seven"}'
    assert entry["cost_usd"] == anthropic_server.ledger.total


def test_an_empty_answer_is_not_a_result(anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = lambda _: answers.text_answer("")
    entry = batch(MODEL, messages=ask("x")).results()[0]
    assert entry["error"] is not None
    assert entry["error"]["reason"] == "invalid_output"


def test_field_citations_are_mapped_and_checked(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    class Party(BaseModel):
        name: str
        city: str | None

    class Invoice(BaseModel):
        number: int
        seller: Party

    file = make_pdf(tmp_path / "invoice.pdf", "A first page", "Acme Ltd, Leeds\nInvoice no. 4711")

    def answer(params: dict[str, Any]) -> answers.Answer:
        assert params["messages"][0]["content"][0]["citations"] == {"enabled": True}
        assert "output_config" not in params
        return answers.cited_answer(
            [
                ('{"number": ', []),
                ("4711", [answers.page_citation("Invoice no. 4711", 2, title="invoice.pdf")]),
                (', "seller": {"name": ', []),
                ('"Acme Ltd"', [answers.page_citation("Acme Ltd", 1)]),
                (', "city": "Leeds"}}', []),
            ]
        )

    anthropic_server.answer = answer
    job = batch(MODEL, files=[file], prompt="Extract.", response_model=Invoice, enable_citations=True)
    entry = job.results()[0]
    assert entry["result"] == Invoice(number=4711, seller=Party(name="Acme Ltd", city="Leeds"))
    assert entry["input"] == {"index": 0, "name": "invoice.pdf", "source": str(tmp_path / "invoice.pdf")}
    cited = entry["citations"]
    assert isinstance(cited, dict)
    assert list(cited) == ["number", "seller.name", "seller.city"]
    number, name, city = (cited[field][0] for field in cited)
    found = cited["seller.name"][1]
    assert (number.cited_text, number.start_page, number.match, number.verified) == (
        "Invoice no. 4711",
        2,
        Match.EXACT,
        True,
    )
    assert len(number.boxes) == 1
    assert isinstance(number.boxes[0], Box)
    assert number.boxes[0].page == 2
    assert (name.start_page, name.match, name.verified) == (1, Match.NOT_FOUND, False)
    assert (found.origin, found.start_page, found.verified) == ("aligned", 2, True)
    assert (city.origin, city.cited_text, city.start_page, city.verified) == ("aligned", "Leeds", 2, True)


def test_text_citations_are_a_flat_list(anthropic_server: AnthropicServer) -> None:
    place = answers.char_citation("The sky is blue.", 0)
    anthropic_server.answer = lambda _: answers.cited_answer([("It is ", []), ("blue", [place])])
    job = batch(MODEL, files=[b"The sky is blue. Grass is green."], prompt="Colour?", enable_citations=True)
    entry = job.results()[0]
    assert entry["result"] == "It is blue"
    cited = entry["citations"]
    assert isinstance(cited, list)
    assert [(each.cited_text, each.start_char, each.end_char, each.verified) for each in cited] == [
        ("The sky is blue.", 0, 16, True)
    ]


def test_a_file_that_changed_since_is_not_checked_against(
    anthropic_server: AnthropicServer, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("The sky is blue.")
    anthropic_server.answer = lambda _: answers.cited_answer(
        [("blue", [answers.char_citation("The sky is blue.", 0)])]
    )
    job = batch(MODEL, files=[file], prompt="Colour?", enable_citations=True)
    file.write_text("The sky is grey.")
    entry = job.results()[0]
    assert entry["notes"] == ["the document changed since it was sent, so citations could not be checked"]
    cited = entry["citations"]
    assert isinstance(cited, list)
    assert (cited[0].match, cited[0].verified) == (None, False)


def test_schemas_are_enforced_without_citations(anthropic_server: AnthropicServer) -> None:
    seen: list[Any] = []

    def answer(params: dict[str, Any]) -> answers.Answer:
        seen.append(params)
        return as_json(params)

    anthropic_server.answer = answer
    assert batch(MODEL, messages=ask("7"), response_model=Number).results()[0]["result"] == Number(number=7)
    schema = seen[0]["output_config"]["format"]["schema"]
    assert schema["properties"]["number"]["type"] == "integer"
    assert schema["additionalProperties"] is False


def test_examples_stand_before_every_input(anthropic_server: AnthropicServer) -> None:
    seen: list[Any] = []

    def answer(params: dict[str, Any]) -> answers.Answer:
        seen.append(params["messages"])
        return as_json(params)

    anthropic_server.answer = answer
    examples: list[Any] = [("one", Number(number=1)), ("two", {"number": 2})]
    batch(MODEL, messages=ask("3", "4"), response_model=Number, examples=examples).results()
    for turns in seen:
        assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
        assert turns[1]["content"][0]["text"] == '{"number":1}'
        assert json.loads(turns[3]["content"][0]["text"]) == {"number": 2}
    assert all("cache_control" in turns[3]["content"][0] for turns in seen)


def test_attach_in_another_process_gives_the_same_results_in_input_order(anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = as_json
    anthropic_server.faults.items(0.2, ItemFault.MISSING)
    job = batch(MODEL, messages=numbers(20), response_model=Number)
    attached = BatchJob.attach(job.id, model=MODEL, response_model=Number)
    assert attached.results() == job.results()


def test_attach_with_the_files_checks_citations(anthropic_server: AnthropicServer) -> None:
    document = b"The sky is blue."
    anthropic_server.answer = lambda _: answers.cited_answer(
        [("blue", [answers.char_citation("The sky is blue.", 0)])]
    )
    job = batch(MODEL, files=[document], prompt="Colour?", enable_citations=True)

    def first(attached: BatchJob[str]) -> Citation:
        cited = attached.results()[0]["citations"]
        assert isinstance(cited, list)
        return cited[0]

    assert first(BatchJob.attach(job.id, model=MODEL, enable_citations=True)).match is None
    assert first(BatchJob.attach(job.id, model=MODEL, enable_citations=True, files=[document])).verified


@pytest.mark.parametrize("given", ["", "#bt0123456789ab", 5, None])
def test_attach_needs_an_id(given: Any) -> None:
    with pytest.raises(batchata.ArgumentError, match=f"A job's id is needed, got {given!r}: it is what"):
        BatchJob.attach(given, model=MODEL)


@pytest.mark.usefixtures("anthropic_server")
def test_attach_to_a_job_that_is_not_there() -> None:
    with pytest.raises(batchata.ProviderError, match="404 while checking the job 'msgbatch_none'"):
        BatchJob.attach("msgbatch_none", model=MODEL).is_complete()


def test_waiting_ends_at_the_timeout_and_says_how_to_come_back(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    job = batch(MODEL, messages=ask("a"))
    assert not job.is_complete()
    stats = job.stats()
    assert (stats["is_complete"], stats["status"], stats["total_cost"]) == (False, "in_progress", None)
    with pytest.raises(TimeoutError, match=f"BatchJob.attach\\('{job.id}'"):
        job.results(timeout=0.3)
    with pytest.raises(batchata.NotReadyError):
        job.wait(timeout=0)


def test_cancel_keeps_what_finished(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    anthropic_server.batches.done_at_cancel = 0.4
    job = batch(MODEL, messages=numbers(5))
    job.cancel()
    entries = job.results()
    assert [entry["error"] is None for entry in entries].count(True) == 2
    assert {entry["error"]["reason"] for entry in entries if entry["error"]} == {"canceled"}
    job.cancel()


def test_await_is_results(anthropic_server: AnthropicServer) -> None:
    async def main() -> list[BatchResult[str]]:
        return await batch(MODEL, messages=ask("a"))

    assert asyncio.run(main())[0]["result"] == "a"
    assert anthropic_server.ledger.created


def test_nothing_to_do_is_complete_at_once_without_a_call(anthropic_server: AnthropicServer) -> None:
    job = batch(MODEL, files=[], prompt="?")
    assert job.is_complete()
    assert job.wait().results() == []
    assert job.stats()["total_cost"] == Decimal(0)
    assert sum(anthropic_server.faults.calls.values()) == 0


def test_stats_and_their_printed_form(
    anthropic_server: AnthropicServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    job = batch(MODEL, messages=ask("a", "b"), raw_results_dir=tmp_path / "raw", verbose=True)
    stats = job.stats(print_stats=True)
    assert stats["elapsed_time"] is not None
    assert stats == {
        "batch_id": job.id,
        "status": "ended",
        "is_complete": True,
        "elapsed_time": stats["elapsed_time"],
        "total_results": 2,
        "failed_results": 0,
        "total_citations": 0,
        "total_input_tokens": stats["total_input_tokens"],
        "total_output_tokens": stats["total_output_tokens"],
        "cached_input_tokens": 0,
        "total_cost": anthropic_server.ledger.total,
        "currency": "USD",
        "service_tier": "batch",
        "batch_discount": Decimal("0.5"),
        "raw_results_dir": str(tmp_path / "raw"),
    }
    assert capsys.readouterr().out.splitlines() == [
        f"Submitted 2 requests to anthropic: {job.id}",
        "📊 Batch Statistics",
        f"   ID: {job.id}",
        "   Status: ended",
        "   Complete: ✅",
        f"   Elapsed: {stats['elapsed_time']:.1f} s",
        "   Mode: Plain Text",
        "   Results: 2 (0 failed)",
        "   Citations: 0",
        f"   Input tokens: {stats['total_input_tokens']}",
        f"   Output tokens: {stats['total_output_tokens']}",
        f"   Total cost: ${stats['total_cost']:.4f}",
        "   Batch discount: 50%",
        f"   Raw results: {tmp_path / 'raw'}",
    ]
    assert anthropic_server.faults.calls[Endpoint.RESULTS] == 1


def test_raw_answers_are_kept_as_they_came(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    batch(MODEL, messages=ask("a", "b"), raw_results_dir=tmp_path / "raw").results()
    sent = anthropic_server.ledger.created[0].custom_ids
    files = sorted((tmp_path / "raw").iterdir())
    assert [file.name for file in files] == sorted(f"{custom_id}.json" for custom_id in sent)
    raw = json.loads(files[0].read_bytes())
    assert raw["custom_id"] == files[0].stem
    assert raw["result"]["message"]["content"] == [{"type": "text", "text": "a"}]


def test_a_raw_results_dir_that_cannot_be_written_is_known_before_sending(
    anthropic_server: AnthropicServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(batchata.ArgumentError, match="raw_results_dir .* cannot be written"):
        batch(MODEL, messages=ask("a"), raw_results_dir=tmp_path / "file" / "raw")
    assert not anthropic_server.ledger.created


def test_your_own_prices(anthropic_server: AnthropicServer) -> None:
    job = batch(MODEL, messages=ask("a"), prices={MODEL: batchata.Price(input=1_000_000, output=0)})
    assert job.stats()["total_cost"] == job.stats()["total_input_tokens"]
    assert anthropic_server.ledger.created


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, batchata.ArgumentError, "either messages= or files="),
        ({"messages": [], "files": []}, batchata.ArgumentError, "not both"),
        ({"files": ["a.pdf"]}, batchata.ArgumentError, "files= needs prompt="),
        ({"messages": ask("x"), "prompt": "?"}, batchata.ArgumentError, "prompt= goes with files="),
        ({"messages": ask("x") * 100_001}, batchata.LimitError, r"100,001 items are more than.*\(100,000\)"),
        ({"files": "a.pdf", "prompt": "?"}, batchata.ArgumentError, r"files must be a list.*write files=\[…\]"),
        ({"files": ["gone.pdf"], "prompt": "?"}, FileNotFoundError, "gone.pdf"),
        ({"files": [b""], "prompt": "?"}, batchata.DocumentError, "empty"),
        ({"messages": [ask("ok")[0], "no"]}, batchata.ConversationError, r"messages\[1\]"),
        ({"messages": ask("x"), "temperature": 0.5}, batchata.UnsupportedArgumentError, "refuses 'temperature'"),
        ({"messages": ask("x"), "max_tokens": 0}, batchata.ArgumentError, "max_tokens must be a whole number"),
        (
            {"messages": ask("x"), "max_tokens": 10**7},
            batchata.LimitError,
            "more than 'claude-haiku-5-5' can write",
        ),
        (
            {"messages": ask("x"), "enable_citations": True},
            batchata.ConversationError,
            r"messages\[0\] holds no document",
        ),
        ({"messages": ask("x"), "response_model": dict}, batchata.ArgumentError, "Pydantic model class"),
        (
            {"messages": ask("x"), "response_model": Number, "examples": [("one", {"numbr": 1})]},
            batchata.ArgumentError,
            r"examples\[0\] does not fit the response model",
        ),
        ({"messages": ask("x"), "prices": {"m": {"input": 1}}}, batchata.ArgumentError, r"prices\['m'\]"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_sent(
    anthropic_server: AnthropicServer, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        batch(MODEL, **arguments)
    assert anthropic_server.faults.calls[Endpoint.CREATE] == 0


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("claude-haiku-5.5", "Did you mean 'claude-haiku-5-5'"),
        ("claude-3-haiku-20240307", "retired 'claude-3-haiku-20240307' on 2026-04-20.*Use a current model"),
        ("claude-sonnet-4-20250514", "retired 'claude-sonnet-4-20250514' on 2026-06-15"),
        ("zephyr-9", "No provider claims the model 'zephyr-9'. Known prefixes: claude-….*local/"),
    ],
)
@pytest.mark.usefixtures("anthropic_server")
def test_models_that_cannot_be_used(model: str, words: str) -> None:
    with pytest.raises(batchata.UnknownModelError, match=words):
        batch(model, files=["not-even-looked-at.pdf"], prompt="?")


def test_a_missing_key_is_named_before_any_file_is_read(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(batchata.MissingKeyError, match=r"ANTHROPIC_API_KEY.*\.env"):
        batch(MODEL, files=["gone.pdf"], prompt="?")
    Path(".env").write_text(f"ANTHROPIC_API_KEY={anthropic_server.key}\n")
    assert batch(MODEL, messages=ask("a")).results()[0]["result"] == "a"


@pytest.mark.usefixtures("anthropic_server")
def test_a_wrong_key_is_known_before_any_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-wrong")
    with pytest.raises(batchata.ProviderError, match="401.*Check ANTHROPIC_API_KEY") as caught:
        batch(MODEL, files=["gone.pdf"], prompt="?")
    assert caught.value.status_code == 401
    assert caught.value.request_id


def test_a_network_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setattr("batchata.providers.anthropic.provider._READ_RETRIES", 0)
    with pytest.raises(batchata.ProviderError, match="could not be reached.*Check the network"):
        batch(MODEL, messages=ask("a"))


def test_a_provider_out_of_reach_for_a_while_does_not_end_the_wait(anthropic_server: AnthropicServer) -> None:
    job = batch(MODEL, messages=ask("a"))
    calls = anthropic_server.faults.calls[Endpoint.RETRIEVE]
    anthropic_server.faults.at(Endpoint.RETRIEVE, range(calls + 1, calls + 9), faults.rate_limited(0.01))
    assert job.results(timeout=60)[0]["result"] == "a"


def test_one_bad_file_stops_everything_before_it_is_sent(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    good = make_pdf(tmp_path / "good.pdf", "text")
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.4\n" + zlib.compress(b"not a pdf"))
    with pytest.raises(batchata.DocumentError, match="bad.pdf"):
        batch(MODEL, files=[good, bad], prompt="?")
    assert not anthropic_server.ledger.created


def test_an_entry_says_where_its_file_was_read_from_and_no_password(anthropic_server: AnthropicServer) -> None:
    Path("a.txt").write_text("A.")
    files: list[str | bytes | Path] = ["a.txt", b"B.", Path("a.txt")]
    entries = batch(MODEL, files=files, prompt="?").results()
    assert len(anthropic_server.ledger.billed) == 3
    here = str(Path("a.txt").absolute())
    assert [entry["input"]["source"] for entry in entries] == [here, None, here]
    assert task.Item(0, file="ftp://me:secret@host/a.txt").source == "ftp://host/a.txt"
    assert task.Item(0, file="s3://bucket/a@b.txt").source == "s3://bucket/a@b.txt"
