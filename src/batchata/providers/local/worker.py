"""The process that answers a job's requests: ``python -m batchata.providers.local.worker FOLDER``.

It outlives the process that started it. One at a time works on a job; a second leaves quietly.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from batchata.providers.local import prompts
from batchata.providers.local.answer import Answerer
from batchata.providers.local.engine import Canceled, Engine
from batchata.providers.local.finish import finish, open_requests
from batchata.providers.local.jobs import Job, ResultWriter, try_lock
from batchata.types import Reason

_LOOK_SECONDS = 0.2
_LOCK_TRIES = 20
_PROBE_CONTEXT = 256
_FORM_ROOM = 1_024
_STEP = 256


def main(folder: Path) -> None:
    """Work on the job until every request has its line."""
    job = Job(folder)
    # A look at the lock by ``check`` holds it for an instant: so more than one try.
    for _ in range(_LOCK_TRIES):
        lock = try_lock(job)
        if lock is not None:
            break
        time.sleep(_LOOK_SECONDS / 2)
    else:
        return
    with lock:
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())  # for whoever wonders which process it is
        lock.flush()
        if not job.has("ended"):
            _work(job)


def _work(job: Job) -> None:
    if job.has("canceled"):
        finish(job, Reason.CANCELED, "the job was canceled before this request was answered")
        return
    about = job.about()
    threads = os.cpu_count() or 1
    context = _context(job, about, threads)
    slots = max(1, min(int(about["slots"]), int(about["count"])))
    engine = Engine(Path(about["weights"]), slots=slots, context=context, threads=threads)
    writer = ResultWriter(job)
    _answer_all(job, engine, slots, writer)
    writer.close()
    if job.has("canceled"):
        finish(job, Reason.CANCELED, "the job was canceled before this request was answered")
    else:
        job.mark("ended")


def _answer_all(job: Job, engine: Engine, slots: int, writer: ResultWriter) -> None:
    def is_canceled() -> bool:
        return job.has("canceled")

    free: SimpleQueue[Answerer] = SimpleQueue()
    for slot in range(slots):
        free.put(Answerer(engine, slot, is_canceled))

    def answer(request: dict[str, Any]) -> bytes | None:
        answerer = free.get()
        try:
            return answerer.answer(request)
        except Canceled:
            return None
        finally:
            free.put(answerer)

    waiting: set[Future[bytes | None]] = set()
    with ThreadPoolExecutor(slots) as pool:
        for request in open_requests(job):
            if is_canceled():
                break
            waiting.add(pool.submit(answer, request))
            if len(waiting) > slots:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                _write(done, writer)
        _write(waiting, writer)


def _write(done: set[Future[bytes | None]], writer: ResultWriter) -> None:
    for future in done:
        line = future.result()
        if line is not None:
            writer.write(line)


def _context(job: Job, about: dict[str, Any], threads: int) -> int:
    """Room for the longest prompt and its answer, up to what the model was trained for (or the user's number)."""
    probe = Engine(Path(about["weights"]), slots=1, context=_PROBE_CONTEXT, threads=threads)
    cap = int(about["context"] or probe.trained_context())
    need = _STEP
    for request in open_requests(job):
        if prompts.unreadable(request) is not None:
            continue
        task = prompts.task_of(request)
        room = min(request["max_tokens"], _FORM_ROOM) if task.layout is not None else request["max_tokens"]
        prompt = probe.prompt(task.turns)
        need = max(need, probe.count(prompt) + room)
        if need >= cap:
            return cap
    return min(cap, -(-need // _STEP) * _STEP)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
