"""The command ``reconcile``: what is at the provider, held against what the state knows. It changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum

from batchata.cli.exits import Code
from batchata.cli.folder import find, settings_of, without_secrets
from batchata.cli.out import Out, counted
from batchata.cli.settings import Given, Settings
from batchata.errors import ArgumentError, ProviderError
from batchata.providers import Provider
from batchata.runner.start import connect
from batchata.runner.task import Task, parse_custom_id
from batchata.store import read_state
from batchata.types import JobSnapshot, JobState, JobStatus, RunState


class Verdict(StrEnum):
    """Whose a job at the provider is."""

    KNOWN = "known"
    """The state has it."""
    FOUND = "found"
    """Its answers bear the ids of a job in doubt, which takes it up when the run goes on."""
    OURS = "ours"
    """Its answers bear this run's ids, and the state does not have it."""
    OTHERS = "others"
    """Its answers bear other ids."""
    OPEN = "open"
    """It may be ours; only its answers can tell, and it has none yet."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job at the provider."""

    snapshot: JobSnapshot
    verdict: Verdict
    job: int | None

    def told(self) -> dict[str, object]:
        """For programs."""
        counts = self.snapshot.counts
        return {
            "provider_job_id": self.snapshot.provider_job_id,
            "verdict": self.verdict,
            "job": self.job,
            "state": self.snapshot.state,
            "requests": None if counts is None else counts.total,
            "created_at": self.snapshot.created_at,
        }

    def line(self) -> str:
        """For people."""
        number = "" if self.job is None else f", job {self.job} of the run"
        return f"  {self.snapshot.provider_job_id}: {self.verdict}{number}, {self.snapshot.state}"


def reconcile(target: str | None, changes: Given, out: Out) -> Code:
    """Name the jobs in doubt, and the jobs at the provider that may be ours."""
    folder = find(target, changes.get("state_path"))
    settings = settings_of(folder, changes)
    state = read_state(folder.state)
    if state is None or settings.model is None:
        raise ArgumentError(
            f"There is no state at {without_secrets(folder.state)!r}, so nothing to hold against it."
        )
    provider, _ = connect(Task(model=settings.model))
    found = list(_candidates(provider, state, settings))
    doubted = [job for job in state.live.values() if job.status is JobStatus.SUBMITTING or not job.is_proven]
    strays = [each for each in found if each.verdict is Verdict.OURS]
    data = {
        "run_id": state.run.run_id,
        "jobs_in_doubt": [job.number for job in doubted],
        "candidates": [each.told() for each in found],
    }
    lines = [
        f"{counted(len(doubted), 'job')} in doubt, {counted(len(strays), 'job')} of this run not in its state.",
        *(each.line() for each in found),
    ]
    if doubted:
        lines.append(f"A job in doubt is looked for before anything is sent again: batchata resume {folder.shown}")
    if strays:
        lines.append(
            "What the state does not have was paid for. Put the newest state back, or read it by BatchJob.attach."
        )
    out.tell(data, lines)
    return Code.ITEMS_FAILED if strays else Code.OK


def _candidates(provider: Provider, state: RunState, settings: Settings) -> Iterator[Candidate]:
    """Every job that the provider finds for a job of the run, and for the ones that would come next."""
    known = {
        job_id: job.number
        for job in state.live.values()
        for job_id in [job.provider_job_id]
        if job_id and job.is_proven
    }
    seen: set[str] = set()
    for tag, count in _looked_for(state, settings):
        for snapshot in provider.find(tag, state.run.created_at, count):
            job_id = snapshot.provider_job_id
            if job_id not in seen:
                seen.add(job_id)
                if job_id in known:
                    yield Candidate(snapshot, Verdict.KNOWN, known[job_id])
                else:
                    yield _judged(provider, snapshot, state)


def _looked_for(state: RunState, settings: Settings) -> Iterator[tuple[str, int]]:
    """Tag and number of requests: of the live jobs, and of those that a newer copy of the state may have had."""
    for job in state.live.values():
        yield f"{state.run.run_id}-{job.number}", job.request_count
    following = state.next_number
    sizes = {settings.items_per_job, *(job.request_count for job in state.live.values())}
    for number in range(following, following + settings.max_parallel_jobs):
        for size in sorted(sizes):
            yield f"{state.run.run_id}-{number}", size


def _judged(provider: Provider, snapshot: JobSnapshot, state: RunState) -> Candidate:
    """By the first answer that names its request."""
    if snapshot.state is not JobState.ENDED:
        return Candidate(snapshot, Verdict.OPEN, None)
    with contextlib.closing(_numbers(provider, snapshot.provider_job_id)) as numbers:
        first = next(numbers, None)
    if first is None or first[0] != state.run.run_id:
        return Candidate(snapshot, Verdict.OTHERS, None)
    number = first[1]
    job = state.live.get(number)
    if job is not None and job.provider_job_id in {None, snapshot.provider_job_id}:
        return Candidate(snapshot, Verdict.FOUND, number)
    # Of a job that is over the state keeps the number alone.
    return Candidate(snapshot, Verdict.KNOWN if number in state.over else Verdict.OURS, number)


def _numbers(provider: Provider, job_id: str) -> Generator[tuple[str, int]]:
    try:
        for line in provider.fetch(job_id):
            with contextlib.suppress(ValueError):
                parsed = parse_custom_id(provider.decode(line).custom_id)
                yield ("", -1) if parsed is None else parsed[:2]
    except ProviderError:  # its answers are no longer kept
        return
