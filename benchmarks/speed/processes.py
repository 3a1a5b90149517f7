"""Starting those who are measured, each in a process of its own, and the server beside them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.speed.work import Measured

_SECONDS = 3_000
PEERS = Path(__file__).with_name("peers")


@contextlib.contextmanager
def served(delay: float = 0.0, jitter: float = 0.0) -> Iterator[str]:
    """The server's address while it runs."""
    command = [sys.executable, "-m", "benchmarks.speed.server", "--delay", str(delay), "--jitter", str(jitter)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603  # our own
        try:
            assert server.stdout is not None  # noqa: S101  # asked for above
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def measured(name: str, url: str, items: int, *options: str) -> Measured:
    """One run of ``floor``, ``ours`` or a peer."""
    program = [sys.executable, "-m", f"benchmarks.speed.{name}"] if name in {"floor", "ours"} else _peer(name)
    command = [*program, "--url", url, "--items", str(items), *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_SECONDS)  # noqa: S603  # our own
    if done.returncode:
        raise RuntimeError(f"{name} with {items:,} items ended with {done.returncode}:\n{done.stderr[-2_000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def peers() -> list[str]:
    """The peers there is a script for."""
    return sorted(path.stem for path in PEERS.glob("*.py"))


def _peer(name: str) -> Sequence[str]:
    """Its own Python, which is made when it is first wanted: peers and we do not always go together."""
    home = Path(sys.prefix) / "peers" / name
    python = home / "bin" / "python"
    ready, pinned = home / ".ready", (PEERS / f"{name}.txt").read_text(encoding="utf-8")
    if not ready.exists() or ready.read_text(encoding="utf-8") != pinned:
        uv = Path(sys.prefix) / "bin" / "uv"
        for arguments in (
            ("venv", "--quiet", "--clear", "--python", sys.executable, str(home)),
            ("pip", "install", "--quiet", "--python", str(python), "-r", str(PEERS / f"{name}.txt")),
        ):
            subprocess.run([str(uv), *arguments], check=True, timeout=_SECONDS)  # noqa: S603  # our own
        ready.write_text(pinned, encoding="utf-8")
    return [str(python), str(PEERS / f"{name}.py")]
