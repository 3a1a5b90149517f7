"""The commands that work on a run: run, resume, retry, cancel."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from batchata.cli.asking import agree
from batchata.cli.building import manager_of, with_files
from batchata.cli.exits import Code, InterruptedRunError, code_of_summary
from batchata.cli.folder import RunFolder, find, folder_of, settings_of, without_secrets
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
        folder.keep(settings)
    out.remark(f"The run is kept in {folder.shown}")
    with way_on(folder, settings):
        summary = manager.run(print_progress=not out.is_quiet)
    return _finish(summary, folder, out)


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
    if state.totals.failed:
        agree(manager, settings.max_cost, yes=yes, items=state.totals.failed)
    with way_on(folder, settings):
        summary = manager.retry_failed(print_progress=not out.is_quiet, everything=everything)
    return _finish(summary, folder, out)


def cancel(target: str | None, changes: Given, out: Out) -> Code:
    """Cancel what is in flight, and wait for its end."""
    folder = find(target, changes.get("state_path"))
    settings = settings_of(folder, changes)
    manager = manager_of(settings, folder)
    if read_state(folder.state) is None:
        raise ArgumentError(f"Nothing was run in {folder.shown} yet, so there is nothing to cancel.")
    with way_on(folder, settings):
        manager.cancel()
    stats = manager.stats
    done = stats["completed_items"] + stats["failed_items"]
    out.tell(
        stats,
        [
            f"Canceled. {counted(done, 'item')} have an outcome, {stats['failed_items']:,} of them failed or canceled.",
            f"Go on with the rest: batchata resume {folder.shown}",
        ],
    )
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
    code = code_of_summary(summary)
    not_begun = summary["total_items"] - summary["completed_items"] - summary["failed_items"]
    lines = [
        f"{summary['completed_items']:,} of {counted(summary['total_items'], 'item')} completed"
        + (f", {summary['failed_items']:,} failed" if summary["failed_items"] else "")
        + (f", {not_begun:,} not done" if not_begun else "")
        + f"; {_cost(summary['total_cost'])}",
        f"Results: batchata results {folder.shown}    Report: batchata report {folder.shown}",
    ]
    if summary["failed_items"]:
        lines.append(f"Ask again for what failed: batchata retry {folder.shown}")
    if summary["cost_limit_reached"]:
        lines.append(f"max_cost stopped it. Raise it to go on: batchata resume {folder.shown} --max-cost DOLLARS")
    out.tell({**summary, "results_dir": str(folder.path), "state_path": str(without_secrets(folder.state))}, lines)
    return code


def _cost(amount: Decimal | None) -> str:
    return "the cost of some is not known" if amount is None else f"cost {dollars(amount)}"
