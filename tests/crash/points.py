"""Points at which a process can be killed: around each real call that puts something on the disk or on the wire.

Only the child process wraps these calls, and each wrapper makes the real one.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchata.providers.anthropic.provider import AnthropicProvider
from batchata.providers.gemini.provider import GeminiProvider
from batchata.providers.openai.provider import FileJobsProvider
from batchata.store.document import DocumentStore
from batchata.store.sql import SqlStore

_RUN_ID = re.compile(r"bt[0-9a-f]{12}-")


@dataclass  # without slots, which all threads would share
class _Where(threading.local):
    """What a thread is doing: saving which step, creating which job."""

    step: str = ""
    creating: str = ""
    last: str = ""
    calls: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Points:
    """Names every point it passes, and dies at the chosen ones.

    A name is ``before`` or ``after``, a step (the same in every process and run) and a call.
    """

    folder: Path
    kill_at: frozenset[str]
    hit: int
    passed: int | None = None
    where: _Where = field(default_factory=_Where)

    def reach(self, point: str) -> None:
        if self.passed is not None:
            os.write(self.passed, f"{point}\n".encode())
        if point in self.kill_at:
            os.write(self.hit, f"{point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        self.reach(f"before {name}")
        result = call()
        self.reach(f"after {name}")
        return result

    def install(self) -> None:
        """Wrap the calls, in this process."""
        self._wrap_files()
        self._wrap_sockets()
        for provider in (AnthropicProvider, FileJobsProvider, GeminiProvider):
            self._wrap_submit(provider)
        for store in (DocumentStore, SqlStore):
            self._wrap_store(store)

    def _wrap_files(self) -> None:
        system: Any = os
        real_replace, real_fsync = system.replace, system.fsync

        def replace(source: Any, target: Any, **more: Any) -> None:
            self.where.last = self._named(Path(target))
            self.around(f"{self.where.last}: rename", lambda: real_replace(source, target, **more))

        def fsync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            name = f"folder of {self.where.last}" if path.is_dir() else self._named(path)
            self.around(f"{name}: fsync", lambda: real_fsync(descriptor))

        system.replace, system.fsync = replace, fsync

    def _named(self, path: Path) -> str:
        name = path.name.removeprefix(".").removesuffix(".partial")
        if name.startswith("state.") and not name.endswith(".lock"):
            return self.where.step
        place = "" if path.parent == self.folder else f"{path.parent.name} "
        return place + _RUN_ID.sub("", name)

    def _wrap_store(self, store: Any) -> None:
        real_save, real_create = store.save, store.create

        @functools.wraps(real_save)
        def save(this: Any, job: Any, planned: Any) -> None:
            self.where.step = f"state job {job.number} {job.status}"
            self.around(f"{self.where.step}: save", lambda: real_save(this, job, planned))

        @functools.wraps(real_create)
        def create(this: Any, run: Any) -> None:
            self.where.step = "state new run"
            self.around(f"{self.where.step}: save", lambda: real_create(this, run))

        store.save, store.create = save, create

    def _wrap_submit(self, provider: Any) -> None:
        real_submit = provider.submit

        @functools.wraps(real_submit)
        def submit(this: Any, entries: Any, *, tag: str) -> str:
            self.where.creating = f"create job {tag.rpartition('-')[2]}"
            self.where.calls.clear()
            try:
                job_id: str = real_submit(this, entries, tag=tag)
            finally:
                self.where.creating = ""
            return job_id

        provider.submit = submit

    def _wrap_sockets(self) -> None:
        sockets: Any = socket.socket

        def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(this: socket.socket, *args: Any) -> Any:
                if not self.where.creating:
                    return real(this, *args)
                self.where.calls[name] += 1
                step = f"{self.where.creating}: {name} {self.where.calls[name]}"
                return self.around(step, lambda: real(this, *args))

            return call

        sockets.send, sockets.recv = counted("send", sockets.send), counted("recv", sockets.recv)
