"""The dicts that the user sees."""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypedDict, TypeVar

from batchata.types.answers import Citation

T = TypeVar("T")


class ErrorInfo(TypedDict):
    """Why an entry has no result. ``raw_text`` is what the model wrote, where it wrote something."""

    reason: str
    message: str
    retryable: bool
    raw_text: str | None


class InputInfo(TypedDict):
    """Which input an entry belongs to: position from 0; of a file its name, and where it was read from."""

    index: int
    name: str | None
    source: str | None


class UsageInfo(TypedDict):
    """Tokens of one entry; ``input_tokens`` includes cache reads and writes, ``output_tokens`` reasoning."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int


class BatchResult(TypedDict, Generic[T]):
    """One entry of ``results()``.

    Keys:
        result: model instance, or text without a response model; ``None`` if the item failed.
        citations: field path → citations with a response model, else a list; ``None`` without citations, or where
            ``notes`` say that they could not be worked out.
        unmapped_citations: what the answer cites for no field that could be told; empty without a response model.
        error: ``None``, or why there is no result.
        input: which input this answers.
        usage: tokens; ``None`` when nothing was billed.
        cost_usd: dollars, exact; 0 when nothing was billed; ``None`` when the price is not known.
        cost_is_estimate: the cost rests on a documented factor, not on a known price.
        notes: what a careful reader should know, for example a page without a text layer.
    """

    result: T | None
    citations: dict[str, list[Citation]] | list[Citation] | None
    unmapped_citations: list[Citation]
    error: ErrorInfo | None
    input: InputInfo
    usage: UsageInfo | None
    cost_usd: Decimal | None
    cost_is_estimate: bool
    notes: list[str]


class Price(TypedDict, total=False):
    """A user's price for a model: US dollars per million tokens as billed for batch requests.

    ``input`` and ``output`` are required; cache prices default to the input price.
    """

    input: float | str | Decimal
    output: float | str | Decimal
    cache_read: float | str | Decimal
    cache_write: float | str | Decimal
    cache_write_1h: float | str | Decimal


class JobStats(TypedDict):
    """What ``BatchJob.stats()`` returns; ``None`` where a thing is not known yet, or not known at all."""

    batch_id: str
    status: str
    is_complete: bool
    elapsed_time: float | None
    total_results: int | None
    failed_results: int | None
    total_citations: int | None
    total_input_tokens: int | None
    total_output_tokens: int | None
    cached_input_tokens: int | None
    total_cost: Decimal | None
    currency: str
    service_tier: str | None
    batch_discount: Decimal | None
    raw_results_dir: str | None


class RunSummary(TypedDict, total=False):
    """What ``BatchManager.run`` returns. All keys are there; ``retry_count`` only from ``retry_failed``.

    Keys:
        total_items: the number of inputs.
        completed_items: with a result.
        failed_items: with an outcome and no result. Completed, failed and not started make up the total.
        total_cost: dollars billed, exact; ``None`` when some item's cost is not known (``stats`` has the known part).
        jobs_completed: jobs whose outcomes are on disk.
        cost_limit_reached: whether ``max_cost`` kept items from being sent.
        retry_count: items that were tried again.
    """

    total_items: int
    completed_items: int
    failed_items: int
    total_cost: Decimal | None
    jobs_completed: int
    cost_limit_reached: bool
    retry_count: int


class RunStats(TypedDict):
    """How a run stands: ``BatchManager.stats``.

    Keys:
        total_items: the number of inputs; ``None`` while a lazy iterable was not read to its end.
        completed_items: with a result.
        failed_items: with an outcome and no result.
        total_cost: as in ``RunSummary``.
        known_cost: dollars known to be billed.
        unknown_costs: items whose cost is not known.
        cost_is_estimate: whether some cost rests on a documented factor.
        reserved_cost: the most that jobs in flight may still cost; ``None`` if that was not worked out.
        max_cost: the cap, if there is one.
        cost_limit_reached: as in ``RunSummary``.
        jobs_completed: jobs whose outcomes are on disk.
        jobs: other jobs by status.
        elapsed_time: seconds since the run began, also over several processes.
        items_per_minute: while this process works on it; ``None`` before the first outcome, and for some seconds where
            jobs of an earlier process are taken up.
        seconds_left: at that pace; ``None`` while it is not known.
        results_dir: where the outcomes are.
        state_path: where the run is remembered.
    """

    total_items: int | None
    completed_items: int
    failed_items: int
    total_cost: Decimal | None
    known_cost: Decimal
    unknown_costs: int
    cost_is_estimate: bool
    reserved_cost: Decimal | None
    max_cost: Decimal | None
    cost_limit_reached: bool
    jobs_completed: int
    jobs: dict[str, int]
    elapsed_time: float
    items_per_minute: float | None
    seconds_left: float | None
    results_dir: str
    state_path: str


class Estimate(TypedDict):
    """What a run would take: ``BatchManager.estimate``. Nothing is sent to be answered for it.

    Keys:
        total_items: the number of inputs.
        unreadable_items: those that cannot be sent, and cost nothing.
        jobs: how many the rest would be split into.
        input_tokens: of all requests.
        input_tokens_are_exact: each was counted by the provider; else counted for some, or bounded, and projected.
        output_tokens: likely ones.
        output_tokens_are_assumed: no answer of this run is known yet, so a quarter of ``max_tokens`` is taken.
        likely_cost: dollars; ``None`` without a known price.
        worst_cost: dollars, if every answer takes all of ``max_tokens``; projected where not each request was counted.
            ``None`` without a known price.
    """

    total_items: int
    unreadable_items: int
    jobs: int
    input_tokens: int
    input_tokens_are_exact: bool
    output_tokens: int
    output_tokens_are_assumed: bool
    likely_cost: Decimal | None
    worst_cost: Decimal | None
