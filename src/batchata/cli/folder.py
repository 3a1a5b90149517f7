"""Where a run lives: a folder with its state, its outcomes, and what it was asked to do."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from batchata.cli.settings import Given, Settings, checked, is_address, merged, run_file
from batchata.disk import make_folder, write_whole
from batchata.errors import ArgumentError, ResultsError

COMMAND = "command.json"
"""In the folder: what the run was asked to do."""
_STATE = "state.json"
_SUFFIX = "-run"
_NAMELESS = "batchata"
_VERSION = 1
_HIDDEN = "***"
"""Stands for a secret that is not kept."""
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")
_SECRET = re.compile(r"(?i)([?&][^=&]*(?:key|token|secret|password|passwd|sig|signature|credential)[^=&]*=)[^&]+")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder.

    Attributes:
        path: the results directory.
        state: a path or a database address.
    """

    path: Path
    state: str

    @property
    def shown(self) -> str:
        """As short as it can be typed here."""
        relative = os.path.relpath(self.path)
        return str(self.path) if relative.startswith("..") else relative

    @property
    def settings(self) -> Settings | None:
        """What the run was asked to do; ``None`` for one that Python began."""
        return checked(self.kept()) if (self.path / COMMAND).exists() else None

    def keep(self, settings: Settings) -> None:
        """Write down what the run was asked to do, without secrets. Raises ``ResultsError``."""
        told = settings.model_dump(mode="json", exclude_defaults=True)
        text = json.dumps({"version": _VERSION, "settings": _each_address(told, without_secrets)}, indent=1)
        try:
            make_folder(self.path)
            write_whole(self.path / COMMAND, (text.encode(), b"\n"))
        except OSError as error:
            raise ResultsError(
                f"{COMMAND!r} cannot be written into {str(self.path)!r}: {error.strerror}. Make room there, or choose "
                f"another folder: --results-dir."
            ) from error

    def forget(self, *, is_ours: bool) -> None:
        """After a run that was refused before it began: no more is left of it than there was before.

        Args:
            is_ours: whether the folder itself was made for it.
        """
        (self.path / COMMAND).unlink(missing_ok=True)
        if is_ours:
            with contextlib.suppress(OSError):  # something is in it
                self.path.rmdir()

    def kept(self) -> Given:
        """What the run was asked to do. Raises ``ArgumentError`` where nothing was kept."""
        path = self.path / COMMAND
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["version"] != _VERSION:
                raise ArgumentError(
                    f"{str(path)!r} was written by a newer batchata. Install that to go on with it."
                )
            found: Given = told["settings"]
        except FileNotFoundError as error:
            raise ArgumentError(
                f"{str(self.path)!r} holds no {COMMAND!r}: it was not begun by 'batchata run'. Go on with it "
                f"where it was begun, or by 'batchata run' with the same arguments, --state-path and --results-dir."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArgumentError(f"{str(path)!r} is not as 'batchata run' wrote it: {error!r}") from error
        return found


def folder_of(settings: Settings, source: Path | None, name: str | None) -> RunFolder:
    """Where a run goes: as it says itself, else beside its run file and named after it, else here."""
    folder = settings.results_dir
    if folder is None:
        home = Path.cwd() if source is None else source.absolute().parent
        stem = name or (_NAMELESS if source is None else source.stem)
        folder = str(home / f"{stem}{_SUFFIX}")
    return RunFolder(Path(folder), settings.state_path or str(Path(folder) / _STATE))


def find(target: str | None, state_path: str | None = None) -> RunFolder:
    """The run that somebody means by a folder, a run file or a name; without any, the only one here.

    Raises ``ArgumentError`` where there is none, or there are several.
    """
    folder = path_of(target)
    told = RunFolder(folder, "").settings
    known = None if told is None else told.state_path
    if state_path is None and known is not None:
        _whole(known)
    return RunFolder(folder, state_path or known or str(folder / _STATE))


def path_of(target: str | None) -> Path:
    """The folder alone, for what does not need the state. Raises ``ArgumentError`` as ``find`` does."""
    return _only() if target is None else _named(target)


def settings_of(folder: RunFolder, changes: Given) -> Settings:
    """What the run was asked to do, with what may change changed. Raises ``ArgumentError``."""
    told = {**folder.kept(), **changes}
    _each_address(told, _whole)
    return merged(told, {})


def _whole(address: str) -> str:
    if is_address(address) and re.search(rf"[:=]{re.escape(_HIDDEN)}", address):
        raise ArgumentError(
            f"{address!r} was given with a password or key in it, and those are not kept. Give it again: --state-path "
            f"for the state; for the inputs, the same 'batchata run' as before."
        )
    return address


def runs_here() -> list[Path]:
    """The folders of runs in the working directory."""
    return sorted(path.parent for path in Path().glob(f"*/{COMMAND}"))


def _only() -> Path:
    runs = runs_here()
    if len(runs) == 1:
        return runs[0].absolute()
    listed = ", ".join(str(run) for run in runs)
    words = (
        f"There are several runs here: {listed}. Name one." if runs else "There is no run here. Name its folder."
    )
    raise ArgumentError(words)


def _named(target: str) -> Path:
    path = Path(target)
    if path.suffix == ".toml":
        return folder_of(checked(run_file(path)), path, None).path
    for folder in (path, Path(f"{target}{_SUFFIX}")):
        if folder.is_dir():
            return folder.absolute()
    here = ", ".join(str(run) for run in runs_here()) or "none"
    raise ArgumentError(
        f"There is no run {target!r}. Give its folder, its name or its run file. Runs here: {here}."
    )


def without_secrets(address: str) -> str:
    """An address as it may be printed and kept; other texts as they are."""
    if not is_address(address):
        return address
    return _SECRET.sub(rf"\1{_HIDDEN}", _PASSWORD.sub(rf"\1:{_HIDDEN}@", address))


def _each_address(told: Given, change: Callable[[str], str]) -> Given:
    """The settings with every address changed."""
    found = dict(told)
    for key in ("state_path", "messages"):
        if isinstance(told.get(key), str):
            found[key] = change(told[key])
    if told.get("files") is not None:
        found["files"] = [change(each) for each in told["files"]]
    if isinstance(told.get("examples"), list):
        found["examples"] = [
            {**each, "input": change(each["input"])} if isinstance(each["input"], str) else each
            for each in told["examples"]
        ]
    return found
