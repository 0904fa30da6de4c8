"""Hits that belong together: connected components in space and time."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import SENSOR_PIXELS

__all__ = ["label_clusters", "pixel_map"]

_SIDE = SENSOR_PIXELS


def pixel_map() -> NDArray[np.int32]:
    """The scratch map `label_clusters` needs: the latest hit of each pixel, none at first."""
    return np.full(_SIDE * _SIDE, -1, dtype=np.int32)


@nb.njit(cache=True, nogil=True)
def _root(parent: NDArray[np.int32], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@nb.njit(cache=True, nogil=True)
def label_clusters(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    window_ticks: int,
    longest_ticks: int,
    latest: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Cluster of every hit, as the index of the cluster's first hit.

    Hits must be in order of time. Two hits touch when they are the same or 8-neighbour pixels and
    at most `window_ticks` apart. A hit does not join a cluster that began more than `longest_ticks`
    before it; up to that length clusters are exact connected components. Looking at the latest hit
    of the nine pixels is enough for that: an earlier hit of such a pixel within the window of this
    hit is within the window of that pixel's later hit too, so the two are joined already.

    Parameters
    ----------
    t, x, y
        Ticks and pixels of n hits on the 512 grid without gaps.
    latest
        Scratch map from `pixel_map`; it is left as it was found.
    """
    n = t.size
    parent = np.empty(n, np.int32)
    for i in range(n):
        parent[i] = i
        xi, yi = np.int64(x[i]), np.int64(y[i])
        for yy in range(max(yi - 1, 0), min(yi + 2, _SIDE)):
            for xx in range(max(xi - 1, 0), min(xi + 2, _SIDE)):
                j = latest[yy * _SIDE + xx]
                if j >= 0 and t[i] - t[j] <= window_ticks:
                    a, b = _root(parent, i), _root(parent, j)
                    first, second = min(a, b), max(a, b)
                    if t[i] - t[first] <= longest_ticks:
                        parent[second] = first
        latest[yi * _SIDE + xi] = i
    for i in range(n):
        parent[i] = _root(parent, i)
        latest[np.int64(y[i]) * _SIDE + np.int64(x[i])] = -1
    return parent
