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
    """Which input an entry belongs to: position from 0, and file name if it was a file."""

    index: int
    name: str | None


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
