"""Large runs: what a hostile reader of the code tried, and what must hold since."""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import batchata
from batchata import BatchManager
from tests.test_batch import MODEL, ask
from tests.test_manager import WORDS, long_answer, manager, only_once, texts_of
from tests.wire import faults
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import Endpoint, ItemFault, Reset
from tests.wire.jobs import NEVER, Seconds


def left_in_flight(server: AnthropicServer, *texts: str, **arguments: Any) -> None:
    """As after a laptop was closed."""
    server.ends_after = NEVER
    with pytest.raises(batchata.NotReadyError):
        manager(*texts, max_wait_time=0.5, **arguments).run()


def test_a_job_that_was_never_sent_is_weighed_again_as_it_is_today(anthropic_server: AnthropicServer) -> None:
    anthropic_server.answer = long_answer
    anthropic_server.faults.rate(Endpoint.CREATE, 1.0, Reset())
    anthropic_server.faults.rate(Endpoint.LIST, 1.0, faults.own_spend_limit_reached())
    with pytest.raises(batchata.SubmissionInDoubtError):
        manager(*WORDS[:10], max_tokens=5, max_cost="0.00005").run()
    anthropic_server.faults.clear()
    summary = manager(*WORDS[:10], max_tokens=4_000, max_cost="0.00005").run()
    assert (summary["cost_limit_reached"], summary["completed_items"]) == (True, 0)
    assert anthropic_server.ledger.created == []


def test_a_cap_set_later_counts_what_was_sent_and_not_what_would_be_today(
    anthropic_server: AnthropicServer,
) -> None:
    left_in_flight(anthropic_server, *WORDS[:10], max_tokens=4_000)
    run = manager(*WORDS[:10], max_tokens=5, max_cost=1)
    reserved: list[Decimal | None] = []
    worker = threading.Thread(target=run.run)
    worker.start()
    while not reserved:
        stats = run.stats
        if stats["reserved_cost"] is not None:
            reserved.append(stats["reserved_cost"])
        time.sleep(0.02)
    anthropic_server.ends_after = Seconds(0)
    worker.join()
    assert reserved[0] is not None
    assert reserved[0] > 10 * 4_000 * Decimal("0.25") / 1_000_000


def test_a_cap_is_refused_where_earlier_costs_are_not_known(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.items(0.3, ItemFault.MISSING)
    manager(*WORDS).run()
    with pytest.raises(batchata.ArgumentError, match="max_cost cannot be kept: what [0-9]+ items of this run cost"):
        manager(*WORDS, max_cost=1).retry_failed()


def test_a_refusal_ends_the_run_also_while_tokens_cannot_be_counted(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.COUNT_TOKENS, range(2, 16), faults.rate_limited(0.01))
    anthropic_server.faults.at(Endpoint.CREATE, 1, faults.own_spend_limit_reached())
    with pytest.raises(batchata.ProviderError, match="usage limits"):
        manager("a", "b", "c", items_per_job=1, max_cost=1).run()


def test_outcomes_are_not_given_for_other_inputs(anthropic_server: AnthropicServer) -> None:
    manager("a", "b", "c").run()
    for texts, words in (
        (("c", "b", "a"), r"messages\[0\] is not what it was"),
        (("a", "b"), "more inputs than the 2"),
    ):
        with pytest.raises(batchata.ArgumentError, match=words):
            manager(*texts).results()
        with pytest.raises(batchata.ArgumentError):
            list(manager(*texts).iter_results())
    assert texts_of(manager("a", "b", "c").results()) == ["a", "b", "c"]
    assert len(anthropic_server.ledger.created) == 1


def test_one_job_that_is_gone_does_not_keep_the_others(anthropic_server: AnthropicServer) -> None:
    left_in_flight(anthropic_server, *WORDS, items_per_job=4)
    first = anthropic_server.ledger.created[0].batch_id
    anthropic_server.batches.settle()
    anthropic_server.batches.delete(first)
    with pytest.raises(batchata.ProviderError, match="may belong to another workspace or have been deleted"):
        manager(*WORDS).run()
    run = manager(*WORDS)
    assert (run.stats["completed_items"], run.stats["jobs"]) == (16, {"in_progress": 1})  # five were in flight
    only_once(anthropic_server)


def test_a_job_too_large_for_a_proxy_is_split_by_a_retry(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.at(Endpoint.CREATE, 1, faults.too_large())
    summary = manager(*WORDS, max_parallel_jobs=1).run()
    assert (summary["completed_items"], summary["failed_items"], summary["total_cost"]) == (
        15,
        10,
        anthropic_server.ledger.total,
    )
    again = manager(*WORDS, items_per_job=5).retry_failed()
    assert (again["completed_items"], again["retry_count"]) == (25, 10)
    assert [len(each.custom_ids) for each in anthropic_server.ledger.created] == [10, 5, 5, 5]
    only_once(anthropic_server)


def test_a_conversation_without_a_document_to_cite_fails_alone(
    anthropic_server: AnthropicServer, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("The number is 7.")
    parts = [{"type": "document", "file": str(tmp_path / "a.txt")}, {"type": "text", "text": "Which?"}]
    messages = [[{"role": "user", "content": parts}], *ask("none")]
    run = BatchManager(messages=messages, model=MODEL, enable_citations=True, results_dir="out")
    summary = run.run()
    assert (summary["completed_items"], summary["failed_items"]) == (1, 1)
    error = run.results()[1]["error"]
    assert error is not None
    assert "messages[1] holds no document to cite" in error["message"]
    assert anthropic_server.crashes == []


def test_cancel_does_not_wait_for_a_job_that_may_be_a_colleagues(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    batchata.batch(MODEL, messages=ask(*(f"theirs {index}" for index in range(10))))
    anthropic_server.faults.next(Endpoint.CREATE, faults.server_error())
    run = manager(*WORDS[:10])
    worker = threading.Thread(target=run.run)
    worker.start()
    while run.stats["jobs"] != {"in_progress": 1}:
        time.sleep(0.02)
    run.cancel()
    worker.join(timeout=10)
    assert not worker.is_alive()
    anthropic_server.ends_after = Seconds(0)
    assert texts_of(list(manager(*WORDS[:10]).iter_results())) == WORDS[:10]
    only_once(anthropic_server)


def test_cancel_works_without_the_inputs(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    run = BatchManager(messages=iter(ask(*WORDS)), model=MODEL, results_dir="out", max_wait_time=0.5)
    with pytest.raises(batchata.NotReadyError):
        run.run()
    with pytest.raises(batchata.ArgumentError, match="can be read once"):
        run.cancel()
    assert anthropic_server.faults.calls[Endpoint.CANCEL] == 3


def test_a_second_call_at_a_time_is_refused(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    run = manager(*WORDS)
    worker = threading.Thread(target=run.run)
    worker.start()
    while len(anthropic_server.ledger.created) < 3:
        time.sleep(0.02)
    with pytest.raises(batchata.StateLockedError, match="at work already"):
        run.run()
    run.cancel()
    worker.join(timeout=10)
    assert not worker.is_alive()


def test_a_lazy_run_that_is_stopped_knows_its_total(anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    run = BatchManager(messages=iter(ask(*WORDS)), model=MODEL, results_dir="out", max_parallel_jobs=1)
    summaries: list[batchata.RunSummary] = []
    worker = threading.Thread(target=lambda: summaries.append(run.run()))
    worker.start()
    while not anthropic_server.ledger.created:
        time.sleep(0.02)
    run.cancel()
    worker.join(timeout=10)
    assert summaries[0]["total_items"] == 25


def test_a_retry_in_flight_comes_once_in_iter_results(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.items(0.3, ItemFault.EXPIRED)
    failed = manager(*WORDS).run()["failed_items"]
    anthropic_server.faults.clear()
    anthropic_server.ends_after = NEVER
    with pytest.raises(batchata.NotReadyError):
        manager(*WORDS, max_wait_time=0.5).retry_failed()
    anthropic_server.ends_after = Seconds(0)
    entries = list(manager(*WORDS).iter_results())
    assert sorted(entry["input"]["index"] for entry in entries) == list(range(25))
    assert failed > 0
    assert all(entry["error"] is None for entry in entries)


def test_a_key_that_was_missing_costs_no_input(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    run = BatchManager(messages=iter(ask("a", "b")), model=MODEL, results_dir="out")
    with pytest.raises(batchata.MissingKeyError):
        run.run()
    monkeypatch.setenv("ANTHROPIC_API_KEY", anthropic_server.key)
    assert run.run()["completed_items"] == 2


def test_an_unfinished_temporary_run_is_kept(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = BatchManager(messages=ask(*WORDS), model=MODEL, max_cost="0.0002", max_tokens=50)
    anthropic_server.answer = long_answer
    assert run.run()["cost_limit_reached"]
    del run
    (kept,) = tmp_path.iterdir()
    assert json.loads((kept / "state.json").read_bytes())["totals"]["completed"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"state_path": ""}, "state_path is empty"),
        ({"results_dir": ""}, "results_dir is empty"),
    ],
)
def test_empty_places_are_refused(anthropic_server: AnthropicServer, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(batchata.ArgumentError, match=words):
        BatchManager(messages=ask("a"), model=MODEL, **arguments).run()
    assert anthropic_server.ledger.created == []


def test_a_set_has_no_order() -> None:
    with pytest.raises(batchata.ArgumentError, match="files is a set, which has no order that lasts"):
        BatchManager(files={"a.pdf", "b.pdf"}, prompt="?", model=MODEL)
