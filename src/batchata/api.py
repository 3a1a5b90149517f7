"""``batch()``, and the handle to the job that it starts."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from batchata.errors import NotReadyError
from batchata.types import BatchResult, JobStats, Price

if TYPE_CHECKING:
    from pydantic import BaseModel

    from batchata.runner.job import RunningJob
    from batchata.runner.task import FileSource, WorkedExample

__all__ = ["BatchJob", "batch"]

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")

Conversation: TypeAlias = Sequence[dict[str, Any]]
Prices: TypeAlias = Mapping[str, Price]
CitationModeName: TypeAlias = Literal["auto", "native", "quoted", "aligned"]


@overload
def batch(
    model: str,
    messages: Sequence[Conversation] | None = None,
    files: Sequence[FileSource] | None = None,
    prompt: str | None = None,
    response_model: None = None,
    *,
    enable_citations: bool = False,
    citation_mode: CitationModeName = "auto",
    max_tokens: int = 4096,
    temperature: float | None = None,
    verbose: bool = False,
    raw_results_dir: str | os.PathLike[str] | None = None,
    examples: Sequence[WorkedExample] = (),
    prices: Prices | None = None,
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
    citation_mode: CitationModeName = "auto",
    max_tokens: int = 4096,
    temperature: float | None = None,
    verbose: bool = False,
    raw_results_dir: str | os.PathLike[str] | None = None,
    examples: Sequence[WorkedExample] = (),
    prices: Prices | None = None,
) -> BatchJob[M]: ...


def batch(
    model: str,
    messages: Sequence[Conversation] | None = None,
    files: Sequence[FileSource] | None = None,
    prompt: str | None = None,
    response_model: type[BaseModel] | None = None,
    *,
    enable_citations: bool = False,
    citation_mode: CitationModeName = "auto",
    max_tokens: int = 4096,
    temperature: float | None = None,
    verbose: bool = False,
    raw_results_dir: str | os.PathLike[str] | None = None,
    examples: Sequence[WorkedExample] = (),
    prices: Prices | None = None,
) -> BatchJob[Any]:
    """Send one job with a request for every input, and return its handle at once.

    Args:
        model: a model's name, or ``provider/name``; names newer than this library work.
        messages: conversations, each a list of ``{"role", "content"}`` dicts. Either this or ``files``.
        files: paths, bytes or fsspec addresses of PDF, text, Markdown, HTML, CSV, JSON, DOCX or images.
        prompt: what is asked of every file.
        response_model: a Pydantic model for the answers; without it they are text.
        enable_citations: trace the answer, or each field of it, to its place in the source.
        citation_mode: who says where: ``"native"`` the provider's own citations; ``"quoted"`` the model, asked for a
            verbatim quote and page with each value; ``"aligned"`` nobody, the values are looked for in the documents;
            ``"auto"`` native where the provider has it, else quoted. All are looked up in the documents.
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
    from batchata.runner.start import check_prompt, citations_asked, items_of, start_job  # noqa: PLC0415  # most of what importing us would cost
    from batchata.runner.task import Task  # noqa: PLC0415

    task = Task(
        model=model,
        prompt=prompt,
        response_model=response_model,
        citations=citations_asked(enable_citations, citation_mode),
        max_tokens=max_tokens,
        temperature=temperature,
        examples=tuple(examples),
        prices=prices,
    )
    items = items_of(messages, files)
    check_prompt(has_files=files is not None, prompt=prompt)
    job = start_job(task, items, raw_results_dir)
    if verbose:
        where = job.context.provider.name
        print(f"Submitted {len(items):,} requests to {where}: {job.job_id}")  # noqa: T201  # the user asked for it
    return BatchJob(job)


class BatchJob(Generic[T]):
    """A job at a provider. Made by ``batch()``, or by ``attach`` in another process."""

    def __init__(self, job: RunningJob) -> None:
        self._job = job

    def __repr__(self) -> str:
        return f"<BatchJob {self.id!r} at {self._job.context.provider.name}>"

    @property
    def id(self) -> str:
        """The provider's id of the job, to keep and to ``attach`` to.

        Where the answer to the submission was lost, it carries a mark by which ``attach`` proves that it is ours.
        """
        return self._job.public_id

    @classmethod
    def attach(
        cls,
        id: str,  # noqa: A002  # the contract's name
        *,
        model: str,
        response_model: type[T] | None = None,
        enable_citations: bool = False,
        citation_mode: CitationModeName = "auto",
        messages: Sequence[Conversation] | None = None,
        files: Sequence[FileSource] | None = None,
        examples: Sequence[WorkedExample] = (),
        raw_results_dir: str | os.PathLike[str] | None = None,
        prices: Prices | None = None,
    ) -> BatchJob[T]:
        """Get a job back by its id, in any process: results come in input order, as from ``batch()``.

        Args:
            id: what ``BatchJob.id`` was.
            model: as given to ``batch()``, as are the rest.
            messages: the inputs, or ``files``: without them names are ``None`` and citations cannot be checked
                against the source (their ``match`` is ``None``).
        """
        from batchata.runner.start import attach_job, citations_asked, items_of  # noqa: PLC0415  # as in batch()
        from batchata.runner.task import Task  # noqa: PLC0415

        task = Task(
            model=model,
            response_model=response_model,  # type: ignore[arg-type]  # T is str or a model; str has none
            citations=citations_asked(enable_citations, citation_mode),
            examples=tuple(examples),
            prices=prices,
        )
        items = None if messages is None and files is None else items_of(messages, files)
        return cls(attach_job(id, task, items, raw_results_dir))

    def is_complete(self) -> bool:
        """Ask the provider. ``True`` once results can be read."""
        return self._job.is_over()

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
        return self._job.collect(timeout)

    def __await__(self) -> Generator[Any, None, list[BatchResult[T]]]:
        """``await job`` is ``results()`` without blocking the event loop."""
        return self._results_later().__await__()

    async def _results_later(self) -> list[BatchResult[T]]:
        import asyncio  # noqa: PLC0415  # half of what importing this library would cost

        from batchata.runner.poll import poll_seconds  # noqa: PLC0415  # as in batch()

        began = time.monotonic()
        while True:
            # One look at a time in a thread: an await that is given up leaves none behind that waits for hours.
            try:
                await asyncio.to_thread(self.wait, 0)
            except NotReadyError:
                await asyncio.sleep(poll_seconds(time.monotonic() - began))
            else:
                return await asyncio.to_thread(self.results)

    def cancel(self) -> None:
        """Ask the provider to end the job. What finished is kept, and billed."""
        self._job.cancel()

    def stats(self, print_stats: bool = False) -> JobStats:
        """Counts, tokens and cost; ``None`` for what is not known yet. Downloads nothing a second time."""
        from batchata import progress  # noqa: PLC0415  # as in batch()
        from batchata.runner.stats import mode_of, stats_of  # noqa: PLC0415

        stats = stats_of(self._job)
        if print_stats:
            is_estimate = any(entry["cost_is_estimate"] for entry in self._job.entries or ())
            progress.print_stats(stats, mode_of(self._job.context.task), is_estimate=is_estimate)
        return stats
