"""What makes a run the one it is: the arguments that must stay the same while it is gone on with."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from batchata.errors import ArgumentError
from batchata.runner.order import Order
from batchata.runner.prepare import Preparer
from batchata.runner.task import Task, new_run_id
from batchata.types import RunInfo, RunState

if TYPE_CHECKING:
    from pydantic import BaseModel

_SHOWN = frozenset({"model", "temperature", "citation_mode", "inputs"})
"""Arguments whose values an error may repeat."""


def checked(state: RunState | None, order: Order, preparer: Preparer) -> RunState:
    """The state, or a new one. Raises ``ArgumentError`` if the arguments are not those that the run began with."""
    arguments = _arguments(order, preparer)
    if state is None:
        return RunState(RunInfo(new_run_id(), datetime.now(UTC), arguments))
    before = state.run.arguments
    changed = [name for name in arguments if before.get(name) != arguments[name]]
    if changed:
        named = ", ".join(
            f"{name} (was {before.get(name)}, is {arguments[name]})" if name in _SHOWN else name for name in changed
        )
        raise ArgumentError(
            f"The run {state.run.run_id!r}, begun {state.run.created_at:%Y-%m-%d %H:%M} UTC, was begun with other "
            f"arguments: {named}. Give what it was begun with, or another state_path and results_dir for a new run."
        )
    return state


def _arguments(order: Order, preparer: Preparer) -> dict[str, str]:
    """By name, what must stay the same, in short; no texts of the user's are kept."""
    task = order.task
    model = task.response_model
    return {
        "model": task.model,
        "inputs": order.given.kind,
        "prompt": _digest(task.prompt or ""),
        "response_model": "text" if model is None else f"{model.__name__} {_schema_digest(model)}",
        "citation_mode": "off" if task.citations is None else task.citations.value,
        "temperature": "None" if task.temperature is None else str(float(task.temperature)),
        "examples": _digest(preparer.examples_text),
    }


def _schema_digest(model: type[BaseModel]) -> str:
    return _digest(json.dumps(model.model_json_schema(), sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def about(run: RunInfo, order: Order, task: Task) -> dict[str, object]:
    """What ``run.json`` says."""
    model = task.response_model
    return {
        "created_at": run.created_at,
        "model": order.task.model,
        "prompt": task.prompt,
        "response_model": None if model is None else model.__name__,
        "schema": None if model is None else model.model_json_schema(),
        "citation_mode": None if task.citations is None else task.citations.value,
        "max_tokens": task.max_tokens,
        "temperature": task.temperature,
        "inputs": order.given.kind,
        "items_per_job": order.items_per_job,
    }
