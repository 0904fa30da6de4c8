"""Counting into bins; integers, so that sums do not depend on order."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["add_bins", "add_pixels", "add_singles", "count_bins", "count_pixels"]


@nb.njit(cache=True, nogil=True)
def _place(value: float, edges: NDArray[np.float64], guess: int) -> int:
    """Bin of a value, looked for from a guess; -1 outside (NaN too)."""
    last = edges.size - 2
    if not (value >= edges[0] and value < edges[last + 1]):
        return -1
    k = min(max(guess, 0), last)
    while edges[k + 1] <= value:
        k += 1
    while edges[k] > value:
        k -= 1
    return k


@nb.njit(cache=True, nogil=True)
def _add_bins(
    counts: NDArray[np.int64], values: NDArray[np.float64], edges: NDArray[np.float64]
) -> None:
    span = edges[-1] - edges[0]
    scale = (edges.size - 1) / span if span > 0.0 else 0.0
    for i in range(values.size):
        value = values[i]
        if value >= edges[0] and value < edges[-1]:
            counts[_place(value, edges, int((value - edges[0]) * scale))] += 1


@nb.njit(cache=True, nogil=True)
def _add_pixels(
    image: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64], bin_px: int, side: int
) -> None:
    for i in range(x.size):
        column, row = math.floor(x[i] + 0.5), math.floor(y[i] + 0.5)
        if column >= 0 and column < side and row >= 0 and row < side:
            image[int(row) // bin_px, int(column) // bin_px] += 1


@nb.njit(cache=True, nogil=True)
def add_singles(
    image: NDArray[np.uint32],
    spectrum: NDArray[np.int64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    energy_kev: NDArray[np.float32],
    bin_px: int,
    side: int,
    edges: NDArray[np.float64],
) -> None:
    """Add photons, at -1 px or above, to the image of all photons and to their spectrum."""
    last = spectrum.size - 1
    low, high = edges[0], edges[last + 1]
    scale = (last + 1) / (high - low)
    for i in range(x.size):
        # Double precision, as everywhere: in single, a place just below a border rounds onto it.
        # Photons are at -1 or above, where cutting off the fraction of what is 1 more is the floor.
        column = np.int64(np.float64(x[i]) + 1.5) - 1
        row = np.int64(np.float64(y[i]) + 1.5) - 1
        if column >= 0 and column < side and row >= 0 and row < side:
            if bin_px > 1:  # a division costs as much as all the rest
                column //= bin_px
                row //= bin_px
            image[np.uint64(row), np.uint64(column)] += np.uint32(1)
        value = np.float64(energy_kev[i])
        if value >= low and value < high:
            k = int((value - low) * scale)
            if k > last:
                k = last
            while edges[k + 1] <= value:
                k += 1
            while edges[k] > value:
                k -= 1
            spectrum[k] += 1


def add_bins(counts: NDArray[np.int64], values: ArrayLike, edges: NDArray[np.float64]) -> None:
    """Add values to counts in place; a value on an edge belongs to the bin above.

    Values outside are left out.
    """
    _add_bins(counts, np.asarray(values, dtype=np.float64), edges)


def add_pixels(
    image: NDArray[np.int64], x: ArrayLike, y: ArrayLike, side: int, bin_px: int = 1
) -> None:
    """Add points, rounded to the nearest pixel of a grid of `side`, to an image [y, x] in place.

    An image pixel is a square of `bin_px` pixels a side; points outside the grid are left out.
    """
    place = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    _add_pixels(image, *place, bin_px, side)


def count_bins(values: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Counts per bin; a value on an edge belongs to the bin above, values outside are left out."""
    counts = np.zeros(edges.size - 1, np.int64)
    add_bins(counts, values, edges)
    return counts


def count_pixels(x: ArrayLike, y: ArrayLike, side: int, bin_px: int = 1) -> NDArray[np.int64]:
    """Image [y, x] of points rounded to the nearest pixel; points outside are left out."""
    image = np.zeros((-(-side // bin_px),) * 2, np.int64)
    add_pixels(image, x, y, side, bin_px)
    return image
