"""An entry <-> one line of JSON. Nothing of it is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from batchata.results.jsons import from_json, to_json, to_json_around
from batchata.results.values import Misfit, Stored, stored, validated
from batchata.types import BatchResult, Box, Citation, ErrorInfo, Match, Origin, Reason

if TYPE_CHECKING:
    from pydantic import BaseModel

_COMPLETED, _FAILED = "completed", "failed"
_CITATION = tuple(spec.name for spec in fields(Citation))
_USAGE = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")


Filed: TypeAlias = tuple[BatchResult[Any], bytes]
"""An entry as it will be read back, and its line."""


def kept(entry: BatchResult[Any], fingerprint: str | None, answer: str | None) -> Filed:
    """What will be read back of an entry: a result that JSON cannot keep is a failure like another.

    Args:
        entry: what came of one item.
        fingerprint: what the item's documents were when they were sent.
        answer: the JSON that the result was validated from, if it is known: a result that its own JSON does not give
            back (excluded fields, serializers or validators of the user's) is then read from this.
    """
    if entry["error"] is not None:
        return entry, _line(entry, fingerprint, None)
    try:
        return entry, _line(entry, fingerprint, stored(entry["result"], answer))
    except Misfit as misfit:
        words = f"the answer is valid, but its JSON as kept on disk would not give it back: {misfit.message}"
        failure = _failed(entry, words, misfit.text)
        return failure, _line(failure, fingerprint, None)


def parsed(line: bytes) -> dict[str, Any]:
    """What a line says. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for a line that is not ours."""
    data: dict[str, Any] = from_json(line)
    index, status = data["index"], data["status"]
    if not isinstance(index, int) or index < 0 or status not in {_COMPLETED, _FAILED}:
        raise ValueError(f"an entry has the index {index!r} and the status {status!r}")
    if is_completed(data) is not (data["error"] is None):
        raise ValueError(f"the status and the error of item {index} contradict each other")
    return data


def is_completed(data: Mapping[str, Any]) -> bool:
    """Whether a parsed line holds a result."""
    return bool(data["status"] == _COMPLETED)


def failure(data: Mapping[str, Any]) -> tuple[int, ErrorInfo]:
    """Item and reason of a parsed line without a result."""
    error = data["error"]
    return data["index"], {
        "reason": error["reason"],
        "message": error["message"],
        "retryable": error["retryable"],
        "raw_text": error["raw_text"],
    }


def read(data: Mapping[str, Any], model: type[BaseModel] | None) -> BatchResult[Any]:
    """The entry of a parsed line.

    Its result is an instance of the model, or plain JSON values without one; a result that does not fit the model is
    an ``invalid_output`` with the JSON as ``raw_text``. Raises ``KeyError``, ``TypeError``, ``ValueError`` or
    ``ArithmeticError`` for a line that is not ours.
    """
    entry: BatchResult[Any] = {
        "result": data["result"],
        "citations": _cited(data["citations"]),
        "unmapped_citations": [_citation(each) for each in data["unmapped_citations"]],
        "error": None if is_completed(data) else failure(data)[1],
        "input": {"index": data["index"], "name": data["name"], "source": data.get("source")},
        "usage": None if data["usage"] is None else _usage(data["usage"]),
        "cost_usd": None if data["cost_usd"] is None else Decimal(data["cost_usd"]),
        "cost_is_estimate": data["cost_is_estimate"],
        "notes": list(data["notes"]),
    }
    if model is None or not is_completed(data):
        return entry
    try:
        text = data.get("answer")
        entry["result"] = validated(to_json(data["result"]).decode() if text is None else text, model)
    except Misfit as misfit:
        return _failed(entry, f"the result on disk does not fit the response model: {misfit.message}", misfit.text)
    return entry


def _line(entry: BatchResult[Any], fingerprint: str | None, result: Stored | None) -> bytes:
    cost = entry["cost_usd"]
    data: dict[str, object] = {
        "index": entry["input"]["index"],
        "name": entry["input"]["name"],
        "fingerprint": fingerprint,
        "status": _COMPLETED if entry["error"] is None else _FAILED,
        "result": None,
        "text": isinstance(entry["result"], str),
        "citations": entry["citations"],
        "unmapped_citations": entry["unmapped_citations"],
        "error": entry["error"],
        "usage": entry["usage"],
        "cost_usd": None if cost is None else str(cost),
        "cost_is_estimate": entry["cost_is_estimate"],
        "notes": entry["notes"],
    }
    if entry["input"]["source"] is not None:
        data["source"] = entry["input"]["source"]
    if result is not None and result.answer is not None:
        data["answer"] = result.answer
    return to_json(data) if result is None else to_json_around(data, "result", result.text)


def _failed(entry: BatchResult[Any], message: str, text: str) -> BatchResult[Any]:
    """The same entry without its result; what it cost and what was cited stay."""
    failure = entry.copy()
    failure["result"] = None
    failure["error"] = {
        "reason": Reason.INVALID_OUTPUT.value,
        "message": message,
        "retryable": False,
        "raw_text": text or None,
    }
    return failure


def _cited(data: Any) -> dict[str, list[Citation]] | list[Citation] | None:
    if data is None:
        return None
    if isinstance(data, list):
        return [_citation(each) for each in data]
    return {path: [_citation(each) for each in cited] for path, cited in data.items()}


def _citation(data: Mapping[str, Any]) -> Citation:
    values = {name: data[name] for name in _CITATION}
    values["boxes"] = tuple(Box(**box) for box in values["boxes"])
    values["origin"] = Origin(values["origin"])
    values["match"] = None if values["match"] is None else Match(values["match"])
    return Citation(**values)


def _usage(data: Mapping[str, Any]) -> Any:
    return {name: data[name] for name in _USAGE}
