"""The command line inside the test's own process: through the real ``main``, with what it printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from batchata.cli import main


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
