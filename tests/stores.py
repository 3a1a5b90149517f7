"""What the tests of the stores share: a run, its jobs, and processes that work on it and are really killed."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from batchata.errors import StateError, StateLockedError
from batchata.store import Store, open_store
from batchata.types import JobRecord, JobStatus, Planned, RunInfo, RunState, Totals

if TYPE_CHECKING:
    from _typeshed import TraceFunction

ROOT = Path(__file__).parent.parent
RUN = RunInfo(
    "k3x9", datetime(2026, 11, 22, 9, 30, 0, 250_000, tzinfo=UTC), {"model": "local/tiny", "prompt": "9f2c"}
)
FULL = JobRecord(
    number=7,
    status=JobStatus.IN_PROGRESS,
    items=(70, 71, 72, 75),
    inputs="5e0d",
    is_retry=True,
    unsent=((73, "'b.pdf' is encrypted."), (74, "'ç.pdf' is empty.")),
    reserved_usd=Decimal("0.1250"),
    submitting_at=datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    provider_job_id="msgbatch_01",
    rivals=("msgbatch_02", "msgbatch_03"),
    is_proven=False,
    completed=2,
    failed=1,
    cost_usd=Decimal("0.0000000375"),
    unknown_costs=1,
    cost_is_estimate=True,
    message="the queue is full: try “later”",
)
BARE = JobRecord(number=0, status=JobStatus.PLANNED, items=(), inputs="")
PLANNED = Planned(items=80, digest="a1b2", is_all=True)


@contextlib.contextmanager
def opened(address: str | Path) -> Iterator[Store]:
    with contextlib.closing(open_store(address)) as store:
        yield store


def begin(address: str | Path, *jobs: JobRecord, planned: Planned = PLANNED) -> None:
    """A run with these steps, closed again."""
    with opened(address) as store:
        store.create(RUN)
        for job in jobs:
            store.save(job, planned)


def loaded(address: str | Path) -> RunState | None:
    """As another opening sees it."""
    with opened(address) as store:
        return store.load()


def over(number: int, *, completed: int = 1, failed: int = 0, cost: str = "0.01") -> JobRecord:
    return JobRecord(
        number=number,
        status=JobStatus.COLLECTED,
        items=tuple(range(10 * number, 10 * number + completed + failed)),
        inputs="5e0d",
        completed=completed,
        failed=failed,
        cost_usd=Decimal(cost),
    )


def say(*words: object) -> None:
    """To the process that started this one, or to whoever looks at the figures.

    In one write: with PYTHONUNBUFFERED, ``print`` makes a second one of the line's end, and a kill between the two
    would join this line and the next.
    """
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def step_of(step: int) -> tuple[JobRecord, Planned]:
    """Three jobs at a time go through four statuses, each status in one step."""
    group, phase, number = step // 12, step % 12 // 3, step // 12 * 3 + step % 3
    status = (JobStatus.PLANNED, JobStatus.SUBMITTING, JobStatus.IN_PROGRESS, JobStatus.COLLECTED)[phase]
    job = JobRecord(
        number=number,
        status=status,
        items=tuple(range(10 * number, 10 * number + 10)),
        inputs="5e0d",
        provider_job_id=f"msgbatch_{number}" if phase >= 2 else None,
        completed=9 if phase == 3 else 0,
        failed=1 if phase == 3 else 0,
        reserved_usd=Decimal("0.02"),
        cost_usd=Decimal("0.0125") if phase == 3 else Decimal(0),
        unknown_costs=1 if phase == 3 else 0,
    )
    return job, Planned(items=10 * (number + 1 if phase == 0 else group * 3 + 3))


def state_after(steps: int) -> RunState:
    """What ``steps`` steps leave, from arithmetic."""
    group, rest = divmod(steps, 12)
    ended = 3 * group + max(0, rest - 9)
    begun = 3 * group + min(rest, 3)
    live = {}
    for number in range(ended, begun):
        phases = (rest - number % 3 + 2) // 3
        live[number] = step_of(12 * group + 3 * (phases - 1) + number % 3)[0]
    return RunState(
        run=RUN,
        planned=Planned(items=10 * begun),
        live=live,
        over=tuple(range(ended)),
        totals=Totals(
            jobs=ended,
            completed=9 * ended,
            failed=ended,
            cost_usd=Decimal("0.0125") * ended,
            unknown_costs=ended,
            held_usd=Decimal("0.0075") * ended,
        ),
    )


def child_save(address: str, steps_done: str) -> None:
    """Goes on saving from a step, and says each that returned."""
    with opened(address) as store:
        say("open")
        if store.load() is None:
            store.create(RUN)
        step = int(steps_done)
        while True:
            store.save(*step_of(step))
            step += 1
            say(step)


def child_kills(address: str) -> None:
    """For each line of input, a fork that goes on saving until it is killed; at a line of the stores' code, if told."""
    with tempfile.TemporaryDirectory() as folder:  # what is imported and made here, no fork has to
        begin(f"{folder}/run.json" if "://" not in address else f"sqlite:///{folder}/run.db", FULL)
    for told in sys.stdin:
        steps_done, lines = told.split()
        fork = os.fork()
        if fork == 0:
            say("fork", os.getpid())
            if lines != "0":
                at_line(int(lines), "/batchata/store/", die)
            child_save(address, steps_done)
        os.waitpid(fork, 0)
        say("dead")


def at_line(lines: int, place: str, act: Callable[[], object]) -> None:
    """Do something before the code in a place, ``file.py:function``, comes to so many lines."""
    left = itertools.count(lines - 1, -1)

    def trace(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        if place not in f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}":
            return None
        if event == "line" and next(left) == 0:
            act()
        return trace

    sys.settrace(trace)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> None:
    raise KeyboardInterrupt


def killed(server: subprocess.Popen[str], steps: int, *, lines: int = 0, after: int = 0, seconds: float = 0) -> int:
    """The last step that a fork of ``child_kills`` said it had saved.

    Killed at a line, or so many seconds after it has said so many things.
    """
    assert server.stdin is not None
    for _ in range(5):
        server.stdin.write(f"{steps} {lines}\n")
        server.stdin.flush()
        fork = int(out(server).readline().removeprefix("fork "))
        words = said_by_fork(server)
        said = []
        if not lines:
            try:
                said = list(itertools.islice(words, after))
                if len(said) < after:
                    continue  # it ended by itself: the lock of the one before was not given back in time
                time.sleep(seconds)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(fork, signal.SIGKILL)
        said += words
        return max((int(line) for line in said if line != "open\n"), default=steps)
    raise AssertionError("five forks ended by themselves")


def said_by_fork(server: subprocess.Popen[str]) -> Iterator[str]:
    for line in out(server):
        if line == "dead\n":
            return
        yield line
    raise AssertionError("the process that makes the forks has ended")


@contextlib.contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """An interrupt like Ctrl+C's so many seconds later, unless this is over. (The alarm's signal is pytest's own.)"""
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        timer.start()
        yield
    finally:
        try:
            timer.cancel()
            timer.join()
        finally:
            signal.signal(signal.SIGUSR1, before)


def child_hold(address: str) -> None:
    with opened(address):
        say("held")
        sys.stdin.read()


def child_race() -> None:
    """Opens each address it is told, and holds it until told the next."""
    with contextlib.ExitStack() as held:
        for line in sys.stdin:
            held.close()
            try:
                store = open_store(line.strip())
            except StateLockedError:
                say("refused")
            else:
                held.callback(store.close)
                say("got")


def child_fork(address: str) -> None:
    """Leaves a child of its own behind, which was made while the lock was held."""
    with opened(address):
        if os.fork() == 0:
            say(os.getpid())  # says it itself: only then has it given up what it inherited
            time.sleep(60)
            os._exit(0)
        sys.stdin.read()


def child_fork_save(address: str) -> None:
    """Has a fork try to save, and close, in its place; then saves itself."""
    with opened(address) as store:
        store.create(RUN)
        fork = os.fork()
        if fork == 0:
            try:
                store.save(BARE, PLANNED)
            except StateError as error:
                say(error)
            store.close()
            os._exit(0)
        os.waitpid(fork, 0)
        store.save(FULL, PLANNED)
        say("saved")


@contextlib.contextmanager
def child(function: Callable[..., None], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own; killed at the end, with all its forks."""
    code = f"import sys, tests.stores as t; t.{function.__name__}(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # forks too, which would keep its output open
        process.communicate(timeout=30)


def out(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout
