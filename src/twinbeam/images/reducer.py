"""Reducers: whatever turns photons and pairs into sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairs, SelectedPairs
from twinbeam.photons import Photons

__all__ = ["Reducer", "Sums", "add_arrays"]


class Reducer(Protocol):
    """Integer sums over photons and pairs, the same for any cutting of the stream.

    Partial results merge by adding their arrays.
    """

    @property
    def takes_photons(self) -> bool:
        """Whether `add_photons` has to be called: it costs time for each photon."""
        ...

    def add_photons(self, photons: Photons) -> None:
        """Take the next photons, in order of time across calls."""
        ...

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Take the next candidates; those that fail two cuts or more may be left out."""
        ...

    def next_acquisition(self) -> None:
        """The next photons have another clock."""
        ...

    def arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """The sums by name; they go on changing."""
        ...

    def merge(self, other: Mapping[str, NDArray[np.int64]]) -> None:
        """Add the sums of another part."""
        ...


class Sums:
    """What reducers have in common; by itself it counts nothing.

    Parameters
    ----------
    arrays
        The sums by name, at zero.
    """

    takes_photons = False

    def __init__(self, arrays: Mapping[str, NDArray[np.int64]]) -> None:
        self._arrays = dict(arrays)

    def add_photons(self, photons: Photons) -> None:
        """Take the next photons."""

    def add_pairs(self, pairs: Pairs, selected: SelectedPairs) -> None:
        """Take the next candidates."""

    def next_acquisition(self) -> None:
        """The next photons have another clock."""

    def arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """The sums by name; they go on changing."""
        return self._arrays

    def merge(self, other: Mapping[str, NDArray[np.int64]]) -> None:
        """Add the sums of another part.

        Raises
        ------
        RecipeError
            If its arrays have other names or shapes.
        """
        add_arrays(self._arrays, other)


def add_arrays(
    into: Mapping[str, NDArray[np.int64]], other: Mapping[str, NDArray[np.int64]]
) -> None:
    """Add arrays of the same names and shapes in place.

    Raises
    ------
    RecipeError
        If names or shapes differ; nothing is changed then.
    """
    names = {name for name in into if name not in other}
    names |= {name for name in other if name not in into}
    names |= {name for name in set(into) & set(other) if into[name].shape != other[name].shape}
    if names:
        raise RecipeError(
            f"results with different arrays cannot be merged: {', '.join(sorted(names))}",
            where="images",
            hint="make both with the same recipe",
        )
    for name, array in into.items():
        array += other[name]
