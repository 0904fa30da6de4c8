"""Parameters of the step from photons to pairs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from twinbeam.parameters import Parameters

__all__ = ["Cut", "Pairing", "Replicas", "Selection"]


class Pairing(Parameters):
    """Which photons are tried with which."""

    window_ns: float = Field(
        250.0,
        gt=0.0,
        le=1e5,
        description="All photons of opposite halves closer in time than this in ns are candidates.",
    )
    signal_half: Literal["top", "bottom", "left", "right"] = Field(
        "top",
        description="Half of the detector, split at the axis, that holds the sample; photon 1 of a "
        "pair is in it.",
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
        2641.69, gt=1.0, le=1e6, description="Revolution time of the ring in ns."
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
        "dt_ns", "energy_sum_kev", "dp_px", "detuning_deg", "r1", "r2", "e1", "e2"
    ] = Field(description="Column of the pair table, or energy_sum_kev = e1 + e2.")
    low: float = Field(description="Pairs below this value are rejected.")
    high: float = Field(description="Pairs above this value are rejected.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.high:
            raise ValueError(f"cut on {self.quantity}: low must not exceed high")
        return self


class Selection(Parameters):
    """The cuts that make a candidate a pair, in order."""

    cuts: tuple[Cut, ...] = Field(
        (
            Cut(quantity="energy_sum_kev", low=8.0, high=19.0),
            Cut(quantity="dp_px", low=0.0, high=5.0),
            Cut(quantity="detuning_deg", low=0.0358, high=0.0442),
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
