"""Parameters of images and histograms."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from twinbeam.parameters import Parameters

__all__ = ["ImageParameters"]


class ImageParameters(Parameters):
    """What is counted, and how finely."""

    dt_bin_ns: float = Field(
        6.25,
        ge=0.1,
        le=1e3,
        description="Width of the bins of the time-difference histogram in ns; a whole number of "
        "1.5625 ns ticks keeps bins equally full.",
    )
    detuning_bins: int = Field(
        160, ge=10, le=10000, description="Bins of the pair-detuning histogram."
    )
    detuning_range: float = Field(
        2.0,
        gt=1.0,
        le=20.0,
        description="The pair-detuning histogram reaches from 0 to this many nominal detunings.",
    )
    energy_bin_kev: float = Field(
        0.25, ge=0.01, le=10.0, description="Width of the bins of the photon spectrum in keV."
    )
    energy_max_kev: float = Field(
        40.0, gt=1.0, le=1000.0, description="End of the photon spectrum in keV."
    )
    bin_px: int = Field(
        1,
        ge=1,
        le=64,
        description="Pixels of all images are squares of this many detector pixels a side.",
    )
    profiles: bool = Field(
        True,
        description="Whether rings (photons of pairs by radius) and azimuths are counted.",
    )
    radial_bin_px: float = Field(
        2.0, ge=0.1, le=100.0, description="Width of the bins of the radial profiles in pixels."
    )
    azimuth_bins: int = Field(
        180, ge=4, le=3600, description="Bins of the azimuthal profiles over the full circle."
    )
    correlation_maps: bool = Field(
        True,
        description="Whether maps of the energies (e1, e2) and of the radii (r1, r2) of pairs are "
        "counted.",
    )
    map_bins: int = Field(
        64, ge=4, le=1000, description="Bins along each side of the correlation maps."
    )
    symmetric: bool = Field(
        False,
        description="Whether both photons are also put where the nominal detuning would have put "
        "them, as images signal_symmetric and idler_symmetric.",
    )
    slices_kev: tuple[float, ...] = Field(
        (),
        max_length=65,
        description="Edges in keV of slices of the photon energy, each of which gets a signal and "
        "an idler image; none when empty.",
    )
    slice_by: Literal["geometric", "radius", "tot"] = Field(
        "geometric",
        description="Which energy slices: from both radii of the pair (law of sines), from the "
        "photon's own radius at the nominal detuning, or from its ToT.",
    )
    g2: bool = Field(
        False, description="Whether g2(tau) of all photons is counted; costs time for each photon."
    )
    g2_bin_ticks: int = Field(
        8, ge=1, le=10000, description="Width of the bins of g2 in ticks of 1.5625 ns."
    )
    g2_reach_us: float = Field(
        12.0, gt=0.0, le=1000.0, description="Largest delay of g2 in microseconds."
    )
    g2_partners: int = Field(
        512,
        ge=1,
        le=100000,
        description="A photon is compared with at most this many earlier ones; further ones within "
        "reach are counted as overflow.",
    )
    distance: bool = Field(
        False,
        description="Whether coincidences of all photons are counted by their distance, which "
        "shows broken clusters and cross-talk; costs time for each photon.",
    )
    distance_window_ns: float = Field(
        100.0, gt=0.0, le=1e4, description="Largest time difference of these coincidences in ns."
    )
    distance_delay_ns: float = Field(
        2641.69,
        gt=0.0,
        le=1e6,
        description="Delay in ns at which their accidentals are counted: one turn of the ring.",
    )
    distance_max_px: int = Field(
        64, ge=1, le=800, description="Largest distance of these coincidences in pixels."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if len(self.slices_kev) == 1:
            raise ValueError("slices_kev must hold two edges or more, or none")
        if any(not low < high for low, high in pairwise(self.slices_kev)):
            raise ValueError("slices_kev must grow")
        if self.distance and self.distance_delay_ns <= 2.0 * self.distance_window_ns:
            raise ValueError("distance_delay_ns must exceed twice distance_window_ns")
        return self
