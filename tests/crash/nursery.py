"""The test's side of ``tests.crash.child``: starts processes, one after the other, and says how each ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.crash.work import Attempt

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        was_killed: by SIGKILL.
        point: where it killed itself, if it did.
        summary: of the run, or whatever else was asked for; ``None`` if it did not come that far.
        stats: likewise.
        error: name and words of the library's error that ended it.
    """

    was_killed: bool
    point: str | None = None
    summary: dict[str, Any] | None = None
    stats: dict[str, Any] | None = None
    error: tuple[str, str] | None = None


class Nursery:
    """Forks processes from one that has imported everything, which takes a second each otherwise."""

    def __init__(self, provider: str = "anthropic") -> None:
        self._provider = provider

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.crash.child", self._provider]
        # Bounded from outside too, so that nothing is left behind by a test that is itself killed: its input ends.
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=150)

    def start(self, attempt: Attempt) -> int:
        """The id of a new process; one at a time."""
        assert self._process.stdin is not None
        Path(attempt.folder, "report.json").unlink(missing_ok=True)
        Path(attempt.folder, "hits.log").unlink(missing_ok=True)
        self._process.stdin.write(attempt.to_json() + "\n")
        self._process.stdin.flush()
        pid: int = self._heard()["pid"]
        return pid

    def ended(self, attempt: Attempt) -> Ended:
        """How it ended, once it did."""
        folder = Path(attempt.folder)
        status = self._heard()["status"]
        if status == -signal.SIGKILL:
            hits = (folder / "hits.log").read_text("utf-8").split("\n") if (folder / "hits.log").exists() else [""]
            return Ended(was_killed=True, point=hits[0] or None)
        if status != 0:
            log = (folder / "stderr.log").read_text("utf-8")[-3000:]
            raise RuntimeError(f"a process {'hung' if status is None else f'ended with {status}'}: {log}")
        report = json.loads((folder / "report.json").read_text("utf-8"))
        summary = report["summary"]
        if summary is not None and summary.get("total_cost") is not None:
            summary["total_cost"] = Decimal(summary["total_cost"])
        error = report["error"] and tuple(report["error"])
        return Ended(was_killed=False, summary=summary, stats=report.get("stats"), error=error)

    def run(self, attempt: Attempt) -> Ended:
        """Start a process and wait for its end."""
        self.start(attempt)
        return self.ended(attempt)

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that forks the others has ended")
        words: dict[str, Any] = json.loads(line)
        return words


def _environment() -> dict[str, str]:
    dropped = {"ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "ANTHROPIC_CUSTOM_HEADERS", "COVERAGE_PROCESS_CONFIG"}
    return {name: value for name, value in os.environ.items() if name not in dropped}
