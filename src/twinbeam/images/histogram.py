"""Counting into bins; integers, so that sums do not depend on order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["count_bins", "count_pixels"]


def count_bins(values: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Counts per bin; a value on an edge belongs to the bin above, values outside are left out."""
    place = np.searchsorted(edges, np.asarray(values, dtype=np.float64), side="right") - 1
    inside = (place >= 0) & (place < edges.size - 1)
    return np.bincount(place[inside], minlength=edges.size - 1).astype(np.int64)


def count_pixels(x: ArrayLike, y: ArrayLike, side: int) -> NDArray[np.int64]:
    """Image [y, x] of points rounded to the nearest pixel; points outside are left out."""
    column = np.floor(np.asarray(x, dtype=np.float64) + 0.5)
    row = np.floor(np.asarray(y, dtype=np.float64) + 0.5)
    inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
    place = row[inside].astype(np.int64) * side + column[inside].astype(np.int64)
    return np.bincount(place, minlength=side * side).reshape(side, side).astype(np.int64)
