"""A response model as JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from batchata.errors import SchemaError
from batchata.types import JsonObject

if TYPE_CHECKING:
    from pydantic import BaseModel


def schema_of(model: type[BaseModel]) -> JsonObject:
    """The schema of what the model validates, with the names that stand in the JSON (aliases).

    Raises ``SchemaError`` naming the field that JSON cannot express (a callable, an arbitrary class).
    """
    from pydantic.errors import PydanticUserError  # noqa: PLC0415  # imported where first used

    try:
        return model.model_json_schema(mode="validation", by_alias=True)
    except PydanticUserError as error:
        where = _culprit(model, set()) or model.__name__
        reason = str(error).splitlines()[0]
        raise SchemaError(
            f"The response model {model.__name__!r} cannot be asked for as JSON because of {where!r}: {reason} "
            "Give that field a type that JSON can hold."
        ) from error


def _culprit(model: type[BaseModel], seen: set[type[BaseModel]]) -> str | None:
    """``Model.field`` of the innermost field without a schema."""
    from pydantic import ConfigDict, create_model  # noqa: PLC0415  # imported where first used
    from pydantic.errors import PydanticUserError  # noqa: PLC0415  # imported where first used

    seen.add(model)
    for name, field in model.model_fields.items():
        for nested in _models_in(field.annotation):
            if nested not in seen and (found := _culprit(nested, seen)):
                return found
        config = ConfigDict(arbitrary_types_allowed=True)
        try:
            probe: type[BaseModel] = create_model("Probe", __config__=config, field=(field.annotation, field))  # type: ignore[arg-type]  # known at run time only
            probe.model_json_schema(mode="validation")
        except PydanticUserError:
            return f"{model.__name__}.{name}"
    return None


def _models_in(annotation: object) -> list[type[BaseModel]]:
    from pydantic import BaseModel  # noqa: PLC0415  # imported where first used

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
