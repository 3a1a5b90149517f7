"""What must hold when somebody else's jobs, lost answers, odd lines and wrong clocks get in the way."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, RootModel

import batchata
from batchata import BatchJob, batch
from batchata.runner import submit as submitting
from tests.test_batch import MODEL, Number, as_json, ask, make_pdf, numbers
from tests.wire import answers, faults
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import DropAnswer, Endpoint, ItemFault
from tests.wire.jobs import NEVER


def test_a_job_that_may_be_a_colleagues_is_not_canceled(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    colleague = batch(MODEL, messages=ask("theirs"))
    anthropic_server.faults.next(Endpoint.CREATE, faults.server_error())
    ours = batch(MODEL, messages=ask("ours"))
    with pytest.raises(batchata.SubmissionInDoubtError, match="may be somebody else's"):
        ours.cancel()
    assert not colleague.is_complete()


def test_the_id_of_a_job_in_doubt_carries_its_proof(anthropic_server: AnthropicServer) -> None:
    batch(MODEL, messages=ask("theirs"))
    anthropic_server.faults.next(Endpoint.CREATE, faults.server_error())
    ours = batch(MODEL, messages=ask("ours"))
    assert "#bt" in ours.id
    with pytest.raises(batchata.SubmissionInDoubtError):
        BatchJob.attach(ours.id, model=MODEL).results()


def test_the_id_of_a_job_found_again_leads_back_to_it(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, DropAnswer())
    ours = batch(MODEL, messages=ask("ours"))
    kept = ours.id
    assert BatchJob.attach(kept, model=MODEL).results()[0]["result"] == "ours"
    assert ours.results()[0]["result"] == "ours"
    assert "#" not in ours.id


def test_doubt_that_cannot_be_cleared_up_is_said_and_nothing_is_sent_again(
    anthropic_server: AnthropicServer,
) -> None:
    anthropic_server.faults.next(Endpoint.CREATE, DropAnswer())
    anthropic_server.faults.rate(Endpoint.LIST, 1.0, faults.own_spend_limit_reached())
    with pytest.raises(batchata.SubmissionInDoubtError, match="custom_ids that begin with 'bt") as caught:
        batch(MODEL, messages=ask("a"))
    assert "BatchJob.attach" in str(caught.value)
    assert anthropic_server.faults.calls[Endpoint.CREATE] == 1


class _FastClock(datetime):
    """This machine's clock, ten minutes ahead of everybody's."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(minutes=10)


def test_a_clock_that_is_ahead_does_not_pay_twice(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submitting, "datetime", _FastClock)
    monkeypatch.setattr("batchata.providers.anthropic.provider.datetime", _FastClock)
    anthropic_server.faults.next(Endpoint.CREATE, DropAnswer())
    assert batch(MODEL, messages=ask("a")).results()[0]["result"] == "a"
    assert len(anthropic_server.ledger.created) == 1


@pytest.mark.parametrize(
    "result",
    [
        {"type": "something_new"},
        {"type": "succeeded"},
        {"type": "succeeded", "message": "text"},
        "succeeded",
        {"type": "errored", "error": "text"},
    ],
)
def test_an_answer_that_cannot_be_read_is_kept_and_its_cost_unknown(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, result: object
) -> None:
    from batchata.providers.anthropic.provider import AnthropicProvider  # noqa: PLC0415  # needs the environment

    whole = AnthropicProvider.fetch

    def odd(self: AnthropicProvider, job_id: str) -> Any:
        for line in whole(self, job_id):
            custom_id = orjson.loads(line)["custom_id"]
            yield orjson.dumps({"custom_id": custom_id, "result": result}) if custom_id.endswith("-1") else line

    monkeypatch.setattr(AnthropicProvider, "fetch", odd)
    job = batch(MODEL, messages=ask("a", "b"), raw_results_dir=tmp_path)
    good, bad = job.results()
    assert good["result"] == "a"
    assert bad["error"] is not None
    assert (bad["error"]["reason"], bad["error"]["retryable"]) == ("errored", False)
    assert "could not be read" in bad["error"]["message"]
    assert (bad["cost_usd"], job.stats()["total_cost"], job.stats()["total_input_tokens"]) == (None, None, None)
    assert len(list(tmp_path.iterdir())) == 2
    assert anthropic_server.ledger.created


def test_an_answer_without_usage_has_no_known_cost() -> None:
    from batchata.providers.anthropic.decode import decode_message  # noqa: PLC0415

    outcome = decode_message("a", {"content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"})
    assert outcome.usage is None


def test_half_a_surrogate_pair_costs_nothing_but_itself(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batchata.providers.anthropic.provider import AnthropicProvider  # noqa: PLC0415

    whole = AnthropicProvider.fetch
    monkeypatch.setattr(
        AnthropicProvider,
        "fetch",
        lambda self, job: (line.replace(b"HALF", b"\\ud83d") for line in whole(self, job)),
    )
    assert [entry["result"] for entry in batch(MODEL, messages=ask("a", "HALF!")).results()] == ["a", "\ufffd!"]
    assert anthropic_server.ledger.created


def test_a_draft_and_its_correction_are_not_chosen_between(anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = lambda _: answers.text_answer('Draft: {"number": 1000}. Corrected: {"number": 10}')
    entry = batch(MODEL, messages=ask("x"), response_model=Number).results()[0]
    assert entry["error"] is not None
    assert entry["error"]["message"] == "the answer holds 2 different results, and does not say which one counts"


def test_worked_examples_are_no_evidence(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    class Invoice(BaseModel):
        number: str

    example = make_pdf(tmp_path / "example.pdf", "Invoice INV-777")
    document = make_pdf(tmp_path / "letter.pdf", "Dear Sir, thank you for nothing.")
    anthropic_server.answer = lambda _: answers.json_answer({"number": "INV-777"})
    job = batch(
        MODEL,
        files=[document],
        prompt="?",
        response_model=Invoice,
        enable_citations=True,
        examples=[(example, {"number": "INV-777"})],
    )
    assert job.results()[0]["citations"] == {"number": []}


def test_citations_number_the_examples_documents_first(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    example = make_pdf(tmp_path / "example.pdf", "Other text")
    document = make_pdf(tmp_path / "letter.pdf", "The sky is blue.")
    place = answers.page_citation("The sky is blue.", 1, document=1)
    anthropic_server.answer = lambda _: answers.cited_answer([("blue", [place])])
    job = batch(MODEL, files=[document], prompt="?", enable_citations=True, examples=[(example, "grey")])
    cited = job.results()[0]["citations"]
    assert isinstance(cited, list)
    assert (cited[0].document, cited[0].verified) == ("letter.pdf", True)


class Numbers(RootModel[list[int]]):
    """A root that is not an object."""


def test_examples_have_the_form_that_is_enforced(anthropic_server: AnthropicServer) -> None:
    seen: list[str] = []

    def answer(params: dict[str, Any]) -> answers.Answer:
        seen.append(params["messages"][1]["content"][0]["text"])
        return answers.json_answer({"value": [3]})

    anthropic_server.answer = answer
    job = batch(MODEL, messages=ask("x"), response_model=Numbers, examples=[("y", Numbers([1, 2]))])
    assert job.results()[0]["result"] == Numbers([3])
    assert seen == ['{"value":[1,2]}']


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        ([("only an input",)], r"examples\[0\] must be an \(input, output\) pair"),
        ([7], r"examples\[0\] must be an \(input, output\) pair"),
        ([("x", Numbers([1]))], r"examples\[0\] does not fit the response model"),
        (
            [([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}], {"number": 1})],
            "one user message",
        ),
        ([([{"role": "bot", "content": "u"}], {"number": 1})], r"examples\[0\]\[0\]\[0\] has the role 'bot'"),
        ([(Path("gone.pdf"), {"number": 1})], r"examples\[0\]: There is no file 'gone.pdf'"),
    ],
)
def test_examples_that_cannot_be_shown(anthropic_server: AnthropicServer, examples: Any, words: str) -> None:
    with pytest.raises(batchata.ArgumentError, match=words):
        batch(MODEL, messages=ask("x"), response_model=Number, examples=examples)
    assert not anthropic_server.ledger.created


@pytest.mark.parametrize("count", [2, 7])
def test_attaching_with_other_inputs_is_refused(anthropic_server: AnthropicServer, count: int) -> None:
    job = batch(MODEL, messages=numbers(5))
    attached: BatchJob[str] = BatchJob.attach(job.id, model=MODEL, messages=numbers(count))
    with pytest.raises(batchata.ArgumentError, match=f"was asked 5 inputs, and {count} were given"):
        attached.results()
    assert anthropic_server.ledger.created


def test_attaching_to_a_job_of_another_program_is_refused(anthropic_server: AnthropicServer) -> None:
    import anthropic  # noqa: PLC0415  # slow to import

    with anthropic.Anthropic(base_url=anthropic_server.url, api_key=anthropic_server.key) as client:
        foreign = client.messages.batches.create(
            requests=[
                {
                    "custom_id": "mine",
                    "params": {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
                }
            ]
        )
    with pytest.raises(batchata.JobFailedError, match="none to a request of this library's making"):
        BatchJob.attach(foreign.id, model=MODEL).results()


@pytest.mark.usefixtures("anthropic_server")
def test_attaching_needs_an_id_and_says_at_once_that_it_is_unknown() -> None:
    with pytest.raises(batchata.ArgumentError, match="A job's id is needed"):
        BatchJob.attach("", model=MODEL)
    with pytest.raises(batchata.ProviderError, match="404"):
        BatchJob.attach("msgbatch_none", model=MODEL).wait()


def test_waiting_in_one_thread_does_not_block_the_others(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    job = batch(MODEL, messages=ask("a"))

    def wait() -> None:
        with pytest.raises(TimeoutError):
            job.results(2.0)

    waiting = threading.Thread(target=wait)
    waiting.start()
    with pytest.raises(TimeoutError):
        job.results(timeout=0)
    assert waiting.is_alive()
    assert job.stats()["is_complete"] is False
    waiting.join()


def test_an_await_that_is_given_up_leaves_nothing_behind(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER

    async def main() -> None:
        job = batch(MODEL, messages=ask("a"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(job, 0.3)

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 60  # it would have been for ever


def test_pages_of_all_documents_of_a_request_count(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    file = make_pdf(tmp_path / "a.pdf", *["page"] * 60)
    parts = [{"type": "document", "file": file}, {"type": "document", "file": file}, {"type": "text", "text": "?"}]
    with pytest.raises(batchata.LimitError, match="120 PDF pages in all"):
        batch("claude-sonnet-4-5", messages=[[{"role": "user", "content": parts}]])
    assert not anthropic_server.ledger.created


def test_a_bad_file_is_named_with_its_position(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    good = make_pdf(tmp_path / "a.pdf", "page")
    with pytest.raises(FileNotFoundError, match=r"files\[1\]: There is no file 'gone.pdf'"):
        batch(MODEL, files=[good, "gone.pdf"], prompt="?")
    assert not anthropic_server.ledger.created


def test_canceling_what_has_just_ended_is_no_error(anthropic_server: AnthropicServer) -> None:
    job = batch(MODEL, messages=ask("a"))
    job.cancel()
    assert job.results()[0]["result"] == "a"
    job.cancel()
    assert anthropic_server.ledger.created


def test_an_estimated_cost_says_so(anthropic_server: AnthropicServer, capsys: pytest.CaptureFixture[str]) -> None:
    anthropic_server.answer = lambda _: answers.text_answer(
        "x", usage={"input_tokens": 1, "cache_creation_input_tokens": 10}
    )
    job = batch(MODEL, messages=ask("a"), prices={MODEL: batchata.Price(input=1, output=0)})
    assert job.stats(print_stats=True)["total_cost"] == Decimal("0.000011")
    assert "(estimated)" in capsys.readouterr().out
    assert job.results()[0]["cost_is_estimate"]
    assert job.stats()["batch_discount"] is None


def test_a_key_in_the_env_file_is_not_hidden_by_an_empty_variable(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text(f"ANTHROPIC_API_KEY={anthropic_server.key} \n")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    assert batch(MODEL, messages=ask("a")).results()[0]["result"] == "a"


def test_text_that_is_not_unicode_is_named(anthropic_server: AnthropicServer) -> None:
    with pytest.raises(batchata.ConversationError, match="not Unicode"):
        batch(MODEL, messages=ask("\ud83d"))
    assert not anthropic_server.ledger.created


def test_missing_items_are_all_there_is_to_say(anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = as_json
    anthropic_server.faults.items(1.0, ItemFault.MISSING)
    entries = BatchJob.attach(batch(MODEL, messages=numbers(3)).id, model=MODEL, response_model=Number).results()
    assert [entry["error"]["reason"] for entry in entries if entry["error"]] == ["missing"] * 3
