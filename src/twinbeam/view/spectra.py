"""Energies of photons of pairs in a region, and of their twins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs import Pairs
from twinbeam.view.looking import Region

__all__ = ["Spectra", "inside", "pair_spectra", "region_spectra"]


@dataclass(frozen=True, eq=False)
class Spectra:
    """Two spectra without accidentals, counts per bin.

    Attributes
    ----------
    edges_kev
        Edges of the bins.
    one, two
        Signal and idler photons; or photons in a region and their twins.
    n_one
        Prompt photons in the first one, accidentals included.
    """

    edges_kev: NDArray[np.float64]
    one: NDArray[np.float64]
    two: NDArray[np.float64]
    n_one: int


def inside(x: NDArray[np.float64], y: NDArray[np.float64], region: Region) -> NDArray[np.bool_]:
    """Which places are in a region; its borders belong to it."""
    return (x >= region.left) & (x <= region.right) & (y >= region.bottom) & (y <= region.top)


def pair_spectra(pairs: Pairs, edges_kev: NDArray[np.float64], replicas: int) -> Spectra:
    """Spectra of all signal and of all idler photons."""
    every = np.ones(len(pairs), dtype=bool)
    return _spectra(pairs, every, np.zeros(len(pairs), dtype=bool), edges_kev, replicas)


def region_spectra(
    pairs: Pairs, edges_kev: NDArray[np.float64], replicas: int, region: Region
) -> Spectra:
    """Spectra of the photons of pairs in a region, signal or idler, and of their twins."""
    signal = inside(pairs.x1, pairs.y1, region)
    return _spectra(pairs, signal, inside(pairs.x2, pairs.y2, region), edges_kev, replicas)


def _spectra(
    pairs: Pairs,
    signal: NDArray[np.bool_],
    idler: NDArray[np.bool_],
    edges_kev: NDArray[np.float64],
    replicas: int,
) -> Spectra:
    weight = np.where(pairs.replica == 0, 1.0, -1.0 / replicas)
    both = np.concatenate((weight[signal], weight[idler]))
    own = np.concatenate((pairs.e1[signal], pairs.e2[idler]))
    twin = np.concatenate((pairs.e2[signal], pairs.e1[idler]))
    one, _ = np.histogram(own, edges_kev, weights=both)
    two, _ = np.histogram(twin, edges_kev, weights=both)
    return Spectra(edges_kev, one, two, int(np.count_nonzero(both > 0.0)))
