"""Edges of the histograms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.images.parameters import ImageParameters
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

__all__ = ["Axes"]


@dataclass(frozen=True, eq=False)
class Axes:
    """Bin edges of the results and the size of the images.

    Attributes
    ----------
    dt_ns, detuning_deg, energy_kev
        Edges, one more than bins.
    side_px
        Side of the detector's grid in pixels.
    pump_kev
        Energy of the pump in keV, where the maps of energies end.
    parameters
        What is counted besides, and how finely.
    """

    dt_ns: NDArray[np.float64]
    detuning_deg: NDArray[np.float64]
    energy_kev: NDArray[np.float64]
    side_px: int
    pump_kev: float = 15.0
    parameters: ImageParameters = field(default_factory=ImageParameters)

    @classmethod
    def of(cls, parameters: ImageParameters, geometry: Geometry, window_ns: float) -> Axes:
        """Edges for a recipe; the time axis is symmetric with a bin centred on zero."""
        half = max(0, int(np.floor(window_ns / parameters.dt_bin_ns - 0.5)))
        n_energy = max(1, round(parameters.energy_max_kev / parameters.energy_bin_kev))
        top = parameters.detuning_range * geometry.detuning_deg
        return cls(
            dt_ns=np.arange(-half - 0.5, half + 1.0) * float(parameters.dt_bin_ns),
            detuning_deg=np.linspace(0.0, top, parameters.detuning_bins + 1),
            energy_kev=np.arange(n_energy + 1.0) * float(parameters.energy_bin_kev),
            side_px=geometry.side_px,
            pump_kev=geometry.energy_kev,
            parameters=parameters,
        )

    def same_as(self, other: Axes) -> bool:
        """Whether arrays counted with these and with other axes may be added."""
        same_edges = all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("dt_ns", "detuning_deg", "energy_kev")
        )
        return (
            same_edges
            and (self.side_px, self.pump_kev) == (other.side_px, other.pump_kev)
            and self.parameters == other.parameters
        )

    @property
    def image_side(self) -> int:
        """Side of the images in bins of `bin_px` pixels; the last may hang over the edge."""
        return -(-self.side_px // self.parameters.bin_px)

    @property
    def image_px(self) -> NDArray[np.float64]:
        """Edges of the image bins in pixels; pixel n reaches from n - 1/2 to n + 1/2."""
        return np.arange(self.image_side + 1.0) * self.parameters.bin_px - 0.5

    @property
    def radius_px(self) -> NDArray[np.float64]:
        """Edges of the radial profiles, to the diagonal of the grid."""
        width = self.parameters.radial_bin_px
        n = math.ceil(math.sqrt(2.0) * self.side_px / width)
        return np.arange(n + 1.0) * float(width)

    @property
    def azimuth_deg(self) -> NDArray[np.float64]:
        """Edges of the azimuthal profiles, from the x axis towards y."""
        return np.linspace(-180.0, 180.0, self.parameters.azimuth_bins + 1)

    @property
    def map_energy_kev(self) -> NDArray[np.float64]:
        """Edges of both sides of the map of energies, to the pump energy."""
        return np.linspace(0.0, self.pump_kev, self.parameters.map_bins + 1)

    @property
    def map_radius_px(self) -> NDArray[np.float64]:
        """Edges of both sides of the map of radii, to three quarters of the grid's side."""
        return np.linspace(0.0, 0.75 * self.side_px, self.parameters.map_bins + 1)

    @property
    def slices_kev(self) -> NDArray[np.float64]:
        """Edges of the energy slices."""
        return np.asarray(self.parameters.slices_kev, dtype=np.float64)

    @property
    def g2_ns(self) -> NDArray[np.float64]:
        """Delays in the middle of the bins of g2; the first is 0."""
        step = self.parameters.g2_bin_ticks * TICK_NS
        return np.arange(self.parameters.g2_reach_us * 1e3 // step + 1.0) * float(step)

    @property
    def distance_px(self) -> NDArray[np.int64]:
        """Distances in the middle of the bins of coincidences by distance."""
        return np.arange(self.parameters.distance_max_px + 1)

    def named(self) -> dict[str, NDArray[Any]]:
        """All edges and bin centres that belong to what is counted, by name and unit."""
        p = self.parameters
        edges: dict[str, NDArray[Any]] = {
            "dt_edges_ns": self.dt_ns,
            "detuning_edges_deg": self.detuning_deg,
            "energy_edges_kev": self.energy_kev,
            "image_edges_px": self.image_px,
        }
        if p.profiles:
            edges |= {"radial_edges_px": self.radius_px, "azimuth_edges_deg": self.azimuth_deg}
        if p.correlation_maps:
            edges |= {"e1_e2_edges_kev": self.map_energy_kev, "r1_r2_edges_px": self.map_radius_px}
        if p.slices_kev:
            edges["slices_edges_kev"] = self.slices_kev
        if p.g2:
            edges["g2_delay_ns"] = self.g2_ns
        if p.distance:
            edges["distance_px"] = self.distance_px
        return edges
