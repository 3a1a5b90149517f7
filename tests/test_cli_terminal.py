"""The command line on a real terminal: what it shows, what it asks, and Ctrl+C at every point."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import CommandLine, command_line, write_run_file
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import Delay, Endpoint
from tests.wire.jobs import NEVER, Checks

QUESTION = "Go on? [y/N]"
READING = "Reading the inputs, to tell what it may cost"


@pytest.fixture
def cli(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """In an empty folder, with the loopback server as Anthropic."""
    del anthropic_server
    return command_line(monkeypatch, capsys)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A command at work on a terminal of its own."""

    process: subprocess.Popen[bytes]
    screen: int

    def until(self, words: str) -> str:
        """What it shows until it shows ``words``."""
        seen = ""
        end = time.monotonic() + 60
        while words not in seen and time.monotonic() < end:
            if select.select([self.screen], [], [], 1)[0]:
                try:
                    seen += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    break
        assert words in seen, seen
        return seen

    def rest(self) -> str:
        """What it shows until it ends."""
        seen = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while select.select([self.screen], [], [], 60)[0]:
                seen += os.read(self.screen, 65536)
        return seen.decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self.screen, keys.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def code(self) -> int:
        return self.process.wait(timeout=60)


@contextlib.contextmanager
def on_terminal(*arguments: str) -> Iterator[Terminal]:
    screen, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "batchata", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def test_a_run_stopped_by_ctrl_c_is_gone_on_with(cli: CommandLine, anthropic_server: AnthropicServer) -> None:
    anthropic_server.ends_after = NEVER
    write_run_file(4)
    with on_terminal("run", "job.toml") as terminal:
        seen = terminal.until(QUESTION)
        assert (
            "4 items in 2 jobs\r\n40 tokens in, likely 4,096 out, a guess\r\nlikely $0.0010, at most $0.0045"
            in seen
        )
        assert anthropic_server.ledger.created == []
        terminal.type("y\n")
        seen = terminal.until("2 jobs in flight")
        assert "\x1b[" in seen  # drawn in place
        assert cli("status").out.splitlines()[-1].startswith(f"At work: process {terminal.process.pid} on host ")
        terminal.interrupt()
        seen = terminal.rest()
        assert terminal.code() == 130
    assert "Stopped. Everything so far is kept. 2 jobs may go on at the provider." in seen
    assert "To go on: batchata resume job-run" in seen
    assert "Traceback" not in seen
    assert cli("status", "--json").json["jobs"] == {"in_progress": 2}
    anthropic_server.ends_after = Checks(1)
    assert cli("resume", "job-run").code == 0
    assert len(anthropic_server.ledger.created) == 2
    assert anthropic_server.ledger.bought_more_than_once() == {}


def test_ctrl_c_while_the_inputs_are_read_says_that_nothing_was_sent(anthropic_server: AnthropicServer) -> None:
    anthropic_server.faults.rate(Endpoint.COUNT_TOKENS, 1.0, Delay(5))
    write_run_file(4)
    with on_terminal("run", "job.toml") as terminal:
        terminal.until(READING)
        terminal.interrupt()
        seen = terminal.rest()
        assert terminal.code() == 130
    assert "Stopped before anything was sent.\r\n" in seen
    assert "Traceback" not in seen
    assert anthropic_server.ledger.created == []
    assert not Path("job-run").exists()


def test_ctrl_c_at_the_question_is_a_no_on_a_line_of_its_own(anthropic_server: AnthropicServer) -> None:
    write_run_file(1)
    with on_terminal("run", "job.toml") as terminal:
        terminal.until(f"{QUESTION}: ")
        time.sleep(0.5)  # Python loses an interrupt in the microseconds before it waits for the answer
        terminal.interrupt()
        seen = terminal.rest()
        assert terminal.code() == 5
    assert seen.endswith("\r\nNobody answered, so nothing was sent.\r\n")
    assert anthropic_server.ledger.created == []


def test_what_was_typed_before_the_question_is_no_answer_to_it(anthropic_server: AnthropicServer) -> None:
    write_run_file(1)
    with on_terminal("run", "job.toml") as terminal:
        terminal.type("y\n")
        terminal.until(QUESTION)
        terminal.type("n\n")
        assert "Not agreed to, so nothing was sent." in terminal.rest()
        assert terminal.code() == 5
    assert anthropic_server.ledger.created == []
