"""What a run shows of itself: the plain line, the live display, and which of them where."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from batchata import progress
from batchata.progress import run
from batchata.types import RunStats

STATS: RunStats = {
    "total_items": 1000,
    "completed_items": 118,
    "failed_items": 2,
    "total_cost": Decimal("0.0123"),
    "known_cost": Decimal("0.0123"),
    "unknown_costs": 0,
    "cost_is_estimate": False,
    "reserved_cost": Decimal("0.4"),
    "max_cost": Decimal(5),
    "cost_limit_reached": False,
    "jobs_completed": 12,
    "jobs": {"in_progress": 3},
    "elapsed_time": 171.0,
    "items_per_minute": 42.1,
    "seconds_left": 1254.0,
    "results_dir": "results",
    "state_path": "run.json",
}
FIRST: RunStats = {
    **STATS,
    "completed_items": 0,
    "failed_items": 0,
    "total_cost": Decimal(0),
    "known_cost": Decimal(0),
    "reserved_cost": Decimal(0),
    "jobs_completed": 0,
    "jobs": {},
    "elapsed_time": 0.0,
    "items_per_minute": None,
    "seconds_left": None,
}
SENT: RunStats = {**FIRST, "jobs": {"in_progress": 3}, "reserved_cost": Decimal("0.4")}
LAST: RunStats = {
    **STATS,
    "completed_items": 998,
    "total_cost": Decimal("0.1022"),
    "reserved_cost": Decimal(0),
    "jobs_completed": 100,
    "jobs": {},
    "elapsed_time": 7500.0,
    "seconds_left": 0.0,
}
FIRST_LINE = "batchata: 0 of 1,000 items, spent $0.0000 of $5.00\n"
SENT_LINE = "batchata: 0 of 1,000 items, 3 jobs in flight, spent $0.0000 of $5.00\n"
LINE = (
    "batchata: 120 of 1,000 items (2 failed), 3 jobs in flight, spent $0.0123 of $5.00, 42 items/min, "
    "about 21 min left\n"
)
LAST_LINE = "batchata: 1,000 of 1,000 items (2 failed), spent $0.1022 of $5.00, 42 items/min, begun 2 h 5 min ago\n"


class Clock:
    """Stands still until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


# --- the line


def test_a_line_says_how_the_run_stands() -> None:
    assert progress.run_line(STATS) + "\n" == LINE
    assert progress.run_line(FIRST) + "\n" == FIRST_LINE
    assert progress.run_line(SENT) + "\n" == SENT_LINE
    assert progress.run_line(LAST) + "\n" == LAST_LINE


def test_a_line_without_a_number_of_items() -> None:
    stats: RunStats = {**STATS, "total_items": None, "seconds_left": None, "failed_items": 0}
    assert progress.run_line(stats) == (
        "batchata: 118 items so far, 3 jobs in flight, spent $0.0123 of $5.00, 42 items/min"
    )


def test_a_line_of_one_item() -> None:
    stats: RunStats = {**FIRST, "total_items": 1, "max_cost": None, "jobs": {"submitting": 1}}
    assert progress.run_line(stats) == "batchata: 0 of 1 item, 1 job in flight, spent $0.0000"


def test_jobs_are_told_apart_by_where_they_are() -> None:
    jobs = {"planned": 2, "submitting": 1, "in_progress": 1200, "ended": 3, "rejected": 1}
    assert progress.run_line({**FIRST, "jobs": jobs}) == (
        "batchata: 0 of 1,000 items, 1,204 jobs in flight, 2 jobs waiting to be sent, 1 job refused, "
        "spent $0.0000 of $5.00"
    )


@pytest.mark.parametrize(
    ("total", "is_estimate", "cap", "words"),
    [
        ("1234.5", False, None, "spent $1,234.5000"),
        ("0.00004", False, "0.5", "spent $0.0000 of $0.50"),
        ("0.0123", True, "1000", "spent about $0.0123 of $1,000.00"),
        ("0.0123", False, "0.125", "spent $0.0123 of $0.125"),
        (None, False, "5.00", "cost unknown, at least $0.0123 of $5.00"),
        (None, True, None, "cost unknown, at least about $0.0123"),
    ],
)
def test_money(total: str | None, is_estimate: bool, cap: str | None, words: str) -> None:
    stats: RunStats = {
        **FIRST,
        "total_cost": None if total is None else Decimal(total),
        "known_cost": Decimal("0.0123"),
        "cost_is_estimate": is_estimate,
        "max_cost": None if cap is None else Decimal(cap),
    }
    assert progress.run_line(stats) == f"batchata: 0 of 1,000 items, {words}"


def test_a_budget_that_stops_the_run_is_named_and_no_time_is_promised() -> None:
    stats: RunStats = {**STATS, "cost_limit_reached": True, "jobs": {}}
    assert progress.run_line(stats) == (
        "batchata: 120 of 1,000 items (2 failed), spent $0.0123 of $5.00, the rest kept back by max_cost, 42 items/min"
    )


@pytest.mark.parametrize(
    ("per_minute", "words"),
    [
        (1234.5, "1,234 items/min"),
        (42.1, "42 items/min"),
        (9.96, "10 items/min"),
        (1.25, "1.2 items/min"),
        (0.3, "18 items/h"),
        (0.02, "1.2 items/h"),
        (0.0005, "0.03 items/h"),
    ],
)
def test_pace(per_minute: float, words: str) -> None:
    assert progress.run_line({**STATS, "items_per_minute": per_minute}).split(", ")[-2] == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s left"),
        (59.4, "about 59 s left"),
        (59.6, "about 1 min left"),
        (1254.0, "about 21 min left"),
        (3599.0, "about 1 h left"),
        (7500.0, "about 2 h 5 min left"),
        (86399.0, "about 1 day left"),
        (273600.0, "about 3 days 4 h left"),
    ],
)
def test_time_left(seconds: float, words: str) -> None:
    assert progress.run_line({**STATS, "seconds_left": seconds}).split(", ")[-1] == words


# --- lines where nobody looks at a terminal


def test_silent_unless_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show_run(wanted=False) as display:
        display.update(STATS)
    assert capsys.readouterr().err == ""


def test_without_numbers_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show_run(wanted=True):
        pass
    assert capsys.readouterr().err == ""


def test_lines_at_the_start_and_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show_run(wanted=True) as display:
        display.update(FIRST)
        assert capsys.readouterr().err == FIRST_LINE
        display.update(SENT)
        display.update(STATS)
        display.update(LAST)
        assert capsys.readouterr().err == ""
    assert capsys.readouterr().err == LAST_LINE


def test_the_last_line_is_written_when_the_run_fails_too(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        with progress.show_run(wanted=True) as display:
            display.update(FIRST)
            display.update(SENT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err == FIRST_LINE + SENT_LINE


def test_a_line_now_and_then_and_only_after_a_change() -> None:
    written = io.StringIO()
    lines = run._Lines(written)
    lines.update(FIRST)
    lines.update(SENT)
    lines.write()
    assert written.getvalue() == FIRST_LINE + SENT_LINE
    lines.update({**SENT, "elapsed_time": 60.0})
    lines.write()
    assert written.getvalue() == FIRST_LINE + SENT_LINE
    lines.update(STATS)
    lines.write()
    lines.close()
    assert written.getvalue() == FIRST_LINE + SENT_LINE + LINE


def test_the_end_of_a_burst_is_written_though_no_change_follows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_LINES", 0.01)
    with progress.show_run(wanted=True) as display:
        display.update(FIRST)
        display.update(SENT)
        written, give_up = "", time.monotonic() + 60
        while len(written) < len(FIRST_LINE + SENT_LINE) and time.monotonic() < give_up:
            time.sleep(0.01)
            written += capsys.readouterr().err
        assert written == FIRST_LINE + SENT_LINE
    assert capsys.readouterr().err == ""


def test_a_log_that_is_closed_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with progress.show_run(wanted=True) as display:
        display.update(FIRST)
        log.close()
        display.update(LAST)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_log_on_a_full_disk_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        log = io.TextIOWrapper(full, write_through=True)
        monkeypatch.setattr(sys, "stderr", log)
        with progress.show_run(wanted=True) as display:
            display.update(FIRST)
            display.update(LAST)


def test_a_process_without_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with progress.show_run(wanted=True) as display:
        display.update(STATS)


# --- the live display


def drawn(stats: RunStats, *, age: float = 4.0, is_over: bool = False, width: int = 80) -> str:
    console = Console(force_terminal=True, width=width, file=io.StringIO(), record=True, color_system="standard")
    console.print(run._panel(stats, age, is_over=is_over))
    return console.export_text()


def test_the_display_has_three_lines() -> None:
    assert drawn(STATS) == (
        "━━━━━╺━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 12%, 120 of 1,000 items (2 failed)\n"
        "3 jobs in flight, 12 done, 42 items/min, about 21 min left, elapsed 0:02:55\n"
        "spent $0.0123 of $5.00, up to $0.4000 more in flight\n"
    )


def test_the_display_of_a_run_that_is_over() -> None:
    assert drawn(LAST, is_over=True) == (
        "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100%, 1,000 of 1,000 items (2 failed)\n"
        "100 jobs done, 42 items/min, elapsed 2:05:04\n"
        "spent $0.1022 of $5.00\n"
    )


def test_the_display_of_a_run_that_is_left_promises_nothing() -> None:
    assert drawn(STATS, is_over=True).splitlines()[1] == (
        "3 jobs in flight, 12 done, 42 items/min, elapsed 0:02:55"
    )


def test_the_display_of_a_run_that_the_budget_stops() -> None:
    assert drawn({**STATS, "cost_limit_reached": True, "jobs": {}, "reserved_cost": None}).splitlines()[1:] == [
        "12 jobs done, 42 items/min, elapsed 0:02:55",
        "spent $0.0123 of $5.00, the rest kept back by max_cost",
    ]


@pytest.mark.parametrize("is_over", [False, True])
def test_the_display_without_a_number_of_items(is_over: bool) -> None:
    lines = drawn({**FIRST, "total_items": None, "completed_items": 118}, is_over=is_over, width=120).splitlines()
    assert lines[0].rstrip() == "━" * 83 + " 118 items so far"  # a hundred wide, however wide the terminal
    assert lines[1] == "0 jobs done, elapsed 0:00:04"


def test_time_goes_on_between_two_changes() -> None:
    assert drawn(STATS, age=900.0).splitlines()[1] == (
        "3 jobs in flight, 12 done, 42 items/min, about 6 min left, elapsed 0:17:51"
    )
    assert drawn(STATS, age=1254.0).splitlines()[1] == "3 jobs in flight, 12 done, 42 items/min, elapsed 0:23:45"
    assert drawn(STATS, age=90_000.0).splitlines()[1].endswith(", elapsed 1 day 1:02:51")


def test_only_failures_are_red() -> None:
    def written(stats: RunStats) -> str:
        file = io.StringIO()
        Console(force_terminal=True, width=80, file=file, color_system="standard").print(
            run._panel(stats, 0.0, is_over=False)
        )
        return file.getvalue()

    red = "\x1b[31m"
    assert f"{red} (2 failed)\x1b[0m" in written(STATS)
    assert red not in written({**STATS, "failed_items": 0})


def test_the_display_reads_its_clock_and_stays() -> None:
    clock, file = Clock(), io.StringIO()
    panel = run._Panel(Console(force_terminal=True, width=80, file=file, force_interactive=True), clock)
    panel.update(STATS)
    assert "elapsed 0:02:51" in file.getvalue()
    clock.now = 160.0
    panel.close()
    last = file.getvalue().rsplit("\x1b[2K", 1)[-1]
    assert re.sub(r"\x1b\[[0-9;?]*[a-z]", "", last).splitlines()[1:] == [
        "3 jobs in flight, 12 done, 42 items/min, elapsed 0:03:51",
        "spent $0.0123 of $5.00, up to $0.4000 more in flight",
    ]


# --- which of them where: real processes

SCRIPT = """
import sys
from tests.test_progress import FIRST, LAST, STATS
from batchata import progress

with progress.show_run(wanted=True) as display:
    display.update(FIRST)
    print("heard", flush=True)
    sys.stdin.readline()
    display.update(STATS)
    print("from stdout", flush=True)
    display.update(LAST)
print("over", flush=True)
"""


class Terminal:
    """A process with stderr on a real pseudo-terminal of 24 lines by 80, and pipes for the rest."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.near, far = pty.openpty()
        environment = {key: value for key, value in os.environ.items() if key not in _HEEDED} | {
            "TERM": "xterm",
            "COLUMNS": "80",
            "PYTHONPATH": str(Path(__file__).parent.parent),
            **variables,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=far,
            cwd=folder,
            env=environment,
            text=True,
        )
        os.close(far)

    def read(self) -> str:
        """What was written to the terminal until the process closed it."""
        parts: list[bytes] = []
        while True:
            try:
                part = os.read(self.near, 65536)
            except OSError:  # Linux: the other side is closed
                part = b""
            if not part:
                return b"".join(parts).decode()
            parts.append(part)


_HEEDED = {"FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "LINES", "COLUMNS"}


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Closed and ended after the test."""
    made: list[Terminal] = []
    yield made
    for each in made:
        each.process.kill()
        each.process.communicate()


def test_a_live_display_on_a_real_terminal(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminal = Terminal(tmp_path)
    terminals.append(terminal)
    said, _ = terminal.process.communicate("\n", timeout=60)
    seen = terminal.read()
    os.close(terminal.near)
    assert terminal.process.returncode == 0
    assert said == "heard\nfrom stdout\nover\n"  # not in the display: stdout is no terminal
    assert "\x1b[?25l" in seen
    assert seen.endswith("\x1b[?25h")
    assert "\x1b[1A\x1b[2K" in seen  # drawn in place
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.rsplit("\x1b[2K", 1)[-1]).split("\r\n")
    assert last[0].lstrip("━") == " 100%, 1,000 of 1,000 items (2 failed)"
    assert last[1].startswith("100 jobs done, 42 items/min, elapsed 2:0")
    assert last[2:] == ["spent $0.1022 of $5.00", ""]


def test_plain_lines_on_a_terminal_that_cannot_draw(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminal = Terminal(tmp_path, TERM="dumb")
    terminals.append(terminal)
    terminal.process.communicate("\n", timeout=60)
    seen = terminal.read()
    os.close(terminal.near)
    assert seen.replace("\r\n", "\n") == FIRST_LINE + LAST_LINE


def test_a_terminal_that_is_gone_does_not_stop_the_run(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminal = Terminal(tmp_path)
    terminals.append(terminal)
    assert terminal.process.stdout is not None
    assert terminal.process.stdout.readline() == "heard\n"
    os.close(terminal.near)
    said, _ = terminal.process.communicate("\n", timeout=60)
    assert (said, terminal.process.returncode) == ("from stdout\nover\n", 0)


def test_plain_lines_in_a_pipe_even_where_colour_is_forced(tmp_path: Path) -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input="\n",
        capture_output=True,
        cwd=tmp_path,
        env=environment,
        text=True,
        timeout=60,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == ("heard\nfrom stdout\nover\n", FIRST_LINE + LAST_LINE)
