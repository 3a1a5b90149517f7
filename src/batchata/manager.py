"""``BatchManager``: large runs over many jobs, which can be killed at any instant and go on."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from batchata.errors import StateLockedError
from batchata.types import BatchResult, Estimate, Price, RunStats, RunSummary

if TYPE_CHECKING:
    from pydantic import BaseModel

    from batchata.runner.opening import Retry
    from batchata.runner.order import Places
    from batchata.runner.run import Watch
    from batchata.runner.task import FileSource, WorkedExample

__all__ = ["BatchManager"]

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")

Conversation: TypeAlias = Sequence[dict[str, Any]]
CitationModeName: TypeAlias = Literal["auto", "native", "quoted", "aligned"]


class BatchManager(Generic[T]):
    """One prompt over any number of inputs, split over many jobs; every answer bought once, within the budget.

    Made again with the same arguments and ``state_path``, in any process, it goes on where it was: jobs in flight are
    found again, and answers on disk are not asked for again.
    """

    @overload
    def __init__(
        self: BatchManager[str],
        messages: Iterable[Conversation] | None = None,
        files: Iterable[FileSource] | None = None,
        prompt: str | None = None,
        *,
        model: str,
        response_model: None = None,
        enable_citations: bool = False,
        citation_mode: CitationModeName = "auto",
        items_per_job: int = 10,
        max_parallel_jobs: int = 5,
        max_cost: float | str | Decimal | None = None,
        max_wait_time: float | timedelta | None = None,
        state_path: str | os.PathLike[str] | None = None,
        results_dir: str | os.PathLike[str] | None = None,
        raw_files: bool = True,
        max_tokens: int = 4096,
        temperature: float | None = None,
        examples: Sequence[WorkedExample] = (),
        prices: Mapping[str, Price] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: BatchManager[M],
        messages: Iterable[Conversation] | None = None,
        files: Iterable[FileSource] | None = None,
        prompt: str | None = None,
        *,
        model: str,
        response_model: type[M],
        enable_citations: bool = False,
        citation_mode: CitationModeName = "auto",
        items_per_job: int = 10,
        max_parallel_jobs: int = 5,
        max_cost: float | str | Decimal | None = None,
        max_wait_time: float | timedelta | None = None,
        state_path: str | os.PathLike[str] | None = None,
        results_dir: str | os.PathLike[str] | None = None,
        raw_files: bool = True,
        max_tokens: int = 4096,
        temperature: float | None = None,
        examples: Sequence[WorkedExample] = (),
        prices: Mapping[str, Price] | None = None,
    ) -> None: ...

    def __init__(
        self,
        messages: Iterable[Conversation] | None = None,
        files: Iterable[FileSource] | None = None,
        prompt: str | None = None,
        *,
        model: str,
        response_model: type[BaseModel] | None = None,
        enable_citations: bool = False,
        citation_mode: CitationModeName = "auto",
        items_per_job: int = 10,
        max_parallel_jobs: int = 5,
        max_cost: float | str | Decimal | None = None,
        max_wait_time: float | timedelta | None = None,
        state_path: str | os.PathLike[str] | None = None,
        results_dir: str | os.PathLike[str] | None = None,
        raw_files: bool = True,
        max_tokens: int = 4096,
        temperature: float | None = None,
        examples: Sequence[WorkedExample] = (),
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        """Check the arguments; nothing is read, asked or written yet.

        Args:
            messages: conversations, as for ``batch()``, or ``files``. Any iterable, also a lazy one of any length; one
                that can be read only once cannot be retried, nor resumed by the same object.
            files: as for ``batch()``.
            prompt: what is asked of every file.
            model: a model's name, or ``provider/name``.
            response_model: a Pydantic model for the answers; without it they are text.
            enable_citations: trace each field, or the answer, to its place in the source.
            citation_mode: as for ``batch()``.
            items_per_job: a wish; a job is closed earlier where the provider's limits on requests or bytes say so.
            max_parallel_jobs: jobs in flight at a time.
            max_cost: dollars; what the provider bills, retries included, never passes it. A job is sent only if the
                most that it can cost still fits.
            max_wait_time: seconds, or a timedelta, after which ``run()`` raises ``NotReadyError``; its jobs go on.
            state_path: where the run is remembered: a ``*.json`` file, or ``sqlite:///…``, ``postgresql+psycopg://…``.
                Without it ``state.json`` in ``results_dir``; without both a temporary folder.
            results_dir: where the outcomes go; without it a folder beside ``state_path``.
            raw_files: keep the provider's answers as they came, too.
            max_tokens: most tokens of one answer, thinking included. May change when the run is gone on with.
            temperature: refused by models that do not take it.
            examples: worked examples, as for ``batch()``.
            prices: dollars per million tokens by model name, for models whose price is not known.

        Raises:
            ArgumentError: for anything that is wrong by itself.
        """
        from batchata.runner.order import Order, dollars, given_of, seconds  # noqa: PLC0415  # most of what importing us would cost
        from batchata.runner.start import citations_asked  # noqa: PLC0415
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
        self._order = Order(
            task=task,
            given=given_of(messages, files, prompt),
            items_per_job=items_per_job,
            max_parallel_jobs=max_parallel_jobs,
            max_cost=dollars(max_cost),
            max_wait_seconds=seconds(max_wait_time),
            raw_files=raw_files,
        )
        self._order.check()
        self._state_path = state_path
        self._results_dir = results_dir
        self._known_places: Places | None = None
        self._watch: Watch | None = None

    def run(self, print_progress: bool = False) -> RunSummary:
        """Go on until every input has an outcome, or the budget stops it; blocks, for hours if need be.

        An item that failed is counted in ``failed_items``, and is no exception. Ctrl+C, and every error, leaves the
        run so that the same call goes on with it.

        Args:
            print_progress: a live display on a terminal or in a notebook, else a line now and then on stderr.

        Raises:
            ArgumentError: something is wrong, or not as it was when the run began; says what.
            ProviderError: the provider refuses jobs, or is out of reach for long.
            StateError: the run cannot be remembered (``StateLockedError``: another process works on it).
            ResultsError: outcomes cannot be written.
            NotReadyError: ``max_wait_time`` is over.
        """
        return self._worked(print_progress, retry=None)

    def retry_failed(self, print_progress: bool = False, *, everything: bool = False) -> RunSummary:
        """Ask once more for the items that failed, within the same budget, and for nothing new.

        What the same request would meet again is left out: unreadable files, answers refused or cut off.

        Args:
            print_progress: as for ``run``.
            everything: also those, once you mended the file or raised ``max_tokens``.

        Returns:
            The summary of the whole run, with ``retry_count``. Raises what ``run`` raises.
        """
        from batchata.runner.opening import Retry  # noqa: PLC0415  # as in __init__

        return self._worked(print_progress, retry=Retry(everything))

    def results(self) -> list[BatchResult[T]]:
        """One entry an input, in input order, from disk; what has no outcome yet has the error ``pending``.

        Raises ``ResultsError`` for files that are not as they were written, and ``ArgumentError`` if the outcomes are
        not those of these inputs, which are read for it unless this object did the run.
        """
        from batchata.runner.outcomes import all_entries  # noqa: PLC0415  # as in __init__

        return list(all_entries(self._order, self._places(), self._watch))

    def iter_results(self) -> Iterator[BatchResult[T]]:
        """The entries on disk, in input order, then those of each job as it ends: does what ``run`` does meanwhile.

        Leaving the loop leaves the run so that it can be gone on with. Raises what ``run`` raises.
        """
        from batchata.runner.outcomes import entries_as_they_come  # noqa: PLC0415  # as in __init__

        yield from entries_as_they_come(self._order, self._places(), self._begin())

    @property
    def stats(self) -> RunStats:
        """How the run stands, also while another thread or process works on it; asks nobody but the state."""
        from batchata.runner.outcomes import stats_now  # noqa: PLC0415  # as in __init__

        return stats_now(self._order, self._places(), self._watch)

    def estimate(self) -> Estimate:
        """Tokens, jobs and cost of all inputs, which are read for it; nothing is sent to be answered, or paid.

        Tokens are counted by the provider where that is free. Raises what ``run`` raises before its first job.
        """
        from batchata.runner.estimating import estimate  # noqa: PLC0415  # as in __init__

        return estimate(self._order, self._places())

    def cancel(self) -> None:
        """Have all jobs in flight canceled at the provider, and start no more; what finished is kept, and billed.

        From another thread, ``run`` returns soon after. Otherwise it takes the run up, and waits for its jobs' ends.
        Canceled items can be retried, and ``run`` goes on with what was not started.
        """
        if self._watch is not None and self._watch.is_working:
            self._watch.canceled.set()
            return
        from batchata.runner.outcomes import cancel_stored, finished  # noqa: PLC0415  # as in __init__

        cancel_stored(self._order, self._places())
        watch = self._begin()
        watch.canceled.set()
        finished(self._order, self._places(), watch, retry=None)

    def _worked(self, print_progress: bool, *, retry: Retry | None) -> RunSummary:
        from batchata import progress  # noqa: PLC0415  # as in __init__
        from batchata.runner.outcomes import finished  # noqa: PLC0415
        from batchata.runner.run import summary_of  # noqa: PLC0415

        watch = self._begin()
        with progress.show_run(wanted=print_progress) as display:
            watch.on_change = display.update
            stats = finished(self._order, self._places(), watch, retry=retry)
        summary = summary_of(stats)
        if retry is not None:
            summary["retry_count"] = watch.retry_count
        return summary

    def _begin(self) -> Watch:
        from batchata.runner.run import Watch  # noqa: PLC0415  # as in __init__

        if self._watch is not None and self._watch.is_working:
            raise StateLockedError(
                "This BatchManager is at work already, in another thread or loop. Wait for its end."
            )
        self._watch = Watch()
        return self._watch

    def _places(self) -> Places:
        from batchata.runner.order import places_of, remove_if_over  # noqa: PLC0415  # as in __init__

        places = self._known_places
        if places is None:
            places = self._known_places = places_of(self._state_path, self._results_dir)
            if places.is_temporary:
                weakref.finalize(self, remove_if_over, places)
        return places
