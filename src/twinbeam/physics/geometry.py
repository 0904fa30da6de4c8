"""The described detector: where crystal, axis and pixels are."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from twinbeam.parameters import FileReference, Parameters

__all__ = ["Geometry"]


class Geometry(Parameters):
    """Energy, distance, pixels and axis of the measurement."""

    energy_kev: float = Field(15.0, gt=1.0, le=100.0, description="Energy of the pump in keV.")
    distance_m: float = Field(
        0.494, gt=0.01, le=20.0, description="Distance from crystal to sensor in metres."
    )
    pixel_um: float = Field(55.0, gt=1.0, le=500.0, description="Pixel pitch in micrometres.")
    centre_px: tuple[float, float] = Field(
        (258.0, 258.0),
        description="Axis of the pair ring on the 514 grid, x and y in pixels; the detector is "
        "split there, so it is on the grid.",
    )
    bragg_deg: float = Field(
        11.576, gt=0.5, lt=89.0, description="Bragg angle of the crystal in degrees."
    )
    detuning_deg: float = Field(
        0.040,
        gt=0.0,
        lt=1.0,
        description="Nominal pair detuning in degrees: crystal angle minus Bragg angle as the "
        "pairs show it.",
    )
    beam_stop_half_px: float = Field(
        0.0,
        ge=0.0,
        le=400.0,
        description="Half the side in pixels of the square beam stop around the axis; hits beneath "
        "it do not count. 0: none.",
    )
    pixels: FileReference | None = Field(
        None,
        description="File (npz) of pixels that do not count and of their largest ToT, as "
        "`twinbeam calibrate pixels` writes it.",
    )
    gap_px: int = Field(2, ge=0, le=10, description="Width of the gap between the chips in pixels.")

    @model_validator(mode="after")
    def _axis_on_the_grid(self) -> Self:
        if not all(-0.5 <= place <= self.side_px - 0.5 for place in self.centre_px):
            x, y = self.centre_px
            side = self.side_px
            raise ValueError(f"centre_px ({x:g}, {y:g}) is not on the grid of {side} x {side} px")
        return self

    @property
    def side_px(self) -> int:
        """Side of the gap-corrected grid in pixels, 514 for a quad with a gap of 2."""
        return 512 + self.gap_px
