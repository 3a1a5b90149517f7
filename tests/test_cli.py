"""The command line as a process: exit codes, help, errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batchata", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **environment},
        timeout=120,
    )


@pytest.mark.parametrize("command", [(), ("local",), ("local", "fetch"), ("demo",)])
def test_help_everywhere(command: tuple[str, ...]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert "--help" in done.stdout


def test_version() -> None:
    assert run("--version").stdout == "batchata 0.1.0\n"


def test_an_unknown_command_is_exit_code_2() -> None:
    done = run("fly")
    assert done.returncode == 2
    assert "fly" in done.stderr


def test_an_error_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    done = run("demo", "--folder", str(tmp_path / "out"), BATCHATA_CACHE_DIR=str(tmp_path / "empty"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "batchata local fetch" in done.stderr
    assert "Traceback" not in done.stderr
