"""Photons that are tried: regions, order, crowds. Compiled, releases the GIL."""

# mypy: disable-error-code="arg-type, assignment"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs.halves import region_at

__all__ = ["add_tried", "find_crowded", "put_in_order"]

# columns of a photon that waits for its partners
T, X, Y, ENERGY, TOT = range(5)
N_COLUMNS = 5
# places in the counts of photons
SIGNAL, IDLER, LOW, HIGH, ELSEWHERE, CROWDED = range(6)
N_COUNTS = 6


@nb.njit(cache=True, nogil=True)
def add_tried(
    t: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    energy: NDArray[np.float32],
    tot: NDArray[np.int32],
    low: np.float32,
    high: np.float32,
    cx: np.float32,
    cy: np.float32,
    code: int,
    regions: NDArray[np.uint8],
    signal: NDArray[np.float64],
    n_signal: int,
    idler: NDArray[np.float64],
    n_idler: int,
    counts: NDArray[np.int64],
    rows: NDArray[np.int32],
) -> tuple[int, int]:
    """Append the photons within the energy band to the signal and idler rows; count all.

    The rows need room for all photons and one more; `rows` is scratch of that length.
    """
    # Which photons are in the band, and in which region, cannot be predicted: so every photon is
    # written where it would go, and the place moves on only if it does.
    n = 0
    n_low = 0
    for i in range(t.size):
        e = energy[i]
        rows[n] = i
        n += np.int64((e >= low) & (e <= high))
        n_low += np.int64(e < low)
    counts[LOW] += n_low
    counts[HIGH] += t.size - n - n_low
    before = n_signal + n_idler
    for k in range(n):
        i = rows[k]
        region = region_at(x[i], y[i], cx, cy, code, regions)
        signal[n_signal, T] = t[i]
        signal[n_signal, X] = x[i]
        signal[n_signal, Y] = y[i]
        signal[n_signal, ENERGY] = energy[i]
        signal[n_signal, TOT] = tot[i]
        idler[n_idler, T] = t[i]
        idler[n_idler, X] = x[i]
        idler[n_idler, Y] = y[i]
        idler[n_idler, ENERGY] = energy[i]
        idler[n_idler, TOT] = tot[i]
        signals = np.int64(region == 1)
        idlers = np.int64(region == 2)
        counts[SIGNAL] += signals
        counts[IDLER] += idlers
        n_signal += signals
        n_idler += idlers
    counts[ELSEWHERE] += n - (n_signal + n_idler - before)
    return n_signal, n_idler


@nb.njit(cache=True, nogil=True)
def put_in_order(rows: NDArray[np.float64], start: int, n: int) -> bool:
    """Move the rows from `start` on to their places by (t, y, x, energy) among all before.

    False when some are so far off that sorting is better; nothing is lost then.
    """
    row = np.empty(N_COLUMNS)
    for i in range(max(start, 1), n):
        if rows[i - 1, T] < rows[i, T]:
            continue
        row[:] = rows[i]
        j = i
        while j > 0:
            other = rows[j - 1]
            if other[T] < row[T]:
                break
            if other[T] == row[T]:
                if other[Y] < row[Y]:
                    break
                if other[Y] == row[Y]:
                    if other[X] < row[X]:
                        break
                    if other[X] == row[X] and other[ENERGY] <= row[ENERGY]:
                        break
            rows[j] = other
            j -= 1
            if i - j > 64:
                rows[j] = row
                return False
        rows[j] = row
    return True


@nb.njit(cache=True, nogil=True)
def find_crowded(
    signal: NDArray[np.float64],
    n_ready: int,
    idler_t: NDArray[np.float64],
    shifts: NDArray[np.float64],
    window: float,
    most: int,
    crowded: NDArray[np.bool_],
) -> int:
    """Mark signal photons with more than `most` partners at any shift; return their number."""
    n_idler = idler_t.size
    for i in range(n_ready):
        crowded[i] = False
    # a crowd is rare: look whether there is one at all before looking whose partners it is
    dense = False
    for j in range(most, n_idler):
        if idler_t[j] - idler_t[j - most] <= 2.0 * window:
            dense = True
            break
    if not dense:
        return 0
    n = 0
    for k in range(shifts.size):
        begin = 0
        end = 0
        for i in range(n_ready):
            at = signal[i, T] - shifts[k]
            while begin < n_idler and idler_t[begin] < at - window:
                begin += 1
            end = max(begin, end)
            while end < n_idler and idler_t[end] <= at + window:
                end += 1
            if end - begin > most and not crowded[i]:
                crowded[i] = True
                n += 1
    return n
