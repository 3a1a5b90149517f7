"""``BatchManager`` against the real protocol: what it promises when nothing dies (``tests/crash`` has the rest)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

import batchata
from batchata import BatchManager, load_results_from_disk
from batchata.providers.anthropic.provider import AnthropicProvider
from tests.test_batch import MODEL, Number, ask, make_pdf
from tests.wire import answers, faults, ledger, models
from tests.wire.answers import Answer, JsonObject
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import DropAnswer, Endpoint, Errored, ItemFault
from tests.wire.jobs import NEVER, Seconds

ROOT = Path(__file__).parents[1]
WORDS = [f"word {index}" for index in range(25)]


def manager(*texts: str, **arguments: Any) -> BatchManager[Any]:
    known: dict[str, Any] = {"model": MODEL, "state_path": "run.json", "results_dir": "out", "max_tokens": 50}
    return BatchManager(messages=ask(*texts), **known | arguments)


def texts_of(entries: list[Any]) -> list[str | None]:
    return [entry["result"] for entry in entries]


def only_once(server: AnthropicServer) -> None:
    assert server.ledger.accepted_more_than_once() == {}
    assert server.ledger.bought_more_than_once() == {}


def test_a_run_over_several_jobs(anthropic_server: AnthropicServer) -> None:
    run = manager(*WORDS)
    assert run.run() == {
        "total_items": 25,
        "completed_items": 25,
        "failed_items": 0,
        "total_cost": anthropic_server.ledger.total,
        "jobs_completed": 3,
        "cost_limit_reached": False,
    }
    assert texts_of(run.results()) == WORDS
    assert [len(created.custom_ids) for created in anthropic_server.ledger.created] == [10, 10, 5]
    assert sorted(path.name for path in Path("out/processed").iterdir()) == [
        f"job-0000000{number}.json" for number in range(3)
    ]
    raw = [path.read_bytes().splitlines() for path in sorted(Path("out/raw").iterdir())]
    assert [len(lines) for lines in raw] == [10, 10, 5]
    about = json.loads(Path("out/run.json").read_bytes())
    assert (about["model"], about["inputs"], about["items_per_job"]) == (MODEL, "messages", 10)
    state = json.loads(Path("run.json").read_bytes())
    assert (state["live"], state["over"]) == ([], "0-2")
    assert "word" not in Path("run.json").read_text()
    assert anthropic_server.key not in Path("run.json").read_text()


def test_a_finished_run_is_not_asked_again(anthropic_server: AnthropicServer) -> None:
    first = manager(*WORDS).run()
    assert manager(*WORDS).run() == first
    assert texts_of(list(manager(*WORDS).iter_results())) == WORDS
    assert len(anthropic_server.ledger.created) == 3


def test_results_from_disk_are_the_same_objects(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    anthropic_server.answer = lambda _: answers.json_answer({"number": 7})
    files = [make_pdf(tmp_path / f"{index}.pdf", "The number is 7.") for index in range(12)]
    run: BatchManager[Number] = BatchManager(
        files=files,
        prompt="Which number?",
        model=MODEL,
        response_model=Number,
        enable_citations=True,
        items_per_job=5,
        results_dir="out",
    )
    run.run()
    entries = run.results()
    assert [entry["input"]["name"] for entry in entries] == [f"{index}.pdf" for index in range(12)]
    assert all(isinstance(entry["result"], Number) for entry in entries)
    assert load_results_from_disk("out", Number) == entries
    assert Path("out/state.json").exists()


def test_no_inputs_are_a_run_that_is_over_without_a_call(anthropic_server: AnthropicServer) -> None:
    run = manager()
    assert run.run() == {
        "total_items": 0,
        "completed_items": 0,
        "failed_items": 0,
        "total_cost": Decimal(0),
        "jobs_completed": 0,
        "cost_limit_reached": False,
    }
    assert run.results() == []
    assert list(run.iter_results()) == []
    assert sum(anthropic_server.faults.calls.values()) == 0


def test_a_job_is_closed_where_the_providers_bytes_end(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AnthropicProvider, "limits", replace(AnthropicProvider.limits, max_bytes=3_000))
    texts = ["x" * size for size in (900, 900, 900, 100, 2_500, 10)]
    run = manager(*texts, max_tokens=1_000)
    run.run()
    assert [len(created.custom_ids) for created in anthropic_server.ledger.created] == [2, 2, 2]
    assert texts_of(run.results()) == texts


def test_a_job_is_closed_where_the_providers_requests_end(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AnthropicProvider, "limits", replace(AnthropicProvider.limits, max_requests=4))
    manager(*WORDS[:9]).run()
    assert sorted(len(created.custom_ids) for created in anthropic_server.ledger.created) == [1, 4, 4]


def test_inputs_are_read_when_their_job_is_prepared(anthropic_server: AnthropicServer) -> None:
    read: list[int] = []

    def lazy() -> Iterator[list[dict[str, str]]]:
        for index in range(1_000):
            read.append(index)
            yield [{"role": "user", "content": f"word {index}"}]

    run = BatchManager(messages=lazy(), model=MODEL, items_per_job=4, max_parallel_jobs=2, max_tokens=50)
    entries = run.iter_results()
    assert next(entries)["result"] in {f"word {index}" for index in range(8)}
    assert len(read) <= 13
    entries.close()  # type: ignore[attr-defined]  # a generator
    assert len(anthropic_server.ledger.created) <= 3


def test_a_lazy_iterable_is_read_once(anthropic_server: AnthropicServer) -> None:
    run = BatchManager(messages=iter(ask("a", "b")), model=MODEL, state_path="run.json")
    assert run.run()["total_items"] == 2
    with pytest.raises(batchata.ArgumentError, match="can be read once, and it was"):
        run.retry_failed()
    assert texts_of(run.results()) == ["a", "b"]
    assert anthropic_server.crashes == []


def test_what_fails_is_retried_alone(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.items(0.15, Errored())
    anthropic_server.faults.items(0.15, ItemFault.EXPIRED)
    anthropic_server.faults.items(0.15, ItemFault.MISSING)
    summary = manager(*WORDS).run()
    failed = summary["failed_items"]
    assert 3 < failed < 22
    assert summary["completed_items"] == 25 - failed
    reasons = {entry["error"]["reason"] for entry in manager(*WORDS).results() if entry["error"] is not None}
    assert reasons == {"errored", "expired", "missing"}
    anthropic_server.faults.clear()
    again = manager(*WORDS).retry_failed()
    assert again["retry_count"] == failed
    assert (again["completed_items"], again["failed_items"], again["total_items"]) == (25, 0, 25)
    assert texts_of(manager(*WORDS).results()) == WORDS
    sent = [each for created in anthropic_server.ledger.created for each in created.contents]
    assert len(sent) == 25 + failed
    assert anthropic_server.ledger.bought_more_than_once() == {}
    assert manager(*WORDS).retry_failed() == again | {"retry_count": 0}


def test_an_item_of_unknown_cost_makes_the_total_unknown(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.items(0.2, ItemFault.MISSING)
    run = manager(*WORDS, max_cost=1)
    assert run.run()["total_cost"] is None
    stats = run.stats
    assert stats["unknown_costs"] == stats["failed_items"] > 0
    assert stats["known_cost"] == anthropic_server.ledger.total


def test_unreadable_files_fail_alone_and_are_left_out_of_retries(
    anthropic_server: AnthropicServer, tmp_path: Path
) -> None:
    files = [make_pdf(tmp_path / f"{index}.pdf", f"Page {index}") for index in range(4)]
    (tmp_path / "1.pdf").write_bytes(b"%PDF-1.7 broken")
    (tmp_path / "3.pdf").unlink()

    def run() -> BatchManager[str]:
        return BatchManager(files=files, prompt="?", model=MODEL, items_per_job=2, state_path="run.json")

    summary = run().run()
    assert (summary["completed_items"], summary["failed_items"]) == (2, 2)
    errors = [entry["error"] for entry in run().results()]
    assert [error and error["reason"] for error in errors] == [None, "unreadable", None, "unreadable"]
    assert "files[3]" in str(errors[3])
    assert run().retry_failed()["retry_count"] == 0
    make_pdf(tmp_path / "1.pdf", "Mended")
    make_pdf(tmp_path / "3.pdf", "Back")
    again = run().retry_failed(everything=True)
    assert (again["retry_count"], again["completed_items"], again["failed_items"]) == (2, 4, 0)
    only_once(anthropic_server)


def test_a_job_of_unreadable_files_alone_is_not_sent(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    empty = [tmp_path / f"{index}.txt" for index in range(3)]
    for path in empty:
        path.write_bytes(b"")
    run = BatchManager(files=empty, prompt="?", model=MODEL, state_path="run.json", max_cost=1)
    assert run.run() == {
        "total_items": 3,
        "completed_items": 0,
        "failed_items": 3,
        "total_cost": Decimal(0),
        "jobs_completed": 1,
        "cost_limit_reached": False,
    }
    assert anthropic_server.ledger.created == []


def long_answer(params: JsonObject) -> Answer:
    del params
    return answers.text_answer("y" * 160)


def test_the_cap_stops_the_run_and_a_raised_one_goes_on(anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = long_answer
    cap = Decimal("0.0002")
    stopped = manager(*WORDS, max_cost=cap)
    summary = stopped.run()
    assert summary["cost_limit_reached"]
    assert 0 < summary["completed_items"] < 25
    assert anthropic_server.ledger.total == summary["total_cost"]
    assert anthropic_server.ledger.total <= cap
    assert len(stopped.results()) == 25
    last = stopped.results()[-1]["error"]
    assert last is not None
    assert last["reason"] == "pending"
    assert manager(*WORDS, max_cost=cap).run() == summary
    done = manager(*WORDS, max_cost="1").run()
    assert (done["completed_items"], done["cost_limit_reached"]) == (25, False)
    only_once(anthropic_server)


def test_nothing_fits_the_cap(anthropic_server: AnthropicServer) -> None:
    summary = manager(*WORDS, max_cost=0).run()
    assert (summary["completed_items"], summary["total_items"], summary["cost_limit_reached"]) == (0, 25, True)
    assert anthropic_server.ledger.created == []


def test_a_cap_without_a_price_says_how_to_give_one(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(models.MODELS, "claude-new-9", replace(models.MODELS[MODEL], id="claude-new-9"))
    with pytest.raises(batchata.ArgumentError, match=r"prices=\{'claude-new-9'"):
        manager("a", model="claude-new-9", max_cost=1).run()
    assert anthropic_server.ledger.created == []
    monkeypatch.setitem(ledger.RATES, "claude-new-9", ledger.Rate(Decimal(2), Decimal(4), Decimal("0.1")))
    prices: dict[str, batchata.Price] = {"claude-new-9": {"input": 1, "output": 2}}
    summary = manager("a", model="claude-new-9", max_cost=1, prices=prices).run()
    assert summary["total_cost"] == anthropic_server.ledger.total > 0


def test_tokens_that_cannot_be_counted_for_a_moment_are_counted_later(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.COUNT_TOKENS, range(1, 15), faults.rate_limited(0.01))
    run = manager("a", "b", items_per_job=1, max_cost=1)
    assert run.run()["completed_items"] == 2
    assert texts_of(run.results()) == ["a", "b"]
    only_once(anthropic_server)


def test_what_the_provider_would_refuse_fails_alone(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    files = [make_pdf(tmp_path / f"{index}.pdf", f"Page {index}") for index in range(4)]
    locked = FPDF()
    locked.add_page()
    locked.set_encryption(owner_password="owner", user_password="")  # opens for readers, and not at Anthropic
    locked.output(str(files[1]))
    run = BatchManager(files=files, prompt="?", model=MODEL, results_dir="out", max_cost=1, items_per_job=3)
    assert run.estimate()["unreadable_items"] == 1
    summary = run.run()
    assert (summary["completed_items"], summary["failed_items"]) == (3, 1)
    error = run.results()[1]["error"]
    assert error is not None
    assert error["reason"] == "unreadable"
    assert (
        "Anthropic would refuse it: invalid_request_error: The PDF specified is password protected"
        in error["message"]
    )
    again = BatchManager(files=files, prompt="?", model=MODEL, results_dir="out", max_cost=1)
    assert again.run() == summary
    assert [len(each.custom_ids) for each in anthropic_server.ledger.created] == [2, 1]


def test_tokens_that_may_not_be_counted_stop_the_run(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.rate(Endpoint.COUNT_TOKENS, 1.0, faults.own_spend_limit_reached())
    with pytest.raises(batchata.ProviderError, match="usage limits"):
        manager("a", max_cost=1).run()


def test_a_refusal_stops_the_run_and_the_next_one_sends_the_job_again(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, 2, faults.own_spend_limit_reached())
    with pytest.raises(batchata.ProviderError, match="usage limits") as caught:
        manager(*WORDS, max_parallel_jobs=1).run()
    assert "call run() again" in caught.value.__notes__[0]
    state = json.loads(Path("run.json").read_bytes())
    assert [job["status"] for job in state["live"]] == ["rejected"]
    assert "usage limits" in state["live"][0]["message"]
    assert manager(*WORDS).run()["completed_items"] == 25
    assert texts_of(manager(*WORDS).results()) == WORDS
    only_once(anthropic_server)


def test_what_is_in_flight_is_collected_before_a_refusal_is_raised(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, 3, faults.spend_limit_reached())
    with pytest.raises(batchata.ProviderError, match="spend limit"):
        manager(*WORDS).run()
    assert sum(text is not None for text in texts_of(manager(*WORDS).results())) in {15, 20}


def test_results_that_are_not_kept_any_more_fail_and_count_against_the_cap(
    anthropic_server: AnthropicServer,
) -> None:
    anthropic_server.ends_after = NEVER
    cap = Decimal("0.001")
    with pytest.raises(batchata.NotReadyError):
        manager(*WORDS, max_cost=cap, max_wait_time=0.5).run()
    reserved = manager(*WORDS).stats["reserved_cost"]
    assert reserved is not None
    anthropic_server.batches.archive()
    run = manager(*WORDS, max_cost=cap)
    summary = run.run()
    assert (summary["completed_items"], summary["failed_items"], summary["total_cost"]) == (0, 25, None)
    error = run.results()[0]["error"]
    assert error is not None
    assert "no longer kept" in error["message"]
    anthropic_server.ends_after = Seconds(0)
    room = reserved + Decimal("0.00001")
    assert manager(*WORDS, max_cost=room).retry_failed()["cost_limit_reached"]
    assert len(anthropic_server.ledger.created) == 3
    assert manager(*WORDS, max_cost=2 * reserved).retry_failed()["completed_items"] == 25


def test_a_full_queue_is_waited_for(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, [2, 3, 4], faults.rate_limited(0.05))
    assert manager(*WORDS).run()["completed_items"] == 25
    only_once(anthropic_server)


def test_a_lost_answer_is_looked_for(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, [1, 3], DropAnswer())
    anthropic_server.faults.at(Endpoint.CREATE, 2, faults.server_error())
    assert manager(*WORDS).run()["completed_items"] == 25
    assert texts_of(manager(*WORDS).results()) == WORDS
    only_once(anthropic_server)


def test_a_colleagues_job_of_the_same_size_is_not_taken(anthropic_server: AnthropicServer) -> None:
    theirs = batchata.batch(MODEL, messages=ask(*(f"theirs {index}" for index in range(10))))
    anthropic_server.faults.at(Endpoint.CREATE, 2, faults.server_error())
    run = manager(*WORDS)
    assert run.run()["completed_items"] == 25
    assert texts_of(run.results()) == WORDS
    assert theirs.results()[0]["result"] == "theirs 0"
    only_once(anthropic_server)


@pytest.mark.parametrize("state", ["run.json", "sqlite:///run.db"])
def test_a_run_left_in_the_middle_goes_on_in_another(anthropic_server: AnthropicServer, state: str) -> None:
    entries = manager(*WORDS, state_path=state, items_per_job=3).iter_results()
    seen = [next(entries)["result"] for _ in range(7)]
    entries.close()  # type: ignore[attr-defined]  # a generator
    assert len(set(seen)) == 7
    other = manager(*WORDS, state_path=state, items_per_job=4)
    assert other.stats["completed_items"] >= 7
    assert sorted(str(entry["result"]) for entry in other.iter_results()) == sorted(WORDS)
    only_once(anthropic_server)


def test_a_long_job_is_left_and_found_again(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    with pytest.raises(batchata.NotReadyError, match="max_wait_time") as caught:
        manager(*WORDS, max_wait_time=0.4).run()
    assert "3 jobs go on at the provider" in caught.value.__notes__[0]
    assert manager(*WORDS).stats["jobs"] == {"in_progress": 3}
    anthropic_server.ends_after = Seconds(0)
    assert manager(*WORDS).run()["completed_items"] == 25
    only_once(anthropic_server)


CHANGES: list[tuple[dict[str, Any], list[str], str]] = [
    ({"model": "claude-sonnet-5-5"}, WORDS, r"model \(was claude-haiku-5-5, is claude-sonnet-5-5\)"),
    ({"response_model": Number}, WORDS, "response_model"),
    ({"examples": [("in", "out")]}, WORDS, "examples"),
    ({}, [*WORDS[:7], "another", *WORDS[8:]], r"Changed: messages\[7\]\."),
    ({}, [WORDS[1], WORDS[0], *WORDS[2:]], r"the order of messages\[0\], messages\[1\]"),
    ({}, WORDS[:-1], "25 inputs or more, and now there are 24"),
    ({}, [*WORDS, "more"], "25 inputs, and now there are more"),
]


@pytest.mark.parametrize(("arguments", "texts", "words"), CHANGES)
def test_what_changed_is_named_and_refused(
    anthropic_server: AnthropicServer, arguments: dict[str, Any], texts: list[str], words: str
) -> None:
    manager(*WORDS).run()
    with pytest.raises(batchata.ArgumentError, match=words):
        manager(*texts, **arguments).run()
    assert len(anthropic_server.ledger.created) == 3


def test_a_changed_prompt_or_file_is_named(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    files = [make_pdf(tmp_path / f"{index}.pdf", f"Page {index}") for index in range(3)]

    def run(prompt: str) -> BatchManager[str]:
        return BatchManager(files=files, prompt=prompt, model=MODEL, state_path="run.json")

    run("What?").run()
    with pytest.raises(batchata.ArgumentError, match="other arguments: prompt\\."):
        run("Why?").run()
    make_pdf(tmp_path / "1.pdf", "Changed")
    with pytest.raises(batchata.ArgumentError, match=r"Changed: files\[1\] \('1\.pdf'\)\."):
        run("What?").run()
    files[1].unlink()
    with pytest.raises(batchata.ArgumentError, match=r"files\[1\] .*cannot be read any more"):
        run("What?").run()
    assert len(anthropic_server.ledger.created) == 1


def test_a_change_is_seen_in_jobs_that_are_not_over(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    with pytest.raises(batchata.NotReadyError):
        manager(*WORDS, max_wait_time=0.3).run()
    with pytest.raises(batchata.ArgumentError, match=r"one of messages\[10\] to messages\[19\]"):
        manager(*WORDS[:12], "another", *WORDS[13:]).run()


def test_outcomes_that_the_state_does_not_know_yet_are_not_bought_again(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    with pytest.raises(batchata.NotReadyError):
        manager(*WORDS, max_wait_time=0.5).run()
    in_flight = Path("run.json").read_bytes()
    anthropic_server.ends_after = Seconds(0)
    anthropic_server.faults.items(0.3, Errored())
    failed = manager(*WORDS).run()["failed_items"]
    Path("run.json").write_bytes(in_flight)  # as if killed between the outcomes and the state
    anthropic_server.faults.clear()
    again = manager(*WORDS).retry_failed()
    assert (again["retry_count"], again["completed_items"], again["failed_items"]) == (failed, 25, 0)
    assert anthropic_server.ledger.bought_more_than_once() == {}
    assert sum(len(each.contents) for each in anthropic_server.ledger.created) == 25 + failed


def test_an_older_copy_of_the_state_is_refused(anthropic_server: AnthropicServer) -> None:
    entries = manager(*WORDS, max_parallel_jobs=1).iter_results()
    next(entries)
    entries.close()  # type: ignore[attr-defined]  # a generator
    older = Path("run.json").read_bytes()
    manager(*WORDS).run()
    Path("run.json").write_bytes(older)
    with pytest.raises(batchata.StateError, match="it is an older copy"):
        manager(*WORDS).run()
    only_once(anthropic_server)


def test_a_results_dir_of_another_run_or_without_its_outcomes_is_refused(
    anthropic_server: AnthropicServer,
) -> None:
    manager(*WORDS).run()
    with pytest.raises(batchata.ArgumentError, match="holds the results of the run"):
        manager(*WORDS, state_path="new.json").run()
    with pytest.raises(batchata.ArgumentError, match="The outcomes of job 0 and 2 more are not in results_dir"):
        manager(*WORDS, results_dir="elsewhere").run()
    assert len(anthropic_server.ledger.created) == 3


def test_one_process_at_a_time(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    first = threading.Thread(target=_left_alone, args=(manager(*WORDS, max_wait_time=1.5),))
    first.start()
    while not anthropic_server.ledger.created:
        time.sleep(0.01)
    with pytest.raises(batchata.StateLockedError, match=f"process {os.getpid()}"):
        manager(*WORDS).run()
    assert manager(*WORDS).stats["jobs"]
    first.join()


def _left_alone(run: BatchManager[Any]) -> None:
    with pytest.raises(batchata.NotReadyError):
        run.run()


def test_cancel_from_another_thread(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    anthropic_server.batches.done_at_cancel = 0.5
    run = manager(*WORDS, max_parallel_jobs=2)
    summaries: list[batchata.RunSummary] = []
    worker = threading.Thread(target=lambda: summaries.append(run.run()))
    worker.start()
    while len(anthropic_server.ledger.created) < 2:
        time.sleep(0.01)
    run.cancel()
    worker.join()
    assert (summaries[0]["completed_items"], summaries[0]["failed_items"]) == (10, 10)
    reasons = [entry["error"] and entry["error"]["reason"] for entry in run.results()]
    assert (reasons.count("canceled"), reasons.count("pending")) == (10, 5)
    anthropic_server.ends_after = Seconds(0)
    assert manager(*WORDS).run()["completed_items"] == 15
    assert manager(*WORDS).retry_failed()["completed_items"] == 25
    assert anthropic_server.ledger.bought_more_than_once() == {}


def test_cancel_of_a_run_that_was_left(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    with pytest.raises(batchata.NotReadyError):
        manager(*WORDS, max_wait_time=0.3).run()
    other = manager(*WORDS)
    other.cancel()
    assert other.stats["failed_items"] == 25
    assert anthropic_server.ledger.billed == []


def test_stats_before_and_after(anthropic_server: AnthropicServer) -> None:
    run = manager(*WORDS, max_cost=1)
    before = run.stats
    assert (before["total_items"], before["completed_items"], before["known_cost"]) == (25, 0, Decimal(0))
    run.run()
    stats = run.stats
    assert stats["total_cost"] == stats["known_cost"] == anthropic_server.ledger.total
    assert (stats["completed_items"], stats["jobs"], stats["reserved_cost"]) == (25, {}, Decimal(0))
    assert (stats["results_dir"], stats["state_path"], stats["max_cost"]) == ("out", "run.json", Decimal(1))
    assert stats["items_per_minute"] is not None
    assert stats["seconds_left"] == 0
    fresh = manager(*WORDS).stats
    assert (fresh["completed_items"], fresh["items_per_minute"]) == (25, None)


def test_an_estimate_sends_nothing_to_be_answered(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    run = manager(*WORDS)
    estimate = run.estimate()
    assert anthropic_server.ledger.created == []
    assert (estimate["total_items"], estimate["unreadable_items"], estimate["jobs"]) == (25, 0, 3)
    assert estimate["input_tokens_are_exact"]
    assert (estimate["output_tokens"], estimate["output_tokens_are_assumed"]) == (25 * 12, True)
    assert list(tmp_path.iterdir()) == []
    run.run()
    used = [entry["usage"] for entry in run.results()]
    assert estimate["input_tokens"] == sum(usage["input_tokens"] for usage in used if usage is not None)
    likely, worst = estimate["likely_cost"], estimate["worst_cost"]
    assert likely is not None
    assert worst is not None
    assert anthropic_server.ledger.total < likely < worst
    again = run.estimate()
    assert (again["output_tokens_are_assumed"], again["output_tokens"]) == (False, 25 * 2)
    assert again["likely_cost"] == anthropic_server.ledger.total


def test_an_estimate_of_many_counts_some(anthropic_server: AnthropicServer) -> None:
    estimate = manager(*(f"{index:04}" for index in range(1_200))).estimate()
    assert anthropic_server.faults.calls[Endpoint.COUNT_TOKENS] == 400
    assert not estimate["input_tokens_are_exact"]
    assert estimate["input_tokens"] == 1_200 * 4


def test_a_temporary_run_leaves_nothing_behind(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = BatchManager(messages=ask("a"), model=MODEL)
    run.run()
    assert texts_of(run.results()) == ["a"]
    assert len(list(tmp_path.iterdir())) == 1
    del run
    assert list(tmp_path.iterdir()) == []
    anthropic_server.ends_after = NEVER
    left = BatchManager(messages=ask("a"), model=MODEL, max_wait_time=0.2)
    with pytest.raises(batchata.NotReadyError):
        left.run()
    del left
    assert len(list(tmp_path.iterdir())) == 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"messages": [], "files": []}, "Give either messages= or files="),
    ({}, "Give either messages= or files="),
    ({"files": "a.pdf", "prompt": "?"}, r"files must be a list, got a single str: write files=\[…\]"),
    ({"files": ["a.pdf"]}, "files= needs prompt="),
    ({"messages": [], "prompt": "?"}, "prompt= goes with files="),
    ({"messages": [], "items_per_job": 0}, "items_per_job must be a whole number of at least 1, got 0"),
    (
        {"messages": [], "max_parallel_jobs": True},
        "max_parallel_jobs must be a whole number of at least 1, got True",
    ),
    ({"messages": [], "max_cost": "five"}, "max_cost must be an amount in dollars, got 'five'"),
    ({"messages": [], "max_cost": -1}, "max_cost must be an amount in dollars of 0 or more, got -1"),
    ({"messages": [], "max_cost": float("nan")}, "max_cost must be an amount in dollars of 0 or more, got nan"),
    ({"messages": [], "max_wait_time": "soon"}, "max_wait_time must be seconds, or a timedelta"),
    ({"messages": [], "response_model": dict}, "response_model must be a Pydantic model class"),
    ({"messages": [], "citation_mode": "native"}, "goes with enable_citations=True"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_bad_arguments_are_refused_when_it_is_made(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(batchata.ArgumentError, match=words):
        BatchManager(model=MODEL, **arguments)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("run.txt", "cannot be kept in 'run.txt'"),
        ("mysql://host/db", "results_dir= must say"),
    ],
)
def test_bad_places_are_refused(anthropic_server: AnthropicServer, state: str, words: str) -> None:
    with pytest.raises(batchata.ArgumentError, match=words):
        BatchManager(messages=ask("a"), model=MODEL, state_path=state).run()
    assert anthropic_server.ledger.created == []


CHILD = """
from batchata import BatchManager
from tests.test_batch import ask
texts = [f"word {index}" for index in range(25)]
messages = ask(*texts)
BatchManager(messages, model="claude-haiku-5-5", state_path="run.json", results_dir="out", max_tokens=50).run()
"""


def test_ctrl_c_leaves_everything_resumable_and_says_how(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stderr=subprocess.PIPE, text=True, env=environment, process_group=0
        )
        before = anthropic_server.faults.calls[Endpoint.RETRIEVE]
        while anthropic_server.faults.calls[Endpoint.RETRIEVE] < before + 3:
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
        assert child.returncode == -signal.SIGINT
        assert "KeyboardInterrupt" in said
        assert (
            "3 jobs go on at the provider. To go on, make the same BatchManager with state_path='run.json'" in said
        )
    anthropic_server.ends_after = Seconds(0)
    assert manager(*WORDS).run()["completed_items"] == 25
    only_once(anthropic_server)


def test_many_jobs_are_checked_by_one_call(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = Seconds(1)
    run = manager(*WORDS, items_per_job=1, max_parallel_jobs=25)
    assert run.run()["completed_items"] == 25
    calls = anthropic_server.faults.calls
    assert calls[Endpoint.LIST] >= 2
    assert calls[Endpoint.RETRIEVE] <= 25 + 3  # the SDK's own, before each download


def test_a_cap_set_later_counts_the_jobs_in_flight(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    with pytest.raises(batchata.NotReadyError):
        manager(*WORDS, max_parallel_jobs=2, max_wait_time=0.4).run()
    assert manager(*WORDS).stats["reserved_cost"] is None
    with pytest.raises(batchata.NotReadyError):
        manager(*WORDS, max_cost="0.0001", max_wait_time=0.4).run()
    assert len(anthropic_server.ledger.created) == 2
    anthropic_server.ends_after = Seconds(0)
    summary = manager(*WORDS, max_cost="0.0001").run()
    assert summary["completed_items"] >= 20
    assert anthropic_server.ledger.total <= Decimal("0.0001")
    only_once(anthropic_server)


def test_a_refused_job_is_sent_again_only_if_it_still_fits(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, 1, faults.own_spend_limit_reached())
    with pytest.raises(batchata.ProviderError):
        manager(*WORDS, max_parallel_jobs=1).run()
    summary = manager(*WORDS, max_cost="0.00001").run()
    assert (summary["cost_limit_reached"], summary["completed_items"]) == (True, 0)
    assert anthropic_server.ledger.created == []
    assert manager(*WORDS, max_cost=1).run()["completed_items"] == 25
    only_once(anthropic_server)


def test_cancel_keeps_a_job_that_waits_in_the_queue_for_later(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.rate(Endpoint.CREATE, 1.0, faults.rate_limited(30))
    run = manager(*WORDS)
    worker = threading.Thread(target=run.run)
    worker.start()
    while not anthropic_server.faults.calls[Endpoint.CREATE]:
        time.sleep(0.01)
    time.sleep(0.2)
    run.cancel()
    worker.join(timeout=10)
    assert not worker.is_alive()
    statuses = {job["status"] for job in json.loads(Path("run.json").read_bytes())["live"]}
    assert statuses == {"planned"}
    anthropic_server.faults.clear()
    assert manager(*WORDS).run()["completed_items"] == 25
    only_once(anthropic_server)


def test_a_doubt_that_cannot_be_cleared_up_for_a_moment_is_cleared_up_later(
    anthropic_server: AnthropicServer,
) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, 1, DropAnswer())
    anthropic_server.faults.at(Endpoint.LIST, range(1, 8), faults.rate_limited(0.01))
    assert manager("a", "b").run()["completed_items"] == 2
    only_once(anthropic_server)


def test_a_doubt_that_nobody_may_clear_up_stops_the_run_and_sends_nothing_again(
    anthropic_server: AnthropicServer,
) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, 1, DropAnswer())
    anthropic_server.faults.rate(Endpoint.LIST, 1.0, faults.own_spend_limit_reached())
    with pytest.raises(batchata.SubmissionInDoubtError, match="custom_ids that begin with 'bt"):
        manager("a", "b").run()
    assert manager("a", "b").stats["jobs"] == {"submitting": 1}
    anthropic_server.faults.clear()
    assert manager("a", "b").run()["completed_items"] == 2
    only_once(anthropic_server)
