"""From settings to a ``BatchManager``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from batchata import BatchManager
from batchata.cli.folder import RunFolder
from batchata.cli.inputs import expanded
from batchata.cli.schemas import response_model
from batchata.cli.settings import Given, Settings, WorkedExample, anchored, checked
from batchata.cli.tables import Table
from batchata.errors import ArgumentError

_AS_THEY_ARE = (
    "model",
    "enable_citations",
    "citation_mode",
    "items_per_job",
    "max_parallel_jobs",
    "max_cost",
    "max_wait_time",
    "raw_files",
    "max_tokens",
    "temperature",
    "prices",
)


def with_files(settings: Settings) -> Settings:
    """With every file named. Raises ``ArgumentError`` unless there is something to read, and somebody to read it."""
    if settings.model is None:
        raise ArgumentError(
            "Which model? --model NAME, or model = \"NAME\" in the run file. 'batchata models' lists them; "
            "'local/smollm2-135m' needs no key."
        )
    if (settings.files is None) == (settings.messages is None):
        raise ArgumentError(
            "Give files (names, patterns, a folder), or --messages with a JSONL, CSV or Parquet file; one of the two."
        )
    if settings.files is None:
        return settings
    if not (settings.prompt or "").strip():
        raise ArgumentError("What is asked of every file? --prompt TEXT, or --prompt-file FILE.")
    return settings.model_copy(update={"files": expanded(settings.files)})


def manager_of(settings: Settings, folder: RunFolder) -> BatchManager[Any]:
    """The run, with nothing read or asked yet. Raises ``ArgumentError``."""
    arguments: dict[str, Any] = {name: getattr(settings, name) for name in _AS_THEY_ARE}
    if settings.messages is None:
        arguments |= {"files": settings.files, "prompt": settings.prompt}
    else:
        table = Table(settings.messages, settings.column, settings.prompt)
        next(iter(table), None)  # a wrong column or file is told of now
        arguments |= {"messages": table}
    if settings.response_model is not None:
        arguments["response_model"] = response_model(settings.response_model, settings.base)
    arguments["examples"] = [(example.input, example.output) for example in _examples(settings)]
    return BatchManager(**arguments, state_path=folder.state, results_dir=folder.path)


def _examples(settings: Settings) -> list[WorkedExample]:
    if not isinstance(settings.examples, str):
        return settings.examples or []
    path = Path(settings.examples)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        rows: list[Given] = [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError as error:
        raise ArgumentError(
            f"There is no file {str(path)!r}, which should hold examples. Check the path."
        ) from error
    except (OSError, ValueError) as error:
        raise ArgumentError(f"The examples in {str(path)!r} cannot be read as JSON lines: {error}") from error
    return [
        each
        for each in checked(anchored({"examples": rows}, path.parent)).examples or []
        if not isinstance(each, str)
    ]
