"""The command line inside the test's own process: through the real ``main``, with what it printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from batchata.cli import main

MODEL = "claude-haiku-5-5"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs: exactly one object."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """What it printed as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


CommandLine: TypeAlias = Callable[..., Done]


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Calls the command line as a shell would."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["batchata", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return Done(int(end.value.code or 0), printed.out, printed.err)

    return run


def write_texts(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:02}.txt").write_text(f"document {number}")


def write_run_file(count: int, more: str = "") -> None:
    write_texts(Path("texts"), count)
    Path("job.toml").write_text(
        f'model = "{MODEL}"\nfiles = "texts/*.txt"\nprompt = "Repeat."\nitems_per_job = 2\n{more}', encoding="utf-8"
    )
