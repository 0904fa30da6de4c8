"""Edges of the histograms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.images.parameters import ImageParameters
from twinbeam.physics import Geometry

__all__ = ["Axes"]


@dataclass(frozen=True, eq=False)
class Axes:
    """Bin edges of the one-dimensional results and the side of the images.

    Attributes
    ----------
    dt_ns, detuning_deg, energy_kev
        Edges, one more than bins.
    side_px
        Side of the images in pixels.
    """

    dt_ns: NDArray[np.float64]
    detuning_deg: NDArray[np.float64]
    energy_kev: NDArray[np.float64]
    side_px: int

    @classmethod
    def of(cls, parameters: ImageParameters, geometry: Geometry, window_ns: float) -> Axes:
        """Edges for a recipe; the time axis is symmetric with a bin centred on zero."""
        half = max(0, int(np.floor(window_ns / parameters.dt_bin_ns - 0.5)))
        n_energy = round(parameters.energy_max_kev / parameters.energy_bin_kev)
        top = parameters.detuning_range * geometry.detuning_deg
        return cls(
            dt_ns=np.arange(-half - 0.5, half + 1.0) * float(parameters.dt_bin_ns),
            detuning_deg=np.linspace(0.0, top, parameters.detuning_bins + 1),
            energy_kev=np.arange(n_energy + 1.0) * float(parameters.energy_bin_kev),
            side_px=geometry.side_px,
        )
