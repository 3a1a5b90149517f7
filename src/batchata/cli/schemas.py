"""The response model: a class in a module or a Python file, or a JSON Schema made into one."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import json
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from batchata.cli.jsonschema import model_of
from batchata.errors import ArgumentError, SchemaError

_MODULE = "batchata_response_model"
_ANY_ERROR = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError),
    *(PydanticUserError, RuntimeError, SyntaxError, SystemExit, TypeError, ValueError),
)
"""What running somebody's module may raise."""


def response_model(spec: str, base: str) -> type[BaseModel]:
    """The model that ``module:Class``, ``file.py:Class``, ``file.py`` or ``schema.json`` names.

    Args:
        spec: files by absolute path.
        base: the folder that modules are looked for in, before all others.
    """
    if spec.endswith(".json"):
        return _from_json_schema(Path(spec))
    if spec.endswith(".py"):
        return _only_model(_file(Path(spec)), spec)
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        raise ArgumentError(
            f"{spec!r} names no response model. Give 'module:Class', 'file.py:Class', or a JSON Schema 'schema.json'."
        )
    module = _file(Path(place)) if place.endswith(".py") else _module(place, base)
    return _model(module, name, place)


def _model(module: ModuleType, name: str, place: str) -> type[BaseModel]:
    found: object = getattr(module, name, None)
    if isinstance(found, type) and issubclass(found, BaseModel):
        return found
    models = [each for each, value in vars(module).items() if _is_model(value)]
    close = difflib.get_close_matches(name, models, n=1)
    meant = f"Did you mean {close[0]!r}?" if close else f"Models in it: {', '.join(models) or 'none'}."
    what = "has no" if found is None else "has something else than a Pydantic model under"
    raise ArgumentError(f"{place!r} {what} {name!r}. {meant}")


def _only_model(module: ModuleType, place: str) -> type[BaseModel]:
    own = {name: value for name, value in vars(module).items() if _is_model(value) and value.__module__ == _MODULE}
    if len(own) == 1:
        return next(iter(own.values()))
    listed = f"the models {', '.join(own)}" if own else "no Pydantic model"
    raise ArgumentError(f"{place!r} has {listed}. Name the one: '{place}:Class'.")


def _is_model(value: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel


def _module(name: str, base: str) -> ModuleType:
    if base not in sys.path:
        sys.path.insert(0, base)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ArgumentError(
            f"The module {name!r} of the response model was not found (looked in {base!r} too): {error}. A file is "
            f"named with its suffix: 'file.py:Class'."
        ) from error
    except _ANY_ERROR as error:
        raise _broken(name, None, error) from error


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ArgumentError(
            f"There is no file {str(path)!r}, which should hold the response model. Check the path."
        )
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise ArgumentError(f"{str(path)!r} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # where Pydantic looks names up
    try:
        spec.loader.exec_module(module)
    except _ANY_ERROR as error:
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path.absolute())
        ]
        line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
        raise _broken(str(path), line, error) from error
    return module


def _broken(place: str, line: int | None, error: BaseException) -> ArgumentError:
    where = "" if line is None else f", line {line},"
    said = error.msg if isinstance(error, SyntaxError) else error
    return ArgumentError(f"{place!r}{where} cannot be run: {type(error).__name__}: {said}. Mend it there.")


def _from_json_schema(path: Path) -> type[BaseModel]:
    try:
        schema = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ArgumentError(
            f"There is no file {str(path)!r}, which should hold a JSON Schema. Check the path."
        ) from error
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{str(path)!r} cannot be read as JSON: {error}") from error
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict) or not schema["properties"]:
        raise SchemaError(
            f"{str(path)!r} holds no JSON Schema of an object: it needs 'type': 'object' and 'properties', with at "
            f"least one."
        )
    return model_of(schema, path.name, path.stem)
