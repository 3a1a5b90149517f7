"""``batch()``, and the handle to the job that it starts."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from batchata import costs, progress
from batchata.errors import ArgumentError
from batchata.providers import provider_for
from batchata.results import open_raw_dir
from batchata.runner.job import Context, RunningJob
from batchata.runner.poll import OVER
from batchata.runner.prepare import Preparer
from batchata.runner.submit import Submitted, submit
from batchata.runner.task import FileSource, Item, Task, WorkedExample, new_run_id
from batchata.types import BatchResult, JobSnapshot, JobState, JobStats, ModelInfo

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["BatchJob", "batch"]

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")

Conversation = Sequence[dict[str, Any]]

_EMPTY_JOB = Submitted("empty")


@overload
def batch(
    model: str,
    messages: Sequence[Conversation] | None = None,
    files: Sequence[FileSource] | None = None,
    prompt: str | None = None,
    response_model: None = None,
    *,
    enable_citations: bool = False,
    max_tokens: int = 4096,
    temperature: float | None = None,
    verbose: bool = False,
    raw_results_dir: str | os.PathLike[str] | None = None,
    examples: Sequence[WorkedExample] = (),
    prices: costs.Prices | None = None,
) -> BatchJob[str]: ...


@overload
def batch(
    model: str,
    messages: Sequence[Conversation] | None = None,
    files: Sequence[FileSource] | None = None,
    prompt: str | None = None,
    *,
    response_model: type[M],
    enable_citations: bool = False,
    max_tokens: int = 4096,
    temperature: float | None = None,
    verbose: bool = False,
    raw_results_dir: str | os.PathLike[str] | None = None,
    examples: Sequence[WorkedExample] = (),
    prices: costs.Prices | None = None,
) -> BatchJob[M]: ...


def batch(
    model: str,
    messages: Sequence[Conversation] | None = None,
    files: Sequence[FileSource] | None = None,
    prompt: str | None = None,
    response_model: type[BaseModel] | None = None,
    *,
    enable_citations: bool = False,
    max_tokens: int = 4096,
    temperature: float | None = None,
    verbose: bool = False,
    raw_results_dir: str | os.PathLike[str] | None = None,
    examples: Sequence[WorkedExample] = (),
    prices: costs.Prices | None = None,
) -> BatchJob[Any]:
    """Send one job with a request for every input, and return its handle at once.

    Args:
        model: a model's name, or ``provider/name``; names newer than this library work.
        messages: conversations, each a list of ``{"role", "content"}`` dicts. Either this or ``files``.
        files: paths, bytes or fsspec addresses of PDF, text, Markdown, HTML, CSV, JSON, DOCX or images.
        prompt: what is asked of every file.
        response_model: a Pydantic model for the answers; without it they are text.
        enable_citations: trace the answer, or each field of it, to its place in the source.
        max_tokens: most tokens of one answer, thinking included.
        temperature: refused by models that do not take it.
        verbose: print the job's id once it is submitted.
        raw_results_dir: folder for the provider's answers as they came, one JSON file a request.
        examples: worked examples, ``(input, output)`` pairs, shown before every input. An input is text, a
            file (``Path`` or bytes) or a conversation; an output is a model instance, a dict or text.
        prices: dollars per million tokens by model name, for models whose price is not known.

    Returns:
        A handle; ``results()`` gives one entry an input, in input order.

    Raises:
        ArgumentError: for anything that can be known to be wrong before sending (see ``batchata.errors``).
        ProviderError: when the provider refuses the job.
    """
    items = _items(messages, files, prompt)
    provider, name = provider_for(model, _read_environment())
    task = Task(
        model=name,
        prompt=prompt,
        response_model=_checked_model(response_model),
        citations=enable_citations,
        max_tokens=max_tokens,
        temperature=temperature,
        examples=tuple(examples),
        prices=_checked_prices(prices),
    )
    raw_dir = None if raw_results_dir is None else open_raw_dir(raw_results_dir)
    run_id = new_run_id()
    if not items:
        return BatchJob(RunningJob(Context(provider, task, (), run_id=run_id, raw_dir=raw_dir), _EMPTY_JOB))
    preparer = Preparer(provider, provider.describe(name), task)
    fingerprints: dict[int, str] = {}

    def lines() -> Iterator[bytes]:
        for item, prepared in zip(items, preparer.lines(items, run_id, total=len(items)), strict=True):
            fingerprints[item.index] = prepared.fingerprint
            yield prepared.line

    submitted = submit(provider, lines(), tag=run_id)
    if verbose:
        print(f"Submitted {len(items):,} requests to {provider.name}: {submitted.job_id}")  # noqa: T201  # asked for
    return BatchJob(RunningJob(Context(provider, task, items, preparer, fingerprints, run_id, raw_dir), submitted))


class BatchJob(Generic[T]):
    """A job at a provider. Made by ``batch()``, or by ``attach`` in another process."""

    def __init__(self, job: RunningJob) -> None:
        self._job = job
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<BatchJob {self.id!r} at {self._job.context.provider.name}>"

    @property
    def id(self) -> str:
        """The provider's id of the job."""
        return self._job.job_id

    @classmethod
    def attach(
        cls,
        id: str,  # noqa: A002  # the contract's name
        *,
        model: str,
        response_model: type[T] | None = None,
        enable_citations: bool = False,
        messages: Sequence[Conversation] | None = None,
        files: Sequence[FileSource] | None = None,
        examples: Sequence[WorkedExample] = (),
        raw_results_dir: str | os.PathLike[str] | None = None,
        prices: costs.Prices | None = None,
    ) -> BatchJob[T]:
        """Get a job back by its id, in any process: results come in input order, as from ``batch()``.

        Args:
            id: what ``BatchJob.id`` was.
            model: as given to ``batch()``, as are the rest.
            messages: the inputs, or ``files``: without them names are ``None`` and citations cannot be checked
                against the source (their ``match`` is ``None``).
        """
        provider, name = provider_for(model, _read_environment())
        task = Task(
            model=name,
            prompt="",
            response_model=_checked_model(response_model),
            citations=enable_citations,
            examples=tuple(examples),
            prices=_checked_prices(prices),
        )
        raw_dir = None if raw_results_dir is None else open_raw_dir(raw_results_dir)
        items = None if messages is None and files is None else _items(messages, files, "attached")
        preparer = None if items is None else Preparer(provider, ModelInfo(name), task)
        return cls(RunningJob(Context(provider, task, items, preparer, raw_dir=raw_dir), Submitted(id)))

    def is_complete(self) -> bool:
        """Ask the provider. ``True`` once results can be read."""
        return self._job.check().state in OVER

    def wait(self, timeout: float | None = None) -> BatchJob[T]:
        """Block until the job is over and return it. Raises ``NotReadyError`` after ``timeout`` seconds."""
        self._job.wait(timeout)
        return self

    def results(self, timeout: float | None = None) -> list[BatchResult[T]]:
        """One entry an input, in input order; blocks until the job is over. The same list at every call.

        Raises ``NotReadyError`` (a ``TimeoutError``) when ``timeout`` seconds pass first, ``JobFailedError``
        when the job ended with nothing to read. An item that failed is an entry with an ``error``, not an
        exception.
        """
        with self._lock:
            return self._job.collect(timeout)

    def __await__(self) -> Generator[Any, None, list[BatchResult[T]]]:
        """``await job`` is ``results()`` without blocking the event loop."""
        import asyncio  # noqa: PLC0415  # half of what importing this library would cost

        return asyncio.to_thread(self.results).__await__()

    def cancel(self) -> None:
        """Ask the provider to end the job. What finished is kept, and billed."""
        if not self.is_complete():
            self._job.context.provider.cancel(self.id)

    def stats(self, print_stats: bool = False) -> JobStats:
        """Counts, tokens and cost; ``None`` for what is not known yet. Downloads nothing a second time."""
        snapshot = self._job.check()
        entries = self.results() if snapshot.state is JobState.ENDED else None
        stats = _stats(self._job, snapshot, entries)
        if print_stats:
            progress.print_stats(stats, _mode(self._job.context.task))
        return stats


def _read_environment() -> dict[str, str]:
    """The environment, over what a ``.env`` file in the working directory says."""
    path = Path(".env")
    if not path.is_file():
        return dict(os.environ)
    from dotenv import dotenv_values  # noqa: PLC0415  # imported where first used

    return {key: value for key, value in dotenv_values(path).items() if value is not None} | os.environ


def _items(
    messages: Sequence[Conversation] | None, files: Sequence[FileSource] | None, prompt: str | None
) -> tuple[Item, ...]:
    if (messages is None) == (files is None):
        raise ArgumentError("Give either messages= or files=, and not both.")
    for name, given in (("messages", messages), ("files", files)):
        if isinstance(given, (str, bytes, os.PathLike)):
            raise ArgumentError(f"{name} must be a list, got a single {type(given).__name__}: write {name}=[…].")
    if messages is not None:
        return tuple(Item(index, conversation=conversation) for index, conversation in enumerate(messages))
    if not prompt:
        raise ArgumentError("files= needs prompt=: what is to be asked of every file.")
    return tuple(Item(index, file=file) for index, file in enumerate(files or ()))


def _checked_model(response_model: Any) -> type[BaseModel] | None:
    if response_model is None:
        return None
    from pydantic import BaseModel  # noqa: PLC0415  # imported where first used

    if not (isinstance(response_model, type) and issubclass(response_model, BaseModel)):
        raise ArgumentError(f"response_model must be a Pydantic model class, got {response_model!r}.")
    return response_model


def _checked_prices(prices: costs.Prices | None) -> costs.Prices | None:
    costs.check_prices(prices)
    return prices


def _mode(task: Task) -> str:
    if task.response_model is not None:
        return "Structured + Field Citations" if task.citations else "Structured Only"
    return "Text + Citations" if task.citations else "Plain Text"


def _stats(job: RunningJob, snapshot: JobSnapshot, entries: list[BatchResult[Any]] | None) -> JobStats:
    task, provider = job.context.task, job.context.provider
    elapsed = None
    if snapshot.created_at is not None:
        elapsed = ((snapshot.ended_at or datetime.now(UTC)) - snapshot.created_at).total_seconds()
    used = [entry["usage"] for entry in entries or () if entry["usage"] is not None]
    is_known = entries is not None
    return {
        "batch_id": job.job_id,
        "status": snapshot.state.value,
        "is_complete": snapshot.state in OVER,
        "elapsed_time": elapsed,
        "total_results": None if entries is None else len(entries),
        "failed_results": None if entries is None else sum(entry["error"] is not None for entry in entries),
        "total_citations": None if entries is None else sum(_cited(entry) for entry in entries),
        "total_input_tokens": sum(usage["input_tokens"] for usage in used) if is_known else None,
        "total_output_tokens": sum(usage["output_tokens"] for usage in used) if is_known else None,
        "cached_input_tokens": sum(usage["cached_input_tokens"] for usage in used) if is_known else None,
        "total_cost": None if entries is None else _total_cost(entries),
        "currency": "USD",
        "service_tier": job.service_tier,
        "batch_discount": costs.batch_discount(provider.name, task.model),
        "raw_results_dir": None if job.context.raw_dir is None else str(job.context.raw_dir),
    }


def _cited(entry: BatchResult[Any]) -> int:
    cited = entry["citations"]
    if isinstance(cited, dict):
        return sum(len(places) for places in cited.values())
    return len(cited or ())


def _total_cost(entries: list[BatchResult[Any]]) -> Decimal | None:
    """``None`` as soon as one cost is not known: a sum that leaves something out would be a guess."""
    total = Decimal(0)
    for entry in entries:
        if entry["cost_usd"] is None:
            return None
        total += entry["cost_usd"]
    return total
