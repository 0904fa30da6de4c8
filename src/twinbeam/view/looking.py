"""How somebody wants to look at a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from twinbeam.parameters import Parameters

__all__ = ["Looking", "Region", "looking_from"]


class Region(Parameters):
    """A rectangle on the detector."""

    left: float = Field(ge=-1e4, le=1e4, description="Smallest x in pixels of the 514 grid.")
    right: float = Field(ge=-1e4, le=1e4, description="Largest x in pixels.")
    bottom: float = Field(ge=-1e4, le=1e4, description="Smallest y in pixels.")
    top: float = Field(ge=-1e4, le=1e4, description="Largest y in pixels.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not (self.left < self.right and self.bottom < self.top):
            raise ValueError("a region reaches from left to right and from bottom to top")
        return self


class Looking(Parameters):
    """What of a result is shown in the maps and spectra."""

    kind: Literal["raw", "net", "sharpened"] = Field(
        "net",
        description="Maps of all prompt pairs; without accidentals; or also sharpened by Eq. 6.",
    )
    cell_px: int = Field(
        6, ge=1, le=64, description="Maps are shown in squares of about this many pixels a side."
    )
    region: Region | None = Field(
        None, description="Photons in it are shown in the spectra; None: all photons of pairs."
    )


def looking_from(values: Mapping[str, Any]) -> Looking:
    """The wishes a page sends; what cannot be understood is left at its default."""
    known = {name: values[name] for name in Looking.model_fields if name in values}
    while known:
        try:
            return Looking.model_validate(known)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
            known = {name: value for name, value in known.items() if name not in wrong and wrong}
    return Looking()
