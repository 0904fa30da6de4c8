"""The base of every parameter group: frozen, validated, and helpful about typing errors."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from twinbeam.errors import RecipeError

__all__ = ["Parameters"]


class Parameters(BaseModel):
    """A frozen group of parameters; unknown keys are errors that name the nearest right key."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str = "recipe") -> Self:
        """Build the group from plain values, as read from YAML or a start document.

        Raises
        ------
        RecipeError
            With the full path of the first wrong key, what is wrong, and the nearest right key.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            hint = None
            if first["type"] == "extra_forbidden":
                what = f"unknown key '{path}'"
                near = difflib.get_close_matches(
                    str(first["loc"][-1]), _keys_at(cls, first["loc"][:-1]), n=1, cutoff=0.4
                )
                hint = f"did you mean '{near[0]}'?" if near else None
            elif first["type"] == "value_error":
                what = first["msg"].removeprefix("Value error, ")
                what = f"'{path}': {what}" if path else what
            else:
                what = f"'{path}': {first['msg']}, got {first['input']!r}"
            raise RecipeError(what, where=where, hint=hint) from None


def _keys_at(group: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the group that `path` leads to."""
    for part in path:
        field = group.model_fields.get(str(part))
        for inner in (field.annotation, *get_args(field.annotation)) if field else ():
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                group = inner
    return list(group.model_fields)
