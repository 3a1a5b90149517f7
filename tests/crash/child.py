"""The processes that are killed: forks of one that has imported everything, and has no other threads.

``python -m tests.crash.child PROVIDER`` reads attempts from its standard input, one JSON object a line, and forks a
process for each; it prints the process's id at once, and how it ended when it did.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import batchata
from tests.crash.points import Points
from tests.crash.work import Attempt, answer, hurry
from tests.providers.served import KINDS

LATE_SECONDS = 120.0
"""A process that has not ended by then hangs."""


def say(**words: object) -> None:
    """To the process that started this one."""
    sys.stdout.write(json.dumps(words) + "\n")  # in one write, which a kill cannot part
    sys.stdout.flush()


def warm_up(provider: str) -> None:
    """Import all that a run imports, which takes a second, by making one; its threads end before anything is forked."""
    with tempfile.TemporaryDirectory(prefix="batchata-crash-") as folder, KINDS[provider].serve(answer) as server:
        attempt = Attempt(folder, server.url, server.key, items=2, arguments={"max_cost": 1}, provider=provider)
        attempt.point_environment()
        attempt.manager().run()
    while threading.active_count() > 1:
        time.sleep(0.001)


def serve() -> None:
    """Fork a process for each line."""
    hurry()
    warm_up(sys.argv[1])
    for line in sys.stdin:
        attempt = Attempt.from_json(line)
        pid = os.fork()
        if pid == 0:
            work(attempt)
        say(pid=pid)
        say(status=ended(pid, attempt.kill_after))


def ended(pid: int, kill_after: float | None) -> int | None:
    """How the process ended: its exit code, or minus the signal; ``None`` if it had to be stopped."""
    descriptor = os.pidfd_open(pid)
    try:
        wait = LATE_SECONDS if kill_after is None else kill_after
        is_over = bool(select.select([descriptor], [], [], wait)[0])
        if not is_over:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(descriptor)
    return None if not is_over and kill_after is None else status


def work(attempt: Attempt) -> None:
    """The whole life of one process. Its report, if it lives to write one, is in ``report.json``."""
    folder = Path(attempt.folder)
    log = os.open(folder / "stderr.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(folder)
    attempt.point_environment()
    logging.basicConfig(format="%(process)d %(message)s")
    report: dict[str, Any] = {"summary": None, "error": None}
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        passed = None if attempt.points is None else os.open(attempt.points, flags)
        Points(folder, frozenset(attempt.kill_at), os.open(folder / "hits.log", flags), passed).install()
        manager = attempt.manager()
        try:
            report["summary"] = getattr(manager, attempt.method)()
            report["stats"] = manager.stats
        except batchata.BatchataError as error:
            report["error"] = [type(error).__name__, "\n".join([str(error), *getattr(error, "__notes__", ())])]
        (folder / "report.json").write_text(json.dumps(report, default=str), "utf-8")
    except BaseException:  # noqa: BLE001  # a fork must never run on into its parent's loop
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(3)
    os._exit(0)


if __name__ == "__main__":
    serve()
