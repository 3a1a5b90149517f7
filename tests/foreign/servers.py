"""Starts them, and ends them."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

AIBRIX_PYTHON = Path(sys.prefix, "foreign", "bin", "python")
"""Where ``make foreign`` puts it."""
_UP_WITHIN_SECONDS = 60


@contextlib.contextmanager
def llama_cpp(weights: Path) -> Iterator[str]:
    """llama.cpp's own server in this process; gives its address."""
    import xllamacpp  # noqa: PLC0415  # heavy

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.verbosity = 0
    params.port = 0
    params.ui = False
    server = xllamacpp.Server(params)
    yield server.listening_address
    del server


@contextlib.contextmanager
def aibrix(model_url: str, folder: Path) -> Iterator[str]:
    """AIBrix in a process of its own, working in the folder; gives the address for ``COMPATIBLE_BASE_URL``."""
    port = _free_port()
    command = [str(AIBRIX_PYTHON), str(Path(__file__).with_name("launch.py")), "--dry-run"]
    with (folder / "aibrix.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "MODEL_URL": model_url},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/v1/batches", process, folder / "aibrix.log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait(30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _UP_WITHIN_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  # http, and ours
        except urllib.error.URLError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"AIBrix did not come up: {log.read_text('utf-8')[-2000:]}")
