"""Rings, azimuths and correlations of the photons of pairs."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.images.axes import Axes
from twinbeam.images.histogram import add_bins
from twinbeam.images.pair_images import groups, zeros
from twinbeam.images.reducer import Sums
from twinbeam.pairs import Pairs, SelectedPairs
from twinbeam.physics import Geometry

__all__ = ["CorrelationMaps", "PairProfiles", "photon_azimuth_deg"]


@nb.njit(cache=True, nogil=True)
def photon_azimuth_deg(
    x: NDArray[np.float64], y: NDArray[np.float64], cx: float, cy: float
) -> NDArray[np.float64]:
    """Azimuth of places around the axis, from the x axis towards y, in [-180°, 180°)."""
    out = np.empty(x.size)
    for i in range(x.size):
        angle = math.degrees(math.atan2(y[i] - cy, x[i] - cx))
        out[i] = angle if angle < 180.0 else -180.0
    return out


class PairProfiles(Sums):
    """Photons of selected pairs by radius and by azimuth.

    ``radial_signal``, ``radial_idler``: counts per ring, not per area.
    ``azimuth_signal``, ``azimuth_idler``: counts per sector.
    """

    def __init__(self, axes: Axes, geometry: Geometry) -> None:
        super().__init__(
            zeros(("radial_signal", "radial_idler"), (axes.radius_px.size - 1,))
            | zeros(("azimuth_signal", "azimuth_idler"), (axes.azimuth_deg.size - 1,))
        )
        self._radius, self._azimuth = axes.radius_px, axes.azimuth_deg
        self._centre = geometry.centre_px

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Count the candidates that pass every cut."""
        for suffix, group in groups(pairs, selected.passed):
            for name, r, x, y in (
                ("signal", group.r1, group.x1, group.y1),
                ("idler", group.r2, group.x2, group.y2),
            ):
                add_bins(self._arrays[f"radial_{name}{suffix}"], r, self._radius)
                azimuth = photon_azimuth_deg(x, y, *self._centre)
                add_bins(self._arrays[f"azimuth_{name}{suffix}"], azimuth, self._azimuth)


class CorrelationMaps(Sums):
    """Selected pairs by both energies (``e1_e2``, from ToT) and by both radii (``r1_r2``).

    Rows are photon 2, columns photon 1, as in an image [y, x].
    """

    def __init__(self, axes: Axes) -> None:
        bins = axes.parameters.map_bins
        super().__init__(zeros(("e1_e2", "r1_r2"), (bins, bins)))
        self._edges = {"e1_e2": axes.map_energy_kev, "r1_r2": axes.map_radius_px}

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Count the candidates that pass every cut."""
        for suffix, group in groups(pairs, selected.passed):
            columns = {"e1_e2": (group.e1, group.e2), "r1_r2": (group.r1, group.r2)}
            for name, edges in self._edges.items():
                one, two = (
                    np.searchsorted(edges, values, side="right") - 1 for values in columns[name]
                )
                bins = edges.size - 1
                inside = (one >= 0) & (one < bins) & (two >= 0) & (two < bins)
                np.add.at(self._arrays[name + suffix], (two[inside], one[inside]), 1)
