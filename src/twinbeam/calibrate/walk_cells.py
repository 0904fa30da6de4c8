"""Time differences of the hits of one cluster by their two ToT values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.clusters import ClusteredHits
from twinbeam.calibrate.robust import robust_sigma
from twinbeam.tpx3 import TICK_NS, TOT_STEP_NS

__all__ = ["WalkCells", "walk_cells"]

_CLIP = 4.0
_LEAST_SPREAD_NS = TICK_NS / 6.0**0.5  # two times of whole ticks, each rounded by itself


@dataclass(frozen=True, eq=False)
class WalkCells:
    """Mean time by which the smaller pulse is later, one row a pair of ToT values.

    Attributes
    ----------
    small_ns, large_ns
        ToT of the two hits.
    late_ns, error_ns
        Mean delay of the smaller one and its standard error.
    n
        Hit pairs in the mean.
    used, rejected
        Hit pairs in all cells, and those left out: too far from the others of their cell, or in a
        cell with too few.
    """

    small_ns: NDArray[np.float64]
    large_ns: NDArray[np.float64]
    late_ns: NDArray[np.float64]
    error_ns: NDArray[np.float64]
    n: NDArray[np.int64]
    used: int
    rejected: int


def walk_cells(
    clustered: ClusteredHits,
    offsets_ticks: NDArray[np.float64] | None = None,
    *,
    longest_tot_ns: int = 1500,
    least_n: int = 5,
) -> WalkCells:
    """Collect the clusters of exactly two hits with different ToT.

    Parameters
    ----------
    offsets_ticks
        By how much each hit's clock is late, one value a hit; taken off first.
    longest_tot_ns
        Hits with more charge are not used.
    least_n
        Hit pairs that a cell needs for a mean with a known error.
    """
    hits = clustered.hits
    of_two = np.flatnonzero(clustered.size == 2)
    two = of_two[np.argsort(clustered.label[of_two], kind="stable")].reshape(-1, 2)
    late = np.zeros(len(hits)) if offsets_ticks is None else offsets_ticks
    i, j = two[:, 0], two[:, 1]
    delay = ((hits.t[i] - hits.t[j]) - (late[i] - late[j])) * TICK_NS
    tot_i, tot_j = hits.tot_ns[i].astype(np.int64), hits.tot_ns[j].astype(np.int64)
    keep = (tot_i != tot_j) & (np.maximum(tot_i, tot_j) <= longest_tot_ns)
    keep &= (hits.x[i] != hits.x[j]) | (hits.y[i] != hits.y[j])
    delay = np.where(tot_i < tot_j, delay, -delay)[keep]
    small, large = np.minimum(tot_i, tot_j)[keep], np.maximum(tot_i, tot_j)[keep]
    key = small // TOT_STEP_NS * 1024 + large // TOT_STEP_NS
    cells, where = np.unique(key, return_inverse=True)
    mean, inside = _clipped_means(delay, where, cells.size)
    n = np.bincount(where[inside], minlength=cells.size)
    spread = max(robust_sigma((delay - mean[where])[inside]), _LEAST_SPREAD_NS)
    own = np.bincount(where[inside], ((delay - mean[where]) ** 2)[inside], minlength=cells.size)
    # the spread of a cell with few pairs is known badly: mixed with that of all cells
    variance = (own + 10.0 * spread**2) / (np.maximum(n - 1, 0) + 10.0)
    good = n >= least_n
    return WalkCells(
        small_ns=(cells[good] // 1024 * TOT_STEP_NS).astype(np.float64),
        large_ns=(cells[good] % 1024 * TOT_STEP_NS).astype(np.float64),
        late_ns=mean[good],
        error_ns=np.sqrt(variance[good] / n[good]),
        n=n[good],
        used=int(n[good].sum()),
        rejected=int(len(two) - n[good].sum()),
    )


def _clipped_means(
    value: NDArray[np.float64], where: NDArray[np.int64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mean of each cell without values far from its median, and which values stayed."""
    order = np.lexsort((value, where))
    n = np.bincount(where, minlength=size)
    start = np.cumsum(n) - n
    ranked = value[order]
    low, high = start + (n - 1) // 2, start + n // 2
    centre = 0.5 * (ranked[low] + ranked[high]) if size else np.zeros(0)
    many = n[where] >= 4
    sigma = robust_sigma((value - centre[where])[many]) if many.any() else np.inf
    inside = np.abs(value - centre[where]) <= _CLIP * max(sigma, TICK_NS)
    weight = np.bincount(where[inside], minlength=size)
    total = np.bincount(where[inside], value[inside], minlength=size)
    return total / np.maximum(weight, 1), inside
