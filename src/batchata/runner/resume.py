"""The jobs that an earlier process left: where each of them stands, and how it goes on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from batchata.runner.live import Live
from batchata.runner.opening import OpenRun
from batchata.runner.starting import Progress
from batchata.runner.submit import late_seconds
from batchata.types import JobRecord, JobStatus


def take_up(opened: OpenRun, cap_usd: Decimal | None, now: float) -> Progress:
    """How far the run has come. Jobs whose outcomes are on disk are over; nothing is asked of the provider yet."""
    state = opened.state
    progress = Progress(
        planned=state.planned,
        chain=opened.verified.chain,
        totals=state.totals,
        next_number=state.next_number,
        cap_usd=cap_usd,
    )
    for record in state.live.values():
        live = Live(record, opened.verified.items_of(record), opened.verified.digests_of(record), now)
        if opened.results.has_job(record.number):
            _collect_from_disk(record, progress, opened)
        elif record.status in {JobStatus.PLANNED, JobStatus.REJECTED}:
            progress.waiting.append(live)
        else:
            live.must_look = record.status is JobStatus.SUBMITTING
            # From now, not from its submission: a process that hangs at its end may be sending it still.
            live.late_until = now + late_seconds(None)
            if cap_usd is not None and record.reserved_usd is None:
                live.record = replace(record, reserved_usd=_worst(live, opened))
            progress.live[record.number] = live
    return progress


def _collect_from_disk(record: JobRecord, progress: Progress, opened: OpenRun) -> None:
    """The process before died between writing the outcomes and saying so."""
    over = opened.settler.settle_from_disk(replace(record, status=JobStatus.ENDED))
    opened.store.save(over, progress.planned)
    progress.totals = progress.totals.plus(over)


def _worst(live: Live, opened: OpenRun) -> Decimal | None:
    """The most that a job in flight may cost, which was begun when nobody asked for it."""
    draft = opened.drafter.again(live.items, live.record.number, sent_with=live.record.max_tokens)
    try:
        return draft.worst_usd
    finally:
        draft.close()
