"""A JSON Schema made into a Pydantic model; what Pydantic could not hold to is refused, never dropped.

By Pydantic's own ``create_model``: the small libraries for this lose constraints (of an array's items, of the members
of ``anyOf``) without a word, and the large one writes Python source.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError as CoreSchemaError

from batchata.errors import SchemaError

_PLAIN: dict[str, Any] = {"string": str, "number": float, "integer": int, "boolean": bool, "null": type(None)}
_FORMATS: dict[str, Any] = {
    "date": date,
    "date-time": datetime,
    "time": time,
    "duration": timedelta,
    "uuid": UUID,
}
_NUMBER = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
_CONSTRAINTS = {
    "string": {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"},
    "number": _NUMBER,
    "integer": _NUMBER,
    "array": {"minItems": "min_length", "maxItems": "max_length"},
}
"""By type, the keywords that Pydantic has too, and their names there."""
_STRUCTURE = {
    *("type", "properties", "required", "additionalProperties", "items", "format"),
    *("enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions"),
}
_REMARKS = {"title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly"}
_KNOWN = _STRUCTURE | _REMARKS | {key for keys in _CONSTRAINTS.values() for key in keys}


def model_of(schema: Mapping[str, Any], place: str, name: str) -> type[BaseModel]:
    """The model of an object's schema. Raises ``SchemaError`` naming the field that cannot be expressed."""
    try:
        model = _Reader(schema).model(schema, place, name)
        model.model_json_schema()
    except (PydanticUserError, CoreSchemaError, TypeError) as error:
        raise SchemaError(f"{place} cannot be made into a Pydantic model: {error}") from error
    return model


class _Reader:
    """One document, whose parts refer to each other."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._open: list[str] = []

    def model(self, schema: Mapping[str, Any], place: str, name: str) -> type[BaseModel]:
        """The model of a schema with ``properties``."""
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            raise _inexpressible(place, "'additionalProperties' beside 'properties'")
        fields: dict[str, Any] = {}
        required = schema.get("required", [])
        if not isinstance(required, list) or not all(isinstance(each, str) for each in required):
            raise SchemaError(f"{place}: 'required' is {required!r}, and no list of names.")
        for key, value in schema["properties"].items():
            inside = f"{place}: {key}"
            annotation = self.annotation(value, inside, key)
            about: dict[str, Any] = {"description": value.get("description")}
            field = _field_name(key)
            if field != key:
                about["alias"] = key
            if key not in required:
                about["default"] = value.get("default")
                annotation = annotation if about["default"] is not None else annotation | None
            fields[field] = (annotation, Field(**about))
        unknown = set(required) - set(schema["properties"])
        if unknown:
            raise SchemaError(f"{place}: 'required' names {sorted(unknown)}, which 'properties' does not have.")
        config = ConfigDict(extra="forbid" if more is False else "ignore")
        found: type[BaseModel] = create_model(
            _class_name(schema.get("title", name)), __config__=config, __doc__=schema.get("description"), **fields
        )
        return found

    def annotation(self, schema: Any, place: str, name: str) -> Any:
        """What a field of this schema is annotated with."""
        if not isinstance(schema, Mapping):
            raise SchemaError(f"{place} has no schema of its own, but {schema!r}.")
        for key in schema:
            if key not in _KNOWN:
                raise _inexpressible(place, repr(key))
        if "$ref" in schema:
            return self._referred(schema["$ref"], place)
        if "const" in schema or "enum" in schema:
            return _literal([schema["const"]] if "const" in schema else schema["enum"], place)
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return reduce(or_, [self.annotation(each, place, name) for each in _forms(schema, key, place)])
        kinds = schema.get("type", "object" if "properties" in schema else None)
        kinds = kinds if isinstance(kinds, list) else [kinds]
        return reduce(or_, [self._of_type(kind, schema, place, name) for kind in kinds])

    def _of_type(self, kind: object, schema: Mapping[str, Any], place: str, name: str) -> Any:
        match kind:
            case "object" if "properties" in schema:
                return self.model(schema, place, name)
            case "object":
                values = schema.get("additionalProperties")
                value = self.annotation(values, f"{place}{{}}", name) if isinstance(values, Mapping) else Any
                return dict[str, value]  # type: ignore[valid-type]  # made while it runs
            case "array":
                item = self.annotation(schema["items"], f"{place}[]", name) if "items" in schema else Any
                found: Any = list[item]  # type: ignore[valid-type]  # made while it runs
            case "string" if schema.get("format") in _FORMATS:
                found = _FORMATS[schema["format"]]
            case str() if kind in _PLAIN:
                found = _PLAIN[kind]
            case _:
                known = ", ".join([*_PLAIN, "object", "array"])
                raise SchemaError(f"{place}: {kind!r} is no type of JSON Schema. There are {known}.")
        names = {key: ours for key, ours in _CONSTRAINTS.get(str(kind), {}).items() if key in schema}
        told = Field(**{ours: schema[key] for key, ours in names.items()})
        return _held_to(Annotated[found, told], {key: schema[key] for key in names}, place) if names else found

    def _referred(self, reference: object, place: str) -> Any:
        if not isinstance(reference, str):
            raise SchemaError(f"{place}: '$ref' is {reference!r}, and no text.")
        if reference in self._open:
            raise _inexpressible(place, f"{reference!r}, which holds itself,")
        found: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is None or not reference.startswith("#/"):
            raise SchemaError(f"{place} refers to {reference!r}, which is not in the file.")
        self._open.append(reference)
        annotation = self.annotation(found, place, reference.rpartition("/")[2])
        self._open.pop()
        return annotation


def _forms(schema: Mapping[str, Any], key: str, place: str) -> list[Any]:
    forms = schema[key]
    if not isinstance(forms, list) or not forms:
        raise SchemaError(f"{place}: {key!r} is {forms!r}, and no list of schemas.")
    if key == "allOf" and len(forms) > 1:
        raise _inexpressible(place, "'allOf' of several")
    return forms


def _held_to(annotation: Any, told: Mapping[str, Any], place: str) -> Any:
    """The annotation, tried by itself: the model's own error would not say which field it is of."""
    try:
        TypeAdapter(annotation)
    except (PydanticUserError, CoreSchemaError, TypeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if "Error building" not in line]
        raise SchemaError(f"{place}: {told!r} cannot be held to: {' '.join(lines)}.") from error
    return annotation


def _literal(values: Any, place: str) -> Any:
    if not isinstance(values, list) or not values or not all(isinstance(each, str | int | None) for each in values):
        raise _inexpressible(place, f"a choice of {values!r}")
    return Literal[tuple(values)]


def _inexpressible(place: str, what: str) -> SchemaError:
    return SchemaError(
        f"{place}: {what} cannot be expressed. Leave it out, or write a Pydantic model: 'file.py:Class'."
    )


def _field_name(key: str) -> str:
    """A name that Python and Pydantic take; the answers keep the schema's own."""
    name = re.sub(r"\W", "_", key).lstrip("_") or "field"
    if name[0].isdigit():
        name = f"field_{name}"
    return f"{name}_" if keyword.iskeyword(name) or hasattr(BaseModel, name) or name.startswith("model_") else name


def _class_name(title: object) -> str:
    return re.sub(r"\W+", "_", str(title)).strip("_") or "Result"
