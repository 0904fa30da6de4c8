"""Images and histograms as running integer sums."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.images.autocorrelation import Autocorrelation
from twinbeam.images.axes import Axes
from twinbeam.images.distance import CoincidencesByDistance
from twinbeam.images.histogram import add_singles
from twinbeam.images.pair_images import PairHistograms, PairImages
from twinbeam.images.pair_profiles import CorrelationMaps, PairProfiles
from twinbeam.images.reducer import Reducer, Sums, add_arrays
from twinbeam.pairs import Pairs, SelectedPairs
from twinbeam.photons import Photons
from twinbeam.physics import Geometry

__all__ = ["Images", "Singles"]


class Singles(Sums):
    """``singles``, the image of all photons, and ``energy``, their spectrum."""

    takes_photons = True

    def __init__(self, axes: Axes) -> None:
        super().__init__(
            {
                "singles": np.zeros((axes.image_side, axes.image_side), np.int64),
                "energy": np.zeros(axes.energy_kev.size - 1, np.int64),
            }
        )
        self._axes = axes
        # an eighth as wide as the sum, so that it stays in the cache; and a place for all outside
        self._recent = np.zeros(axes.image_side**2 + 1, np.uint8)

    def add_photons(self, photons: Photons) -> None:
        """Count photons."""
        add_singles(
            self._arrays["singles"],
            self._recent,
            self._arrays["energy"],
            photons.x,
            photons.y,
            photons.energy_kev,
            self._axes.parameters.bin_px,
            self._axes.side_px,
            self._axes.energy_kev,
        )

    def arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """The sums by name; they are up to date when they are asked for."""
        singles = self._arrays["singles"]
        singles += self._recent[:-1].reshape(singles.shape)
        self._recent[:] = 0
        return self._arrays


class Images:
    """All maps and histograms of a run: the reducers its parameters ask for.

    Arrays by name: ``singles`` (all photons), ``energy`` (their spectrum), the pair images and the
    histograms ``dt``, ``detuning`` and ``detuning_exact``, profiles and maps; those of pairs also
    with the suffix ``_accidental``, which hold the sum over all replicas. The histogram of a
    quantity is filled with the pairs that pass every cut except the one on that quantity.

    Parameters
    ----------
    axes, geometry
        Edges, what is counted, and the described detector.
    more
        Further reducers; their arrays must have names of their own.

    Raises
    ------
    ValueError
        If two reducers have an array of the same name.
    """

    def __init__(self, axes: Axes, geometry: Geometry, *more: Reducer) -> None:
        self.axes = axes
        wanted = axes.parameters
        reducers: list[Reducer] = [
            Singles(axes),
            PairImages(axes, geometry),
            PairHistograms(axes, geometry),
        ]
        if wanted.profiles:
            reducers.append(PairProfiles(axes, geometry))
        if wanted.correlation_maps:
            reducers.append(CorrelationMaps(axes))
        if wanted.g2:
            reducers.append(Autocorrelation(axes))
        if wanted.distance:
            reducers.append(CoincidencesByDistance(axes))
        self._reducers = (*reducers, *more)
        self._of_photons = tuple(r for r in self._reducers if r.takes_photons)
        names = [name for reducer in self._reducers for name in reducer.arrays()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two reducers have an array called {', '.join(twice)}")

    def add_photons(self, photons: Photons) -> None:
        """Count photons, which come in order of time."""
        if len(photons):
            for reducer in self._of_photons:
                reducer.add_photons(photons)

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Count candidates according to the cuts they pass.

        Candidates that fail two cuts or more are in no array; they may be left out.
        """
        if len(pairs):
            for reducer in self._reducers:
                reducer.add_pairs(pairs, selected)

    def next_acquisition(self) -> None:
        """The next photons have another clock."""
        for reducer in self._reducers:
            reducer.next_acquisition()

    def arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """All arrays by name; they go on changing."""
        return {k: array for reducer in self._reducers for k, array in reducer.arrays().items()}

    def copy_arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """A consistent copy of all arrays by name."""
        return {name: array.copy() for name, array in self.arrays().items()}

    def merge(self, other: Images | Mapping[str, NDArray[np.int64]]) -> None:
        """Add the counts of another part of the measurement.

        What one photon has to do with another across the border of the parts is not in the sum:
        ``g2`` and ``distance`` are exact for parts with clocks of their own.

        Raises
        ------
        RecipeError
            If it has other arrays or axes; nothing is changed then.
        """
        if isinstance(other, Images):
            if not self.axes.same_as(other.axes):
                raise RecipeError(
                    "results with different axes cannot be merged",
                    where="images",
                    hint="make both with the same recipe",
                )
            other = other.arrays()
        add_arrays(self.arrays(), other)
