"""Parameters of images and histograms."""

from __future__ import annotations

from pydantic import Field

from twinbeam.parameters import Parameters

__all__ = ["ImageParameters"]


class ImageParameters(Parameters):
    """How finely results are binned."""

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
