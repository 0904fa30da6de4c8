"""Parameters of the step from photons to pairs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from twinbeam.parameters import FileReference, Parameters
from twinbeam.physics import Geometry

__all__ = ["Cut", "Pairing", "Replicas", "Selection"]

_NOMINAL = {
    "detuning_deg": "detuning_deg",
    "detuning_exact_deg": "detuning_deg",
    "energy_sum_kev": "energy_kev",
    "energy_sum_radius_kev": "energy_kev",
}


class Pairing(Parameters):
    """Which photons are tried with which."""

    window_ns: float = Field(
        250.0,
        gt=0.0,
        le=1e5,
        description="All photons of opposite halves closer in time than this in ns are candidates.",
    )
    signal_half: Literal[
        "top",
        "bottom",
        "left",
        "right",
        "top_left",
        "top_right",
        "bottom_left",
        "bottom_right",
    ] = Field(
        "top",
        description="Half or quadrant of the detector, split at the axis, that holds the sample; "
        "photon 1 of a pair is in it, photon 2 in the opposite one.",
    )
    regions: FileReference | None = Field(
        None,
        description="File (npz) of two masks, 'signal' and 'idler', on the grid with the gap, "
        "indexed [y, x]; takes the place of signal_half.",
    )
    photon_kev: tuple[float, float] = Field(
        (2.5, 12.5),
        description="Photons outside this energy range in keV are not tried at all.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.photon_kev[0] < self.photon_kev[1]:
            raise ValueError("photon_kev must be (low, high) with low < high")
        return self


class Replicas(Parameters):
    """Accidental coincidences, measured with one half shifted by whole turns of the ring."""

    turn_ns: float = Field(
        2641.69, gt=1.0, le=1e5, description="Revolution time of the ring in ns."
    )
    n_turns: int = Field(
        10,
        ge=1,
        le=1000,
        description="Shifts by 1 to n turns, in both directions: 2n replicas.",
    )


class Cut(Parameters):
    """One bound on one quantity of a pair; a named step of the selection."""

    quantity: Literal[
        "dt_ns",
        "energy_sum_kev",
        "dp_px",
        "detuning_deg",
        "r1",
        "r2",
        "e1",
        "e2",
        "tot1",
        "tot2",
        "alpha1_deg",
        "alpha2_deg",
        "azimuth_deg",
        "detuning_exact_deg",
        "e1_geometric_kev",
        "e2_geometric_kev",
        "e1_radius_kev",
        "e2_radius_kev",
        "e1_residual_kev",
        "e2_residual_kev",
        "energy_sum_radius_kev",
    ] = Field(description="Column of the pair table, or a quantity derived from it.")
    low: float = Field(description="Pairs below this value are rejected.")
    high: float = Field(description="Pairs above this value are rejected.")
    relative: bool = Field(
        False,
        description="Whether the bounds are multiples of the nominal value: the detuning or the "
        "pump energy of the geometry.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.high:
            raise ValueError(f"cut on {self.quantity}: low must not exceed high")
        if self.relative and self.quantity not in _NOMINAL:
            raise ValueError(
                f"cut on {self.quantity}: only {', '.join(_NOMINAL)} have a nominal value"
            )
        return self


class Selection(Parameters):
    """The cuts that make a candidate a pair, in order."""

    cuts: tuple[Cut, ...] = Field(
        (
            Cut(quantity="energy_sum_kev", low=8.0, high=19.0),
            Cut(quantity="dp_px", low=0.0, high=5.0),
            Cut(quantity="detuning_deg", low=0.895, high=1.105, relative=True),
            Cut(quantity="dt_ns", low=-60.0, high=60.0),
        ),
        description="Cuts in order; a candidate is counted at the first one it fails.",
    )

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        names = [cut.quantity for cut in self.cuts]
        if len(set(names)) != len(names):
            raise ValueError("each quantity can be cut once")
        return self

    def resolved(self, geometry: Geometry) -> Selection:
        """The same cuts with absolute bounds."""
        return Selection(
            cuts=tuple(
                Cut(
                    quantity=cut.quantity,
                    low=cut.low * getattr(geometry, _NOMINAL[cut.quantity]),
                    high=cut.high * getattr(geometry, _NOMINAL[cut.quantity]),
                )
                if cut.relative
                else cut
                for cut in self.cuts
            )
        )
