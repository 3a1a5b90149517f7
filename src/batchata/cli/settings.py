"""What a run is asked to do: the arguments of ``BatchManager``, from a run file and the command line."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from batchata.errors import ArgumentError

Given: TypeAlias = dict[str, Any]
"""Settings by name, as they were given and not checked yet."""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class WorkedExample(BaseModel):
    """One of ``examples``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: str | list[dict[str, Any]]
    output: str | dict[str, Any]


class Settings(BaseModel):
    """The keys of a run file, which are also what is kept beside the state of a run.

    Attributes:
        column: of the table ``messages``, the one to take.
        examples: a JSONL file, or the examples.
        base: the folder that modules are imported from; not a key of run files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    files: Annotated[list[str] | None, BeforeValidator(_as_list)] = None
    messages: str | None = None
    column: str | None = None
    prompt: str | None = None
    response_model: str | None = None
    enable_citations: bool = False
    citation_mode: Literal["auto", "native", "quoted", "aligned"] = "auto"
    items_per_job: int = 10
    max_parallel_jobs: int = 5
    max_cost: Decimal | None = None
    max_wait_time: float | None = None
    state_path: str | None = None
    results_dir: str | None = None
    raw_files: bool = True
    max_tokens: int = 4096
    temperature: float | None = None
    examples: str | list[WorkedExample] | None = None
    prices: dict[str, dict[str, Decimal]] | None = None
    base: str = ""


KEYS = (*(name for name in Settings.model_fields if name != "base"), "prompt_file")
"""What may stand in a run file."""

_OF_THE_MODEL = ""
"""Stands for the model of the run in prices that were typed."""

_PATHS = ("messages", "prompt_file", "state_path", "results_dir")


def run_file(path: Path) -> Given:
    """What a run file says, its paths made absolute. Raises ``ArgumentError`` naming the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        told = tomllib.loads(text, parse_float=Decimal)
    except FileNotFoundError as error:
        raise ArgumentError(f"There is no run file {str(path)!r}. Check the name.") from error
    except OSError as error:
        raise ArgumentError(f"The run file {str(path)!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"The run file {str(path)!r} is not UTF-8. Save it as that.") from error
    except tomllib.TOMLDecodeError as error:
        raise ArgumentError(
            f'{str(path)!r} is not TOML: {error}. A text stands in quotes: key = "text".'
        ) from error
    for key in told:
        if key not in KEYS:
            raise ArgumentError(f"{str(path)!r}{_line(text, key)}: unknown key {key!r}. {_meant(key)}")
    try:
        checked(anchored(told, path.parent))
    except _MisfitError as misfit:
        raise ArgumentError(f"{str(path)!r}{_line(text, misfit.key)}: {misfit}") from misfit
    return anchored(told, path.parent)


def anchored(given: Given, folder: Path) -> Given:
    """With every path absolute, and the text of ``prompt_file`` as ``prompt``."""
    folder = folder.absolute()
    found = {**given, "base": str(folder)}
    for key in _PATHS:
        if isinstance(found.get(key), str):
            found[key] = _absolute(found[key], folder)
    files = _as_list(found.get("files"))
    if isinstance(files, list):
        found["files"] = [_absolute(each, folder) if isinstance(each, str) else each for each in files]
    if isinstance(found.get("response_model"), str):
        found["response_model"] = _anchored_model(found["response_model"], folder)
    examples = found.get("examples")
    if isinstance(examples, str):
        found["examples"] = _absolute(examples, folder)
    elif isinstance(examples, list):
        found["examples"] = [_anchored_example(each, folder) for each in examples]
    return _with_prompt(found)


def checked(given: Given) -> Settings:
    """The settings. Raises ``ArgumentError`` naming the first that is wrong."""
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        # The last of one key: the first may be of another form that it could have had.
        first = [each for each in found if each["loc"][0] == found[0]["loc"][0]][-1]
        place = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
        # The value is not repeated: it may be anything, a key in the wrong place too.
        raise _MisfitError(f"{place} cannot be used: {first['msg']}.", str(first["loc"][0])) from None


class _MisfitError(ArgumentError):
    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


def merged(told: Given, changes: Given) -> Settings:
    """The settings with some changed. Raises ``ArgumentError`` naming the first that is wrong."""
    found = {**told, **changes}
    prices = found.get("prices")
    if isinstance(prices, dict) and _OF_THE_MODEL in prices:
        found["prices"] = {found.get("model") or _OF_THE_MODEL: prices[_OF_THE_MODEL]}
    return checked(found)


def is_address(text: str) -> bool:
    """Whether fsspec, or a database, is meant, and not a path."""
    return "://" in text or "::" in text


def _absolute(path: str, folder: Path) -> str:
    return path if is_address(path) else os.path.normpath(folder / Path(path).expanduser())


def _anchored_model(spec: str, folder: Path) -> str:
    place, colon, name = spec.rpartition(":")
    file = place if colon and place.endswith(".py") else spec
    if not file.endswith((".py", ".json")):
        return spec
    return f"{_absolute(file, folder)}:{name}" if file is place else _absolute(file, folder)


def _anchored_example(example: object, folder: Path) -> object:
    if isinstance(example, Mapping) and isinstance(example.get("input"), str):
        return {**example, "input": _absolute(example["input"], folder)}
    return example


def _with_prompt(given: Given) -> Given:
    path = given.pop("prompt_file", None)
    if path is None:
        return given
    if given.get("prompt") is not None:
        raise ArgumentError("There is a prompt and a file with the prompt. Give one of them.")
    try:
        return {**given, "prompt": Path(path).read_text(encoding="utf-8-sig").strip()}
    except FileNotFoundError as error:
        raise ArgumentError(f"There is no file {path!r}, which should hold the prompt. Check the path.") from error
    except (OSError, UnicodeDecodeError, TypeError) as error:
        raise ArgumentError(f"The file with the prompt, {path!r}, cannot be read: {error}") from error


def _line(text: str, key: str) -> str:
    """Where a key stands, to be put behind the file's name; nothing if that is not plain to see."""
    pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return f", line {number}"
    return ""


def _meant(key: str) -> str:
    if re.search(r"api.?key|(^|_)key$|secret|password", key, re.IGNORECASE):
        return "Keys do not belong into a run file: set the provider's variable, such as ANTHROPIC_API_KEY."
    close = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(KEYS)}."


def typed(options: Given) -> Given:
    """The settings that were typed on the command line: those that are not ``None``. Raises ``ArgumentError``."""
    found = {name: value for name, value in options.items() if value is not None}
    if "prices" in found:
        found["prices"] = _prices(found["prices"])
    return found


def _prices(text: str) -> dict[str, dict[str, str]]:
    """``input=0.10,output=0.50``, of the model of the run."""
    parts = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and equals and value.strip() for name, equals, value in parts):
        raise ArgumentError(
            f"Prices are written like input=0.10,output=0.50 (dollars per million tokens), not {text!r}."
        )
    return {_OF_THE_MODEL: {name.strip(): value.strip() for name, _, value in parts}}
