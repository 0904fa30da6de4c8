"""Images and histograms of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from twinbeam.images.axes import Axes
from twinbeam.images.histogram import add_bins, add_pixels
from twinbeam.images.reducer import Sums
from twinbeam.images.sharpen import sharpened_idler, sharpened_pair
from twinbeam.pairs import Pairs, SelectedPairs
from twinbeam.physics import Geometry

__all__ = ["PAIR_IMAGES", "REPLICA_SUFFIX", "PairHistograms", "PairImages", "groups"]

#: Images of selected pairs; each exists for prompt pairs and, with the suffix, for all replicas.
PAIR_IMAGES = ("signal", "idler", "idler_sharpened", "coincidence")
REPLICA_SUFFIX = "_accidental"


def groups(pairs: Pairs, mask: NDArray[np.bool_]) -> Iterator[tuple[str, Pairs]]:
    """Prompt pairs and replica pairs of a mask, each with the suffix of its arrays, if any."""
    prompt = pairs.replica == 0
    for suffix, group in (("", mask & prompt), (REPLICA_SUFFIX, mask & ~prompt)):
        if group.any():
            yield suffix, pairs[group]


def zeros(names: Sequence[str], shape: tuple[int, ...]) -> dict[str, NDArray[np.int64]]:
    """Arrays at zero for prompt pairs and for the replicas."""
    return {
        name + suffix: np.zeros(shape, np.int64)
        for suffix in ("", REPLICA_SUFFIX)
        for name in names
    }


class PairImages(Sums):
    """Images of the pairs that pass every cut.

    ``signal`` and ``idler``, ``coincidence`` (both), ``idler_sharpened`` (Eq. 6); if asked for,
    ``signal_symmetric`` and ``idler_symmetric`` (both angles corrected by the same factor), and
    ``signal_slices`` and ``idler_slices``, each a stack of one image per slice of energy.
    """

    def __init__(self, axes: Axes, geometry: Geometry) -> None:
        side, slices = axes.image_side, max(0, axes.slices_kev.size - 1)
        arrays = zeros(PAIR_IMAGES, (side, side))
        self._symmetric = axes.parameters.symmetric
        if self._symmetric:
            arrays |= zeros(("signal_symmetric", "idler_symmetric"), (side, side))
        if slices:
            arrays |= zeros(("signal_slices", "idler_slices"), (slices, side, side))
        super().__init__(arrays)
        self._slices = axes.slices_kev
        self._energies = {
            "geometric": ("e1_geometric_kev", "e2_geometric_kev"),
            "radius": ("e1_radius_kev", "e2_radius_kev"),
            "tot": ("e1", "e2"),
        }[axes.parameters.slice_by]
        self._grid = (axes.side_px, axes.parameters.bin_px)
        self._geometry = geometry

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Count the candidates that pass every cut."""
        for suffix, group in groups(pairs, selected.passed):
            for name, x, y in (("signal", group.x1, group.y1), ("idler", group.x2, group.y2)):
                add_pixels(self._arrays[name + suffix], x, y, *self._grid)
                add_pixels(self._arrays["coincidence" + suffix], x, y, *self._grid)
            corrected = sharpened_idler(group, self._geometry)
            add_pixels(self._arrays["idler_sharpened" + suffix], *corrected, *self._grid)
            if self._symmetric:
                x1, y1, x2, y2 = sharpened_pair(group, self._geometry)
                add_pixels(self._arrays["signal_symmetric" + suffix], x1, y1, *self._grid)
                add_pixels(self._arrays["idler_symmetric" + suffix], x2, y2, *self._grid)
            if self._slices.size:
                self._add_slices(group, suffix)

    def _add_slices(self, pairs: Pairs, suffix: str) -> None:
        sides = (("signal", pairs.x1, pairs.y1), ("idler", pairs.x2, pairs.y2))
        for (name, x, y), quantity in zip(sides, self._energies, strict=True):
            energy = pairs.quantity(quantity, self._geometry)
            place = np.searchsorted(self._slices, energy, side="right") - 1
            for k, image in enumerate(self._arrays[f"{name}_slices{suffix}"]):
                inside = place == k
                add_pixels(image, x[inside], y[inside], *self._grid)


class PairHistograms(Sums):
    """Histograms of what the cuts are made on, each without the cut on itself.

    ``dt``, ``detuning`` (Eq. 1) and ``detuning_exact`` (exact partner of Eq. 1), which leaves out
    the cuts on both forms of the detuning.
    """

    def __init__(self, axes: Axes, geometry: Geometry) -> None:
        detuning = axes.detuning_deg.size - 1
        super().__init__(
            zeros(("dt",), (axes.dt_ns.size - 1,))
            | zeros(("detuning", "detuning_exact"), (detuning,))
        )
        self._axes = axes
        self._geometry = geometry

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Count candidates according to the cuts they pass."""
        dt, detuning = selected.all_but("dt_ns"), selected.all_but("detuning_deg")
        for suffix, group in groups(pairs, dt):
            add_bins(self._arrays["dt" + suffix], group.dt_ns, self._axes.dt_ns)
        for suffix, group in groups(pairs, detuning):
            counts = self._arrays["detuning" + suffix]
            add_bins(counts, group.detuning_deg, self._axes.detuning_deg)
        either = detuning | selected.all_but("detuning_exact_deg")
        for suffix, group in groups(pairs, either):
            exact = group.quantity("detuning_exact_deg", self._geometry)
            add_bins(self._arrays["detuning_exact" + suffix], exact, self._axes.detuning_deg)
