"""A run taken up: everything that must hold before its first step, whether it is new or was broken off."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from batchata.errors import ArgumentError, StateError, UnknownModelError
from batchata.plan import JobLimits
from batchata.providers import Provider
from batchata.results import ResultsDir
from batchata.runner.drafting import Appraiser, Drafter
from batchata.runner.identity import about, checked
from batchata.runner.inputs import Inputs
from batchata.runner.order import Order, Places
from batchata.runner.prepare import Preparer
from batchata.runner.settle import Settler
from batchata.runner.start import connect
from batchata.runner.task import Task
from batchata.runner.verify import Verified, verify
from batchata.store import Store, open_store
from batchata.types import ModelInfo, RunState

logger = logging.getLogger(__name__)

_MOST_CALLS = 32
"""Calls to the provider at a time."""
_BODY_BYTES = 64
"""What a provider's body may have beside its requests."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run with its rooms open.

    Attributes:
        state: as an earlier process left it.
        inputs: what is not in a job yet.
        verified: the inputs of jobs that are not over, and those that are to be tried again, read again.
        failed: the items that are to be tried again.
    """

    state: RunState
    provider: Provider
    store: Store
    results: ResultsDir
    settler: Settler
    drafter: Drafter
    pool: Executor
    inputs: Inputs
    verified: Verified
    failed: frozenset[int]


@contextlib.contextmanager
def open_run(order: Order, places: Places, *, retry: Retry | None = None) -> Iterator[OpenRun | None]:
    """Lock the run, check that it is the one it was, and take up its jobs; ``None`` for a run without inputs.

    Args:
        retry: which items that failed are read again; ``None`` for none.

    Raises:
        ArgumentError: something is not as it was when the run began; says what.
        StateLockedError: another process works on it.
    """
    with contextlib.ExitStack() as rooms:
        store = rooms.enter_context(contextlib.closing(open_store(places.state)))
        state = store.load()
        # Before the first input is taken, which an iterator gives once; and not at all where there is none.
        connected = None if order.given.count == 0 else connect(order.task)
        inputs = Inputs(order.given.items())
        if state is None and not inputs.has_more():
            yield None
            return
        provider, task = connected or connect(order.task)
        preparer = Preparer(provider, _described(provider, task, state), task)
        state = checked(state, order, preparer)
        appraiser = _appraiser(order, state, provider, task)
        results = _results(places, state, store, order, task)
        failed = frozenset[int]() if retry is None else retry.items(results)
        planned_live = {index for job in state.live.values() for index in job.items}
        verified = verify(
            order.given,
            inputs,
            state=state,
            preparer=preparer,
            results=results,
            wanted=planned_live | failed,
        )
        pool = ThreadPoolExecutor(min(_MOST_CALLS, max(4, order.max_parallel_jobs)), thread_name_prefix="batchata")
        rooms.callback(pool.shutdown, wait=False, cancel_futures=True)
        drafter = Drafter(
            preparer,
            run_id=state.run.run_id,
            max_tokens=task.max_tokens,
            limits=job_limits(order, provider),
            appraiser=appraiser,
            pool=pool,
        )
        settler = Settler(provider, task, preparer, results)
        yield OpenRun(state, provider, store, results, settler, drafter, pool, inputs, verified, failed)


@dataclass(frozen=True, slots=True)
class Retry:
    """Which failed items are to be tried again: those that may succeed, or all of them."""

    everything: bool

    def items(self, results: ResultsDir) -> frozenset[int]:
        """Their indexes."""
        return frozenset(index for index, error in results.failed_items() if self.everything or error["retryable"])


def _described(provider: Provider, task: Task, state: RunState | None) -> ModelInfo:
    """The model; where it is gone and answers of it are still to be collected, its name alone."""
    try:
        return provider.describe(task.model)
    except UnknownModelError as error:
        if state is None or not state.live:
            raise
        logger.warning("%s Its jobs in flight are collected all the same.", error)
        return ModelInfo(task.model)


def _appraiser(order: Order, state: RunState, provider: Provider, task: Task) -> Appraiser | None:
    if order.max_cost is None:
        return None
    if state.totals.unheld_costs:
        raise ArgumentError(
            f"max_cost cannot be kept: what {state.totals.unheld_costs:,} items of this run cost is not known, and the "
            f"run had no max_cost when they were sent. Go on without it, or begin another run for the rest."
        )
    appraiser = Appraiser(provider, task)
    if not appraiser.has_price:
        raise ArgumentError(
            f"max_cost needs prices, and none is known for {task.model!r}. Give them in dollars per million tokens: "
            f"prices={{{task.model!r}: {{'input': 0.10, 'output': 0.50}}}}; or leave max_cost out."
        )
    return appraiser


def job_limits(order: Order, provider: Provider) -> JobLimits:
    """How much goes into one job."""
    limits = provider.limits
    return JobLimits(min(order.items_per_job, limits.max_requests), limits.max_bytes - _BODY_BYTES)


def _results(places: Places, state: RunState, store: Store, order: Order, task: Task) -> ResultsDir:
    """The results directory, after the run is stored: a folder that names an unknown run could never be used."""
    results = ResultsDir.open(places.results_dir, run_id=state.run.run_id, raw_files=order.raw_files)
    if store.load() is None:
        store.create(state.run)
    if not results.has_run():
        results.write_run(about(state.run, order, task))
    on_disk = set(results.job_numbers())
    strange = sorted(on_disk - set(state.over) - set(state.live))
    if strange:
        raise StateError(
            f"{str(places.results_dir)!r} holds the outcomes of job {strange[0]}{_more(strange)}, which the state "
            f"{store.name!r} does not know: it is an older copy, and going on would pay for them "
            f"again. Put the newest state back, or give another state_path and results_dir for a new run."
        )
    missing = sorted(set(state.over) - on_disk)
    if missing:
        raise ArgumentError(
            f"The outcomes of job {missing[0]}{_more(missing)} are not in "
            f"results_dir {str(places.results_dir)!r}. Give the folder that the run was begun with."
        )
    return results


def _more(numbers: Sequence[int]) -> str:
    """How many stand for others that are not named."""
    return f" and {len(numbers) - 1:,} more" if len(numbers) > 1 else ""
