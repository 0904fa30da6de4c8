"""Parameters of the step from hits to photons."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from twinbeam.parameters import FileReference, Parameters

__all__ = ["Clustering", "ColumnOffset", "Response"]


class ColumnOffset(Parameters):
    """Double columns of one chip whose hits are late or early by whole ticks."""

    chip: int = Field(ge=0, le=3, description="Chip of the quad.")
    first: int = Field(ge=0, le=127, description="First double column (two pixel columns each).")
    last: int = Field(ge=0, le=127, description="Last double column.")
    ticks: int = Field(
        ge=-64, le=64, description="Ticks of 1.5625 ns that are subtracted from the times."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first > self.last:
            raise ValueError("first must not exceed last")
        return self


class Response(Parameters):
    """From time over threshold to energy, and from threshold crossing to photon time.

    ``ToT = a E + b - c / (E - t)`` for every hit. Timewalk ``B exp(-k ToT)`` (exponential) or
    ``c / (E - t) + d`` (pole).
    """

    a_ns_per_kev: float = Field(25.77, gt=0.0, le=1e3, description="Slope a in ns/keV.")
    b_ns: float = Field(170.0, ge=-1e4, le=1e4, description="Offset b in ns.")
    c_ns_kev: float = Field(150.0, ge=0.0, le=1e5, description="Curvature c in ns·keV.")
    t_kev: float = Field(2.0, ge=-50.0, le=50.0, description="Pole t of the curvature in keV.")
    per_pixel: FileReference | None = Field(
        None,
        description="File (npy, 512 x 512 x 4, axes x, y, parameter as tpx3awkward has them) of "
        "a, b, c and t for each pixel; replaces the four values above. Pixels without finite "
        "values keep those.",
    )
    walk: Literal["exponential", "pole"] = Field("exponential", description="Form of the timewalk.")
    timewalk_ns: float = Field(
        167.0, ge=0.0, le=1e3, description="Timewalk B in ns at zero ToT; 0 switches it off."
    )
    timewalk_decay_per_ns: float = Field(
        0.016, gt=0.0, le=1.0, description="Decay k of the timewalk with ToT in 1/ns."
    )
    walk_c_ns_kev: float = Field(
        100.0, ge=0.0, le=1e5, description="Strength c of the pole form in ns·keV."
    )
    walk_t_kev: float = Field(0.0, ge=-50.0, le=50.0, description="Pole t of the walk in keV.")
    walk_d_ns: float = Field(0.0, ge=-1e3, le=1e3, description="Constant d of the pole form in ns.")
    column_offsets: tuple[ColumnOffset, ...] = Field(
        (), description="Double columns with a clock of their own ('railroad columns')."
    )

    @model_validator(mode="after")
    def _each_column_once(self) -> Self:
        seen: set[tuple[int, int]] = set()
        for offset in self.column_offsets:
            columns = {(offset.chip, c) for c in range(offset.first, offset.last + 1)}
            if seen & columns:
                raise ValueError(f"column_offsets: a double column of chip {offset.chip} is twice")
            seen |= columns
        return self


class Clustering(Parameters):
    """Which hits are one photon."""

    window_ns: float = Field(
        200.0,
        gt=0.0,
        le=1e5,
        description="Two touching hits (8 neighbours) closer in time than this in ns are one "
        "photon.",
    )
    longest_us: float = Field(
        10.0,
        gt=0.0,
        le=1e4,
        description="A photon that goes on for longer than this in µs is cut there, so that noisy "
        "neighbours do not become one endless photon. Real ones last below 0.2 µs.",
    )
    reorder_ms: float = Field(
        2.0,
        gt=0.0,
        le=1e4,
        description="How far in ms a hit may come behind later ones in the stream; older ones are "
        "rejected as late. Real quads reach 1.3 ms.",
    )
    spread_edges: bool = Field(
        False,
        description="Whether hits of the double-size pixels along the gap are placed at random "
        "within them; the same data always give the same places.",
    )
