"""From the user's arguments to a job: what ``batch()`` and ``BatchJob.attach`` do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchata import costs
from batchata.errors import ArgumentError, UnsupportedArgumentError
from batchata.providers import Provider, provider_for
from batchata.results import open_raw_dir
from batchata.runner.job import Context, RunningJob
from batchata.runner.prepare import Preparer
from batchata.runner.submit import Submitted, submit
from batchata.runner.task import FileSource, Item, Task, new_run_id
from batchata.types import CitationMode, ModelInfo

_EMPTY_JOB = Submitted("empty")


def start_job(task: Task, items: tuple[Item, ...], raw_results_dir: str | os.PathLike[str] | None) -> RunningJob:
    """Check everything, then submit one job with a request for every item."""
    provider, task = connect(task)
    raw_dir = None if raw_results_dir is None else open_raw_dir(raw_results_dir)
    run_id = new_run_id()
    if not items:
        return RunningJob(Context(provider, task, (), run_id=run_id, raw_dir=raw_dir), _EMPTY_JOB)
    preparer = Preparer(provider, provider.describe(task.model), task)
    fingerprints: dict[int, str] = {}

    def lines() -> Iterator[bytes]:
        for item, prepared in zip(items, preparer.lines(items, run_id, total=len(items)), strict=True):
            fingerprints[item.index] = prepared.fingerprint
            yield prepared.line

    submitted = submit(provider, lines(), tag=run_id)
    return RunningJob(Context(provider, task, items, preparer, fingerprints, run_id, raw_dir), submitted)


def attach_job(
    job_id: str,
    task: Task,
    items: tuple[Item, ...] | None,
    raw_results_dir: str | os.PathLike[str] | None,
) -> RunningJob:
    """Take up a job by its id. Without ``items`` its citations cannot be checked against the documents."""
    given: object = job_id
    if not isinstance(given, str) or not given.partition("#")[0]:
        raise ArgumentError(f"A job's id is needed, got {given!r}: it is what BatchJob.id was.")
    provider_job_id, mark, run_id = job_id.partition("#")
    provider, task = connect(task)
    raw_dir = None if raw_results_dir is None else open_raw_dir(raw_results_dir)
    preparer = None if items is None else Preparer(provider, ModelInfo(task.model), task)
    context = Context(provider, task, items, preparer, run_id=run_id or None, raw_dir=raw_dir)
    return RunningJob(context, Submitted(provider_job_id, is_adopted=bool(mark)))


def connect(task: Task) -> tuple[Provider, Task]:
    """The provider of the task's model, and the task in its words. Raises ``ArgumentError``; asks nothing yet."""
    check_task(task)
    provider, name = provider_for(task.model, _read_environment())
    return provider, replace(task, model=name, citations=_citation_mode(provider, task))


def items_of(messages: Sequence[object] | None, files: Sequence[FileSource] | None) -> tuple[Item, ...]:
    """The inputs, numbered. Raises ``ArgumentError`` unless there is exactly one kind of them."""
    if (messages is None) == (files is None):
        raise ArgumentError("Give either messages= or files=, and not both.")
    for name, given in (("messages", messages), ("files", files)):
        if isinstance(given, (str, bytes, os.PathLike)) or not (given is None or isinstance(given, Iterable)):
            raise ArgumentError(f"{name} must be a list, got a single {type(given).__name__}: write {name}=[…].")
    if messages is not None:
        return tuple(Item(index, conversation=conversation) for index, conversation in enumerate(messages))
    return tuple(Item(index, file=file) for index, file in enumerate(() if files is None else files))


def citations_asked(enable_citations: bool, citation_mode: str) -> CitationMode | None:
    """The two arguments as one. Raises ``ArgumentError`` for a mode that does not exist, or without citations."""
    try:
        mode = CitationMode(citation_mode)
    except ValueError as error:
        known = ", ".join(repr(each.value) for each in CitationMode)
        raise ArgumentError(f"citation_mode must be one of {known}, got {citation_mode!r}.") from error
    if not enable_citations and mode is not CitationMode.AUTO:
        raise ArgumentError(f"citation_mode={citation_mode!r} goes with enable_citations=True.")
    return mode if enable_citations else None


def _citation_mode(provider: Provider, task: Task) -> CitationMode | None:
    """What ``AUTO`` means here. Raises ``UnsupportedArgumentError`` for a mode that cannot work."""
    has_native = provider.limits.native_citations
    match task.citations:
        case CitationMode.AUTO:
            return CitationMode.NATIVE if has_native else CitationMode.QUOTED
        case CitationMode.NATIVE if not has_native:
            raise UnsupportedArgumentError(
                f"{provider.name} has no citations of its own. Use citation_mode='quoted', or 'auto', which chooses."
            )
        case CitationMode.ALIGNED if task.response_model is None:
            raise UnsupportedArgumentError(
                "citation_mode='aligned' looks for the values of fields, and without response_model there are none. "
                "Give a response_model, or use citation_mode='auto'."
            )
        case mode:
            return mode


def check_prompt(*, has_files: bool, prompt: str | None) -> None:
    """Raise ``ArgumentError`` unless there is a prompt with files, and none with conversations."""
    if has_files and (not isinstance(prompt, str) or not prompt.strip()):
        raise ArgumentError("files= needs prompt=: what is to be asked of every file.")
    if not has_files and prompt:
        raise ArgumentError("prompt= goes with files=. With messages=, put it into the conversations.")


def check_task(task: Task) -> None:
    """Raise ``ArgumentError`` for what can be known to be wrong before anything is connected to."""
    costs.check_prices(task.prices)
    model: Any = task.model
    if not isinstance(model, str) or not model:
        raise ArgumentError(f"model must be a model's name, got {model!r}.")
    max_tokens: Any = task.max_tokens
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 1:
        raise ArgumentError(f"max_tokens must be a whole number of at least 1, got {max_tokens!r}.")
    _check_response_model(task.response_model)


def _check_response_model(model: Any) -> None:
    if model is None:
        return
    from pydantic import BaseModel  # noqa: PLC0415  # imported where first used

    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise ArgumentError(f"response_model must be a Pydantic model class, got {model!r}.")


def _read_environment() -> dict[str, str]:
    """The environment, over what a ``.env`` file in the working directory says."""
    path = Path(".env")
    if not path.is_file():
        return dict(os.environ)
    from dotenv import dotenv_values  # noqa: PLC0415  # imported where first used

    told = {key: value for key, value in dotenv_values(path).items() if value is not None}
    return told | {key: value for key, value in os.environ.items() if value or key not in told}
