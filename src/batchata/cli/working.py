"""The commands that work on a run: run, resume, retry, cancel."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from batchata import BatchManager
from batchata.cli.asking import agree
from batchata.cli.building import manager_of, with_files
from batchata.cli.exits import Code, InterruptedRunError, code_of_summary
from batchata.cli.failures import Failures
from batchata.cli.folder import COMMAND, RunFolder, find, folder_of, settings_of, without_secrets
from batchata.cli.out import Out, counted, dollars
from batchata.cli.settings import Given, Settings, anchored, merged, run_file
from batchata.errors import ArgumentError, BatchataError, StateError
from batchata.store import read_state
from batchata.types import RunSummary


def gathered(inputs: list[str], options: Given, name: str | None) -> tuple[Settings, RunFolder]:
    """What the command line and the run file say together, and where the run goes. Raises ``ArgumentError``."""
    source = Path(inputs[0]) if inputs and inputs[0].endswith(".toml") else None
    files = inputs if source is None else inputs[1:]
    typed = anchored({**options, **({"files": files} if files else {})}, Path.cwd())
    told = {} if source is None else run_file(source)
    if "response_model" not in typed and source is not None:
        del typed["base"]  # modules are looked for beside whoever named them
    for one, other in (("files", "messages"), ("messages", "files")):
        if one in typed:
            told.pop(other, None)
    settings = merged(told, typed)
    return settings, folder_of(settings, source, name)


def run(settings: Settings, folder: RunFolder, out: Out, *, yes: bool) -> Code:
    """Begin a run, or go on with it."""
    settings = with_files(settings)
    manager = manager_of(settings, folder)
    if read_state(folder.state) is None:
        agree(manager, settings.max_cost, yes=yes)
        with _tidy(folder):
            folder.keep(settings)
            return _run(manager, settings, folder, out)
    told = folder.settings
    if settings.max_cost is None and told is not None and told.max_cost is not None:
        agree(manager, None, yes=yes)  # what was agreed to before was that cap
    return _run(manager, settings, folder, out)


def _run(manager: BatchManager[Any], settings: Settings, folder: RunFolder, out: Out) -> Code:
    out.remark(f"The run's folder: {folder.shown}")
    with way_on(folder, settings):
        summary = manager.run(print_progress=not out.is_quiet)
    return _finish(summary, folder, out)


@contextlib.contextmanager
def _tidy(folder: RunFolder) -> Iterator[None]:
    """Around a new run: if it is refused before it begins, nothing of it stays."""
    is_new, was_kept = not folder.path.exists(), (folder.path / COMMAND).exists()
    try:
        yield
    except BatchataError:
        if not was_kept and read_state(folder.state) is None:
            folder.forget(is_ours=is_new)
        raise


def resume(target: str | None, changes: Given, out: Out) -> Code:
    """Go on with a run, by what was kept of it."""
    folder = find(target, changes.get("state_path"))
    settings = settings_of(folder, changes)
    manager = manager_of(settings, folder)
    with way_on(folder, settings):
        summary = manager.run(print_progress=not out.is_quiet)
    return _finish(summary, folder, out)


def retry(target: str | None, changes: Given, out: Out, *, everything: bool, yes: bool) -> Code:
    """Ask once more for what failed."""
    folder = find(target, changes.get("state_path"))
    settings = settings_of(folder, changes)
    state = read_state(folder.state)
    if state is None:
        raise ArgumentError(
            f"Nothing was run in {folder.shown} yet, so there is nothing to retry. First: batchata run."
        )
    manager = manager_of(settings, folder)
    failures = Failures.read(folder.path) if state.totals.failed else None
    if failures is not None and (items := failures.total if everything else failures.retryable):
        agree(manager, settings.max_cost, yes=yes, items=items)
    with way_on(folder, settings):
        summary = manager.retry_failed(print_progress=not out.is_quiet, everything=everything)
    return _finish(summary, folder, out)


def cancel(target: str | None, changes: Given, out: Out) -> Code:
    """Cancel what is in flight, and wait for its end."""
    folder = find(target, changes.get("state_path"))
    settings = settings_of(folder, changes)
    manager = manager_of(settings, folder)
    state = read_state(folder.state)
    if state is None:
        raise ArgumentError(f"Nothing was run in {folder.shown} yet, so there is nothing to cancel.")
    with way_on(folder, settings):
        manager.cancel()
    stats = manager.stats
    done, failed = stats["completed_items"] + stats["failed_items"], stats["failed_items"]
    lines = [
        "Canceled." if state.live else "Nothing was in flight.",
        f"{counted(done, 'item')} {'has' if done == 1 else 'have'} an outcome, {failed:,} of them failed or canceled.",
    ]
    if failed:
        lines.append(f"Ask again for what failed or was canceled: batchata retry {folder.shown}")
    if not state.planned.is_all:
        lines.append(f"Go on with what was not sent: batchata resume {folder.shown}")
    out.tell(stats, lines)
    return Code.OK


@contextlib.contextmanager
def way_on(folder: RunFolder, settings: Settings) -> Iterator[None]:
    """Whatever stops the run, say how it goes on; what was asked is kept once the run has accepted it."""
    try:
        yield
    except (ArgumentError, StateError):
        raise
    except BatchataError as error:
        folder.keep(settings)
        # Instead of the library's own note, which speaks to Python programs.
        is_begun = read_state(folder.state) is not None
        way = f"Everything so far is kept. To go on: batchata resume {folder.shown}"
        error.__notes__ = [way if is_begun else "Nothing was sent."]
        raise
    except KeyboardInterrupt as error:
        raise InterruptedRunError(_interrupted(folder, settings)) from error
    folder.keep(settings)


def _interrupted(folder: RunFolder, settings: Settings) -> str:
    state = read_state(folder.state)
    if state is None:
        return "Stopped before anything was sent."
    folder.keep(settings)
    flying = f" {counted(len(state.live), 'job')} may go on at the provider." if state.live else ""
    return f"Stopped. Everything so far is kept.{flying}\nTo go on: batchata resume {folder.shown}"


def _finish(summary: RunSummary, folder: RunFolder, out: Out) -> Code:
    data = {**summary, "results_dir": str(folder.path), "state_path": str(without_secrets(folder.state))}
    out.tell(data, _summary_lines(summary, folder))
    return code_of_summary(summary)


def _summary_lines(summary: RunSummary, folder: RunFolder) -> Iterator[str]:
    failed = summary["failed_items"]
    not_begun = summary["total_items"] - summary["completed_items"] - failed
    yield (
        f"{summary['completed_items']:,} of {counted(summary['total_items'], 'item')} completed"
        + (f", {failed:,} failed" if failed else "")
        + (f", {not_begun:,} not done" if not_begun else "")
        + f"; {_cost(summary['total_cost'])}"
    )
    if failed:
        yield from Failures.read(folder.path).lines(folder.shown)
    if summary["cost_limit_reached"]:
        yield f"max_cost stopped it. Raise it to go on: batchata resume {folder.shown} --max-cost DOLLARS"
    yield f"Results: batchata results {folder.shown}    Report: batchata report {folder.shown}"


def _cost(amount: Decimal | None) -> str:
    return "the cost of some is not known" if amount is None else f"cost {dollars(amount)}"
