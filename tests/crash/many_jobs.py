"""What the state costs in a long run: bytes written to the JSON document, seconds in it, and memory.

``python -m tests.crash.many_jobs --jobs 1000 10000`` runs jobs of 10 items, 50 at a time, against a server that ends
them at once, each run in a process of its own, and prints the figures per job and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import batchata
from batchata.store.document import DocumentStore
from tests.crash.nursery import ROOT
from tests.crash.work import hurry
from tests.wire.anthropic_server import KEY

ITEMS_PER_JOB = 10
LIMIT_SECONDS = 3_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run. ``state_seconds`` are spent in ``DocumentStore.save``, the disk's own time included."""

    jobs: int
    saves: int
    state_bytes: int
    largest_state: int
    state_seconds: float
    seconds: float
    peak_kb: int


def measure(jobs: int, parallel: int) -> Figures:
    """In a process of its own, with a server in another."""
    with tempfile.TemporaryDirectory(prefix="batchata-jobs-") as folder, served() as url:
        environment = os.environ | {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY}
        command = [sys.executable, "-m", "tests.crash.many_jobs", "--child", folder]
        command += ["--jobs", str(jobs), "--parallel", str(parallel)]
        made = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )
        if made.returncode != 0:
            raise RuntimeError(made.stderr[-3000:])
    return Figures(**json.loads(made.stdout))


@contextmanager
def served() -> Iterator[str]:
    """An instant server, whose time and memory are not the run's."""
    command = [sys.executable, "-m", "tests.wire.anthropic_server", "--ends-after-seconds", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.communicate(timeout=60)


def child(folder: Path, jobs: int, parallel: int) -> Figures:
    """The run, with the calls that put the state on the disk counted and timed; each is really made."""
    hurry()
    sizes: list[int] = []
    spent = [0.0]
    real_replace, real_save = os.replace, DocumentStore.save

    def replace(source: Any, target: Any, **more: Any) -> None:
        if Path(target).name == "state.json":
            sizes.append(Path(source).stat().st_size)
        real_replace(source, target, **more)

    def save(this: DocumentStore, job: Any, planned: Any) -> None:
        began = time.perf_counter()
        real_save(this, job, planned)
        spent[0] += time.perf_counter() - began

    os.replace, DocumentStore.save = replace, save  # type: ignore[assignment,method-assign]  # the real ones are called
    began = time.monotonic()
    summary = batchata.BatchManager(
        messages=([{"role": "user", "content": f"Item {item}"}] for item in range(jobs * ITEMS_PER_JOB)),
        model="claude-haiku-5-5",
        max_tokens=50,
        items_per_job=ITEMS_PER_JOB,
        max_parallel_jobs=parallel,
        state_path=folder / "state.json",
        results_dir=folder / "out",
        raw_files=False,
    ).run()
    if (summary["completed_items"], summary["jobs_completed"]) != (jobs * ITEMS_PER_JOB, jobs):
        raise RuntimeError(f"the run is not whole: {summary}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Figures(jobs, len(sizes), sum(sizes), max(sizes), spent[0], time.monotonic() - began, peak)


def table(found: list[Figures]) -> Iterator[str]:
    yield "    jobs    saves   bytes/job  largest state  state ms/job   all ms/job   peak MB"
    for each in found:
        yield (
            f"{each.jobs:8,} {each.saves:8,} {each.state_bytes / each.jobs:11,.0f} {each.largest_state:14,} "
            f"{each.state_seconds / each.jobs * 1e3:13.2f} {each.seconds / each.jobs * 1e3:12.1f} "
            f"{each.peak_kb / 1024:9.0f}"
        )
    first, last = found[0], found[-1]
    yield (
        f"per job, {last.jobs:,} to {first.jobs:,}: bytes × {bytes_ratio(first, last):.2f}, "
        f"state seconds × {last.state_seconds / last.jobs / (first.state_seconds / first.jobs):.2f}, "
        f"all seconds × {last.seconds / last.jobs / (first.seconds / first.jobs):.2f}; "
        f"peak memory × {last.peak_kb / first.peak_kb:.2f}"
    )


def bytes_ratio(first: Figures, last: Figures) -> float:
    """Bytes a job of the longer run to those of the shorter."""
    return last.state_bytes / last.jobs / (first.state_bytes / first.jobs)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.many_jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--parallel", type=int, default=50)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        figures = child(arguments.child, arguments.jobs[0], arguments.parallel)
        print(json.dumps(asdict(figures)))  # noqa: T201  # for the process that started it
        return
    for line in table([measure(jobs, arguments.parallel) for jobs in arguments.jobs]):
        print(line, flush=True)  # noqa: T201  # for whoever started it


if __name__ == "__main__":
    main()
