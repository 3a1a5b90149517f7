"""A result <-> its JSON, by the user's own model: read back, it must be what was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from batchata.results.jsons import from_json, to_json

if TYPE_CHECKING:
    from pydantic import BaseModel

ModelT = TypeVar("ModelT", bound="BaseModel")

_MAX_ERRORS = 5


class Misfit(Exception):  # noqa: N818  # a finding about one entry, not an error of this library
    """JSON that a response model does not read, or does not read as what was written."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.message = message
        self.text = text


@dataclass(slots=True)  # one a result: a frozen one takes three times as long to make
class Stored:
    """A result as it is kept.

    Attributes:
        text: its JSON.
        answer: the answer's own JSON, where the model does not make the same result of ``text``.
    """

    text: str
    answer: str | None = None


def stored(value: object, answer: str | None) -> Stored:
    """How to keep a result, so that ``validated`` gives it back.

    Args:
        value: a model instance, or what JSON can say.
        answer: the JSON that the instance was validated from, if it is known: serializers, validators and excluded
            fields may make the instance one that its own JSON does not give back.

    Raises:
        Misfit: there is no such way.
    """
    if not hasattr(value, "__pydantic_serializer__"):
        return Stored(to_json(value).decode())
    instance: Any = value
    text = ""
    try:
        # By name, as citations are: an alias for writing need not be one for reading. Past the model's own method.
        dump = instance.__pydantic_serializer__.to_json
        text = dump(instance, by_alias=False, round_trip=True, warnings=False).decode()
        if text == answer or type(instance).model_validate_json(text, by_alias=True, by_name=True) == instance:
            return Stored(text)  # the very text that it was made of, or one that makes the same
        words = "The response model makes something else of what it made itself."
    except Exception as error:  # noqa: BLE001  # a model's own code may raise anything, and only over one entry
        words = _message(error)
    if answer is None:
        raise Misfit(words, text)
    return Stored(text or to_json(from_json(answer)).decode(), answer)


def validated(text: str, model: type[ModelT]) -> ModelT:
    """The instance that the JSON stands for. Raises ``Misfit``."""
    try:
        return model.model_validate_json(text, by_alias=True, by_name=True)
    except Exception as error:  # a model's own code may raise anything, and only over one entry
        raise Misfit(_message(error), text) from error


def _message(error: Exception) -> str:
    from pydantic import ValidationError  # noqa: PLC0415  # imported where first used

    if not isinstance(error, ValidationError):
        return f"The response model's own code raised {type(error).__name__}: {error}"
    found = error.errors(include_url=False, include_context=False)
    lines = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ") for each in found]
    more = len(lines) - _MAX_ERRORS
    return "\n".join(lines[:_MAX_ERRORS] + ([f"… and {more} more"] if more > 0 else []))
