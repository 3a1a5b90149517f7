"""A real PostgreSQL server, Debian's package ``postgresql``, for as long as the tests run."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Ends when its standard input does, so also when the tests are killed.
GUARD = """
set -e
cd "$2"
trap '"$1/pg_ctl" -D data -m immediate stop >/dev/null 2>&1 || true; rm -rf "$2"/*' EXIT
"$1/initdb" -D data -U batchata -A trust -E UTF8 --no-sync >init.log
"$1/pg_ctl" -D data -w -t 60 -l server.log -o "-c listen_addresses='' -c fsync=off -k '$2'" start >/dev/null
echo ready
cat >/dev/null
"""


def folder_of_programs() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` are; ``None`` without PostgreSQL."""
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return found.parent
    found_name = shutil.which("initdb")
    return Path(found_name).resolve().parent if found_name else None


@contextlib.contextmanager
def postgres_server(programs: Path) -> Iterator[str]:
    """The address of an empty database on a server of its own, on a Unix socket in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="batchata-pg-", dir="/tmp"))  # a socket's path must be short
    command = ["sh", "-c", GUARD, "guard", str(programs), str(folder)]
    if os.geteuid() == 0:  # which the server refuses to run as
        shutil.chown(folder, "postgres")
        command = ["runuser", "-u", "postgres", "--", *command]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert guard.stdin is not None
        assert guard.stdout is not None
        if guard.stdout.readline() != "ready\n":
            logs = "\n".join(log.read_text("utf-8") for log in folder.glob("*.log"))
            raise RuntimeError(f"the PostgreSQL server did not start: {logs}")
        yield f"postgresql+psycopg://batchata@/postgres?host={folder}"
    finally:
        guard.communicate(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
