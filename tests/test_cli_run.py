"""Runs from a shell: begun, looked at, stopped, gone on with, retried, canceled, against the loopback server."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchata import BatchManager
from batchata.store import open_store
from tests.command_line import MODEL, CommandLine, Done, command_line, write_run_file, write_texts
from tests.wire import answers
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import Errored
from tests.wire.jobs import NEVER, Checks


@pytest.fixture
def cli(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """In an empty folder, with the loopback server as Anthropic."""
    del anthropic_server
    monkeypatch.setenv("COLUMNS", "100")
    return command_line(monkeypatch, capsys)


def test_a_run_is_one_word_with_a_run_file(cli: CommandLine, anthropic_server: AnthropicServer) -> None:
    write_run_file(5)
    done = cli("run", "job.toml", "--yes")
    assert done.code == 0
    assert done.out == (
        "5 of 5 items completed; cost $0.0000\n"
        "Results: batchata results job-run    Report: batchata report job-run\n"
    )
    assert "The run's folder: job-run\n" in done.err
    assert len(anthropic_server.ledger.created) == 3
    assert sorted(path.name for path in Path("job-run").iterdir()) == [
        "command.json",
        "processed",
        "raw",
        "run.json",
        "state.json",
    ]


def test_the_command_line_wins_over_the_run_file(cli: CommandLine) -> None:
    write_run_file(4)
    done = cli("run", "job.toml", "texts/01.txt", "--items-per-job", "1", "--name", "other", "--yes", "--json")
    assert done.code == 0
    assert done.json == {
        "total_items": 1,
        "completed_items": 1,
        "failed_items": 0,
        "total_cost": "0.000001",
        "jobs_completed": 1,
        "cost_limit_reached": False,
        "results_dir": str(Path.cwd() / "other-run"),
        "state_path": str(Path.cwd() / "other-run" / "state.json"),
    }


def test_paths_in_a_run_file_are_relative_to_it(
    cli: CommandLine, anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run_file(1)
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert cli("run", "../job.toml", "--yes").code == 0
    assert Path("../job-run/run.json").is_file()
    assert len(anthropic_server.ledger.created) == 1


def test_quiet_says_nothing(cli: CommandLine) -> None:
    write_run_file(1)
    assert cli("run", "job.toml", "--yes", "--quiet") == Done(0, "", "")


def test_what_is_piped_is_plain(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal of the mind
    write_run_file(3)
    done = cli("run", "job.toml", "--yes")
    assert "batchata: 3 of 3 items" in done.err
    assert "\x1b" not in done.out + done.err


def test_without_a_terminal_a_cost_must_be_agreed_to_beforehand(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    write_run_file(2)
    done = cli("run", "job.toml", "--json")
    assert done.code == 5
    assert done.json == {
        "error": {
            "type": "NotAgreedError",
            "message": "This costs money (2 items in 1 job; 20 tokens in, likely 2,048 out, a guess; likely $0.0005, "
            "at most $0.0023), and nobody can be asked. Give --yes, or --max-cost DOLLARS.",
            "retryable": False,
        }
    }
    assert anthropic_server.ledger.created == []
    assert not Path("job-run").exists()
    assert cli("run", "job.toml", "--max-cost", "1").code == 0


def test_the_cap_stops_a_run_and_a_higher_one_lets_it_go_on(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    anthropic_server.answer = lambda _: answers.text_answer("long", usage={"output_tokens": 4000})
    write_run_file(4, "max_tokens = 4000\nmax_parallel_jobs = 1\n")
    done = cli("run", "job.toml", "--max-cost", "0.0023", "--json")
    assert done.code == 4
    assert done.json["cost_limit_reached"] is True
    assert done.json["completed_items"] == 2
    assert cli("resume", "--max-cost", "1").code == 0
    assert anthropic_server.ledger.bought_more_than_once() == {}
    assert len(anthropic_server.ledger.billed) == 4
    assert json.loads(Path("job-run/command.json").read_text())["settings"]["max_cost"] == "1"


def test_failed_items_are_exit_code_3_and_can_be_retried(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    anthropic_server.faults.items(1.0, Errored("overloaded_error", "Overloaded"))
    write_run_file(2)
    done = cli("run", "job.toml", "--yes")
    assert done.code == 3
    summary, why, *ways = done.out.splitlines()
    assert summary == "0 of 2 items completed, 2 failed; cost $0.0000"
    assert why.startswith("  2 errored, such as: overloaded_error: Overloaded (request req_")
    assert ways == [
        "Ask again for 2 items: batchata retry job-run",
        "Results: batchata results job-run    Report: batchata report job-run",
    ]
    asked = cli("retry")
    assert asked.code == 5
    assert "2 items in 1 job" in asked.err
    anthropic_server.faults.clear()
    again = cli("retry", "--yes", "--json")
    assert again.code == 0
    assert (again.json["retry_count"], again.json["completed_items"], again.json["failed_items"]) == (2, 2, 0)


def test_estimate_sends_nothing(cli: CommandLine, anthropic_server: AnthropicServer) -> None:
    write_run_file(3)
    assert cli("estimate", "job.toml").out == (
        "3 items in 2 jobs\n30 tokens in, likely 3,072 out, a guess\nlikely $0.0008, at most $0.0034\n"
    )
    told = cli("estimate", "job.toml", "--json").json
    assert (told["total_items"], told["jobs"], told["input_tokens"]) == (3, 2, 30)
    assert Decimal(told["likely_cost"]) < Decimal(told["worst_cost"])
    assert anthropic_server.ledger.created == []
    assert not Path("job-run").exists()


def test_the_wait_can_end_before_the_run_and_status_tells_how_it_stands(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    anthropic_server.ends_after = NEVER
    write_run_file(3)
    done = cli("run", "job.toml", "--yes", "--max-wait-time", "0.5", "--json")
    assert done.code == 6
    assert done.json["error"]["type"] == "NotReadyError"
    assert done.json["error"]["retryable"] is True
    assert done.json["error"]["message"].endswith("To go on: batchata resume job-run")
    status = cli("status", "--json").json
    assert status["is_over"] is False
    assert status["total_items"] == 3
    assert status["jobs"] == {"in_progress": 2}
    assert [job["items"] for job in status["live_jobs"]] == [2, 1]
    ids = [made.batch_id for made in anthropic_server.ledger.created]
    assert [job["provider_job_id"] for job in status["live_jobs"]] == ids
    shown = cli("status", "job-run").out
    assert shown.startswith("batchata: 0 of 3 items, 2 jobs in flight")
    assert f"job 0: in_progress {ids[0]}, 2 items" in shown
    assert shown.endswith("Not over, and no process works on it: batchata resume job-run\n")
    anthropic_server.ends_after = Checks(1)
    assert cli("resume", "job", "--max-wait-time", "60").code == 0
    assert len(anthropic_server.ledger.created) == 2


def test_cancel_waits_for_the_end_of_what_is_in_flight(cli: CommandLine, anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    write_run_file(2)
    assert cli("run", "job.toml", "--yes", "--max-wait-time", "0.5").code == 6
    anthropic_server.ends_after = Checks(1)
    anthropic_server.batches.done_at_cancel = 0.0
    done = cli("cancel", "job.toml")
    assert done.code == 0
    assert done.out == (
        "Canceled.\n2 items have an outcome, 2 of them failed or canceled.\n"
        "Ask again for what failed or was canceled: batchata retry job-run\n"
    )
    assert cli("cancel").out.startswith("Nothing was in flight.\n2 items have an outcome, ")
    assert cli("status", "--json").json["live_jobs"] == []


def test_a_run_that_another_process_works_on_is_refused_as_retryable(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    del anthropic_server
    write_run_file(1)
    assert cli("run", "job.toml", "--yes").code == 0
    store = open_store("job-run/state.json")
    done = cli("resume", "--json")
    told, shown = cli("status", "--json").json, cli("status").out
    store.close()
    assert told["is_working"] is True
    assert told["holder"].startswith(f"process {os.getpid()} on host ")
    assert shown.endswith(f"At work: {told['holder']}.\n")
    after = cli("status", "--json").json
    assert (after["is_working"], after["holder"]) == (False, None)
    assert done.code == 1
    assert done.json["error"]["type"] == "StateLockedError"
    assert done.json["error"]["retryable"] is True


def test_other_arguments_are_refused_and_the_kept_ones_stay(cli: CommandLine) -> None:
    write_run_file(1)
    assert cli("run", "job.toml", "--yes").code == 0
    done = cli("run", "job.toml", "--prompt", "Something else.", "--yes")
    assert done.code == 2
    assert "was begun with other arguments: prompt." in done.err
    assert cli("resume").code == 0


def test_a_file_that_came_later_does_not_disturb_a_resumed_run(cli: CommandLine) -> None:
    write_run_file(2)
    assert cli("run", "job.toml", "--yes").code == 0
    Path("texts/005.txt").write_text("document between the others")
    done = cli("resume", "--json")
    assert done.code == 0
    assert done.json["total_items"] == 2


def test_a_wrong_key_is_told_before_anything_is_sent(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run_file(1)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-wrong-key")
    done = cli("run", "job.toml", "--yes", "--json")
    assert done.code == 1
    assert (done.json["error"]["type"], done.json["error"]["retryable"]) == ("ProviderError", False)
    assert done.json["error"]["message"].endswith("\nNothing was sent.")
    assert "wrong-key" not in done.out + done.err


def test_the_state_in_a_database(cli: CommandLine) -> None:
    write_run_file(3)
    place = f"sqlite:///{Path.cwd()}/runs.db?run=one"
    assert cli("run", "job.toml", "--yes", "--state-path", place, "--json").json["state_path"] == place
    assert cli("status", "job").out.startswith("batchata: 3 of 3 items")
    assert cli("resume").code == 0


def test_the_key_is_nowhere(cli: CommandLine, anthropic_server: AnthropicServer) -> None:
    write_run_file(2)
    words = [cli("run", "job.toml", "--yes"), cli("status", "--json"), cli("models", "--json"), cli("reconcile")]
    assert all(anthropic_server.key not in done.out + done.err for done in words)
    for path in Path().rglob("*"):
        assert not path.is_file() or anthropic_server.key.encode() not in path.read_bytes()


def test_a_run_that_python_began_is_looked_at_and_not_gone_on_with(cli: CommandLine) -> None:
    write_texts(Path("texts"), 1)
    BatchManager(files=[Path("texts/00.txt")], prompt="Repeat.", model=MODEL, results_dir="out").run()
    assert cli("status", "out").out.startswith("batchata: 1 of 1 item,")
    assert cli("results", "out").lines[0]["result"] == "Repeat."
    done = cli("resume", "out")
    assert done.code == 2
    assert "was not begun by 'batchata run'" in done.err


def test_conversations_with_a_prompt_worked_examples_and_own_prices(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    seen: list[dict[str, Any]] = []

    def answer(params: dict[str, Any]) -> answers.Answer:
        seen.append(params)
        return answers.text_answer("yes")

    anthropic_server.answer = answer
    Path("reviews.csv").write_text("id;text\n1;buy now\n", encoding="utf-8")
    example = {"input": [{"role": "user", "content": "win a prize"}], "output": "spam"}
    Path("examples.jsonl").write_text(json.dumps(example))
    done = cli(
        *("run", "--messages", "reviews.csv", "--column", "text", "--prompt", "Is it spam?", "-m", MODEL),
        *("--examples", "examples.jsonl", "--prices", "input=1000,output=2000", "--yes", "--json"),
    )
    assert done.code == 0
    assert "Is it spam?" in json.dumps(seen[0]["system"])
    assert "win a prize" in json.dumps(seen[0]["messages"])
    assert answers.last_user_text(seen[0]) == "buy now"
    assert Decimal(done.json["total_cost"]) > Decimal("0.001")


def test_reconcile_names_a_job_that_the_state_does_not_have(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    write_run_file(2)
    assert cli("run", "job.toml", "--yes", "--json").code == 0
    known = cli("reconcile", "--json").json
    first = anthropic_server.ledger.created[0].batch_id
    assert [(each["provider_job_id"], each["verdict"]) for each in known["candidates"]] == [(first, "known")]
    before = json.loads(Path("job-run/state.json").read_text())
    before["over"] = ""
    Path("job-run/state.json").write_text(json.dumps(before))
    done = cli("reconcile", "--json")
    assert done.code == 3
    assert [(each["provider_job_id"], each["verdict"]) for each in done.json["candidates"]] == [(first, "ours")]


def test_reconcile_finds_a_job_in_doubt_and_resume_takes_it_up(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    anthropic_server.ends_after = NEVER
    write_run_file(2)
    assert cli("run", "job.toml", "--yes", "--max-wait-time", "0.5").code == 6
    state = json.loads(Path("job-run/state.json").read_text())
    state["live"][0] |= {"status": "submitting", "provider_job_id": None}  # as a crash before the answer leaves it
    Path("job-run/state.json").write_text(json.dumps(state))
    told = cli("reconcile", "--json")
    assert told.code == 0
    assert told.json["jobs_in_doubt"] == [0]
    assert [each["verdict"] for each in told.json["candidates"]] == ["open"]
    anthropic_server.batches.settle()
    assert [each["verdict"] for each in cli("reconcile", "--json").json["candidates"]] == ["found"]
    assert cli("resume").code == 0
    assert len(anthropic_server.ledger.created) == 1


def test_a_run_that_is_refused_leaves_nothing_behind(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run_file(1)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-wrong-key")
    assert cli("run", "job.toml", "--yes").code == 1
    assert not Path("job-run").exists()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    Path("job-run").mkdir()
    Path("job-run/mine.txt").write_text("mine")
    assert cli("run", "job.toml", "--yes").code == 1
    assert [path.name for path in Path("job-run").iterdir()] == ["mine.txt"]


def test_a_cap_that_is_left_away_is_asked_about(cli: CommandLine, anthropic_server: AnthropicServer) -> None:
    write_run_file(2)
    assert cli("run", "job.toml", "--max-cost", "0").code == 4
    done = cli("run", "job.toml")
    assert done.code == 5
    assert done.err.startswith("This costs money (2 items in 1 job; ")
    assert anthropic_server.ledger.created == []
    assert cli("run", "job.toml", "--yes").code == 0
    assert len(anthropic_server.ledger.created) == 1


def test_what_cannot_succeed_is_not_offered_to_be_asked_again(
    cli: CommandLine, anthropic_server: AnthropicServer
) -> None:
    write_run_file(1)
    Path("texts/empty.pdf").write_bytes(b"")
    Path("texts/fake.pdf").write_text("no PDF")
    done = cli("run", "job.toml", "texts", "--yes")
    assert done.code == 3
    assert done.out == (
        "1 of 3 items completed, 2 failed; cost $0.0000\n"
        f"  2 unreadable, such as: files[1]: '{Path.cwd()}/texts/empty.pdf' is empty (0 bytes). Leave it out, or give "
        "the whole file.\n"
        "Once you mended what is wrong: batchata retry job-run --everything\n"
        "Results: batchata results job-run    Report: batchata report job-run\n"
    )
    assert cli("retry").code == 3  # nothing to ask, so nothing to agree to
    assert len(anthropic_server.ledger.created) == 1
    Path("texts/empty.pdf").unlink()
    assert cli("retry", "--everything").code == 5
