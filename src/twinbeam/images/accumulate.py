"""Images and histograms as running integer sums."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twinbeam.images.axes import Axes
from twinbeam.images.histogram import count_bins, count_pixels
from twinbeam.images.sharpen import sharpened_idler
from twinbeam.pairs import Pairs, SelectedPairs
from twinbeam.photons import Photons
from twinbeam.physics import Geometry

__all__ = ["PAIR_IMAGES", "Images"]

#: Images of selected pairs; each exists for prompt pairs and, with the suffix, for all replicas.
PAIR_IMAGES = ("signal", "idler", "idler_sharpened", "coincidence")
_REPLICA = "_accidental"


class Images:
    """All maps and histograms of a run.

    Arrays by name: ``singles`` (all photons), ``energy`` (their spectrum), the four pair images and
    the histograms ``dt`` and ``detuning``, the latter six also with the suffix ``_accidental``,
    which hold the sum over all replicas. The histogram of a quantity is filled with the pairs that
    pass every cut except the one on that quantity.
    """

    def __init__(self, axes: Axes, geometry: Geometry) -> None:
        self.axes = axes
        self._geometry = geometry
        image = (axes.side_px, axes.side_px)
        self._arrays: dict[str, NDArray[np.int64]] = {
            "singles": np.zeros(image, np.int64),
            "energy": np.zeros(axes.energy_kev.size - 1, np.int64),
        }
        for suffix in ("", _REPLICA):
            for name in PAIR_IMAGES:
                self._arrays[name + suffix] = np.zeros(image, np.int64)
            self._arrays["dt" + suffix] = np.zeros(axes.dt_ns.size - 1, np.int64)
            self._arrays["detuning" + suffix] = np.zeros(axes.detuning_deg.size - 1, np.int64)

    def add_photons(self, photons: Photons) -> None:
        """Count photons."""
        if len(photons):
            self._arrays["singles"] += count_pixels(photons.x, photons.y, self.axes.side_px)
            self._arrays["energy"] += count_bins(photons.energy_kev, self.axes.energy_kev)

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Count candidates according to the cuts they pass."""
        prompt = pairs.replica == 0
        for suffix, group in (("", prompt), (_REPLICA, ~prompt)):
            self._add_images(pairs[selected.passed & group], suffix)
            self._arrays["dt" + suffix] += count_bins(
                pairs.dt_ns[selected.all_but("dt_ns") & group], self.axes.dt_ns
            )
            self._arrays["detuning" + suffix] += count_bins(
                pairs.detuning_deg[selected.all_but("detuning_deg") & group],
                self.axes.detuning_deg,
            )

    def _add_images(self, pairs: Pairs, suffix: str) -> None:
        if not len(pairs):
            return
        side = self.axes.side_px
        signal = count_pixels(pairs.x1, pairs.y1, side)
        idler = count_pixels(pairs.x2, pairs.y2, side)
        self._arrays["signal" + suffix] += signal
        self._arrays["idler" + suffix] += idler
        self._arrays["coincidence" + suffix] += signal + idler
        x, y = sharpened_idler(pairs, self._geometry)
        self._arrays["idler_sharpened" + suffix] += count_pixels(x, y, side)

    def copy_arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """A consistent copy of all arrays by name."""
        return {name: array.copy() for name, array in self._arrays.items()}
