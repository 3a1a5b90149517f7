"""The commands that only look: estimate, status, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batchata.cli.asking import estimate_lines
from batchata.cli.building import manager_of, with_files
from batchata.cli.exits import Code
from batchata.cli.folder import RunFolder, find, path_of, without_secrets
from batchata.cli.out import Out, counted
from batchata.cli.schemas import response_model
from batchata.cli.settings import Settings
from batchata.errors import ArgumentError
from batchata.progress import run_line
from batchata.runner.order import Places
from batchata.runner.run import stats_of
from batchata.store import read_holder, read_state
from batchata.types import JobRecord


def estimate(settings: Settings, folder: RunFolder, out: Out) -> Code:
    """What a run would take."""
    found = manager_of(with_files(settings), folder).estimate()
    out.tell(found, estimate_lines(found))
    return Code.OK


def status(target: str | None, state_path: str | None, out: Out) -> Code:
    """How a run stands, by its state alone: no lock, no key, no network."""
    folder = find(target, state_path)
    state = read_state(folder.state)
    if state is None:
        raise ArgumentError(
            f"There is no state at {without_secrets(folder.state)!r}: nothing was run there yet. If it is kept "
            f"elsewhere, name it: --state-path."
        )
    told = folder.settings
    cap = None if told is None else told.max_cost
    stats = stats_of(state, Places(without_secrets(folder.state), folder.path), max_cost=cap)
    if told is not None and told.files is not None:
        stats["total_items"] = len(told.files)
    is_over = state.planned.is_all and not state.live
    holder = read_holder(folder.state)
    data = {
        "run_id": state.run.run_id,
        "begun_at": state.run.created_at,
        **stats,
        "is_over": is_over,
        "is_working": holder is not None,
        "holder": holder,
        "live_jobs": [_job(job) for job in state.live.values()],
    }
    lines = [run_line(stats), *map(_job_line, state.live.values()), _way_on(folder, holder, is_over=is_over)]
    out.tell(data, lines)
    return Code.OK


def report(target: str | None, output: Path | None, out: Out) -> Code:
    """The HTML report."""
    from batchata import write_report  # noqa: PLC0415  # an extra

    folder = RunFolder(path_of(target), "")
    told = folder.settings
    arguments: dict[str, Any] = {}
    if told is not None and told.response_model is not None:
        arguments["response_model"] = response_model(told.response_model, told.base)
    path = write_report(folder.path, output, **arguments)
    out.tell({"report": str(path)}, [f"Open {path}"])
    return Code.OK


def _job(job: JobRecord) -> dict[str, Any]:
    return {
        "number": job.number,
        "status": job.status,
        "items": len(job.items),
        "is_retry": job.is_retry,
        "provider_job_id": job.provider_job_id,
        "submitting_at": job.submitting_at,
        "reserved_cost": job.reserved_usd,
        "message": job.message,
    }


def _job_line(job: JobRecord) -> str:
    name = "" if job.provider_job_id is None else f" {job.provider_job_id}"
    why = "" if job.message is None else f": {job.message}"
    return f"  job {job.number}: {job.status}{name}, {counted(len(job.items), 'item')}{why}"


def _way_on(folder: RunFolder, holder: str | None, *, is_over: bool) -> str:
    if holder is not None:
        return f"At work: {holder}."
    if is_over:
        return f"Over. batchata results {folder.shown}"
    return f"Not over, and no process works on it: batchata resume {folder.shown}"
