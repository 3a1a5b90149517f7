"""A model's answer as an instance of the user's model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from batchata.jsonspans import Candidate, Node, candidates
from batchata.structured.dialect import is_object
from batchata.structured.quoting import split
from batchata.structured.schema import schema_of
from batchata.types import JsonObject, Quote

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound="BaseModel")

_MAX_ERRORS = 10
_MAX_INPUT = 60
_WRAP = '{"value":'
_BLANKS = " \t\r\n"


class InvalidOutput(Exception):  # noqa: N818  # named after the reason it becomes: invalid_output
    """The answer is not what the response model asks for. ``message`` says why, one line each."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Reading(Generic[ModelT]):
    """A validated answer, the JSON it was read from, with its place in the answer's text, and the quotes beside it."""

    value: ModelT
    json: str
    node: Node
    quotes: tuple[Quote, ...] = ()


def read(text: str, model: type[ModelT], *, quoted: bool = False) -> Reading[ModelT]:
    """Find the JSON in the answer and validate it as JSON (so dates, enums and strict models work).

    Prose, fences and ``<cite …>`` markup are passed over; with ``quoted``, the quotes that were asked for are taken
    off first. Raises ``InvalidOutput``, also for JSON that is cut short but would validate, and for several values
    that validate and differ (a draft and its correction).
    """
    found = candidates(text)
    if not found:
        raise InvalidOutput("the answer holds no JSON")
    if any(not candidate.node.complete for candidate in found):
        raise InvalidOutput("the JSON in the answer is cut short")
    messages: list[str] = []
    readings: list[Reading[ModelT]] = []
    for candidate in found:
        for json, node, quotes in _forms(candidate, model, quoted=quoted):
            try:
                value = model.model_validate_json(json, by_alias=True, by_name=True)
                readings.append(Reading(value, json, node, quotes))
                break
            except Exception as error:  # noqa: BLE001  # the user's own validator may raise anything, over one answer
                messages.append(_message(error))
    if not readings:
        raise InvalidOutput(messages[0])
    if any(reading.value != readings[0].value for reading in readings):
        raise InvalidOutput(
            f"the answer holds {len(readings)} different results, and does not say which one counts"
        )
    return readings[0]


def value_of(text: str, model: type[ModelT]) -> tuple[ModelT, str]:
    """The value and the JSON of ``read``, for whoever does not ask where things stand: in a tenth of the time.

    Nearly all answers are nothing but JSON that validates. Raises ``InvalidOutput``.
    """
    json = text.strip(_BLANKS)
    if (
        json.startswith("{")
        and not model.__pydantic_root_model__
        and not ("<cite" in json or "NaN" in json or "Infinity" in json)
    ):  # what Pydantic's reader of JSON passes over or understands, and ours does not
        try:
            return model.model_validate_json(json, by_alias=True, by_name=True), json
        except Exception:  # noqa: BLE001, S110  # whatever is wrong is looked at with more patience
            pass
    reading = read(text, model)
    return reading.value, reading.json


def read_text(text: str) -> tuple[str, tuple[Quote, ...]]:
    """The answer in words and its quotes; an answer that came without the form that was asked for is all words."""
    for candidate in candidates(text):
        parts = split(candidate)
        if parts is not None and candidate.node.complete and isinstance(parts[1].value, str):
            return parts[1].value, parts[2]
    return text, ()


def _forms(
    candidate: Candidate, model: type[BaseModel], *, quoted: bool
) -> Iterator[tuple[str, Node, tuple[Quote, ...]]]:
    """The JSON as it stands; before it, what ``for_dialect`` may have had wrapped. With quotes, what they stand by."""
    from pydantic import RootModel  # noqa: PLC0415  # imported where first used

    parts = split(candidate) if quoted else None
    if parts is not None:
        yield parts
        if "data" not in cast("JsonObject", schema_of(model).get("properties", {})):
            return  # taken as it stands, the form itself could pass for a model of defaults
    node = candidate.node
    if (
        issubclass(model, RootModel)
        and isinstance(node.children, dict)
        and list(node.children) == ["value"]
        and candidate.json.startswith(_WRAP)
        and not is_object(schema_of(model))
    ):
        yield candidate.json[len(_WRAP) : -1], node.children["value"], ()
    yield candidate.json, node, ()


def _message(error: Exception) -> str:
    from pydantic import ValidationError  # noqa: PLC0415  # imported where first used

    if not isinstance(error, ValidationError):
        return f"the response model's own validator raised {type(error).__name__}: {error}"
    lines = list(_lines(error))
    more = len(lines) - _MAX_ERRORS
    return "\n".join(lines[:_MAX_ERRORS] + ([f"… and {more} more"] if more > 0 else []))


def _lines(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_context=False):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in each["loc"]).lstrip(".")
        got = repr(each["input"])
        got = got if len(got) <= _MAX_INPUT else got[: _MAX_INPUT - 1] + "…"
        message = " ".join(each["msg"].split())
        yield f"{path}: {message} (got {got})" if path else f"{message} (got {got})"
