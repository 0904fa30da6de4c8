"""Counting into bins; integers, so that sums do not depend on order."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["add_bins", "add_pixels", "add_singles", "count_bins", "count_pixels"]

_AT_ONCE = 512  # photons whose places are found together


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
    image: NDArray[np.int64],
    recent: NDArray[np.uint8],
    spectrum: NDArray[np.int64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    energy_kev: NDArray[np.float32],
    bin_px: int,
    side: int,
    edges: NDArray[np.float64],
) -> None:
    """Add photons, at -1 px or above, to the image of all photons and to their spectrum.

    The image is the sum of `image` and of `recent`, flat, which is small enough to stay in the
    cache and has one more place at its end for photons outside.
    """
    n_bins = spectrum.size
    low, high = edges[0], edges[n_bins]
    scale = n_bins / (high - low)
    outside = recent.size - 1
    width = image.shape[1]
    places = np.empty(_AT_ONCE, np.int64)
    bins = np.empty(_AT_ONCE, np.int64)
    counts = np.zeros(n_bins + 1, np.int64)
    for start in range(0, x.size, _AT_ONCE):
        stop = min(start + _AT_ONCE, x.size)
        xs, ys, energies = x[start:stop], y[start:stop], energy_kev[start:stop]
        n = xs.size
        # Places first, without branches, so that the compiler takes many in one instruction.
        for i in range(n):
            # Double precision, as everywhere: in single, a place just below a border rounds onto
            # it. Photons are at -1 or above, where cutting off the fraction of what is 1 more is
            # the floor.
            column = np.int64(np.float64(xs[i]) + 1.5) - 1
            row = np.int64(np.float64(ys[i]) + 1.5) - 1
            inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
            places[i] = row * width + column if inside else outside
            value = np.float64(energies[i])
            seen = (value >= low) & (value < high)
            guess = np.int64((value - low) * scale)
            bins[i] = (guess if guess < n_bins else n_bins - 1) if seen else n_bins
        if bin_px > 1:  # a division costs as much as all the rest
            for i in range(n):
                column = np.int64(np.float64(xs[i]) + 1.5) - 1
                row = np.int64(np.float64(ys[i]) + 1.5) - 1
                inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
                places[i] = row // bin_px * width + column // bin_px if inside else outside
        for i in range(n):
            k = int(bins[i])
            if k < n_bins:
                value = np.float64(energies[i])
                while edges[k + 1] <= value:
                    k += 1
                while edges[k] > value:
                    k -= 1
            counts[k] += 1
            place = np.uint64(places[i])
            count = recent[place] + np.uint8(1)
            recent[place] = count
            if np.uint8(count) == 0 and place != outside:  # it has begun again: 256 more
                image[np.int64(place) // width, np.int64(place) % width] += 256
    for k in range(n_bins):
        spectrum[k] += counts[k]


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
