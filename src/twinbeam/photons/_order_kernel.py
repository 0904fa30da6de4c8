"""Photons in order of time. Compiled, releases the GIL."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.photons.response import TIME_STEPS_PER_TICK

__all__ = ["gather", "order_ties", "sort_keys"]


@nb.njit(cache=True, nogil=True)
def sort_keys(time: NDArray[np.float64], n: int, bits: int, keys: NDArray[np.uint64]) -> bool:
    """Keys that order photons by time; False when the times span too much for that.

    The key holds the time since the earliest photon and, in the last `bits`, the row.
    """
    if n == 0:
        return True
    low = time[0]
    high = time[0]
    for i in range(n):
        low = min(low, time[i])
        high = max(high, time[i])
    if (high - low) * TIME_STEPS_PER_TICK >= 2.0 ** (63 - bits) or n >> bits:
        return False
    for i in range(n):
        steps = np.uint64((time[i] - low) * TIME_STEPS_PER_TICK)
        keys[i] = (steps << np.uint64(bits)) | np.uint64(i)
    return True


@nb.njit(cache=True, nogil=True)
def order_ties(
    keys: NDArray[np.uint64],
    n: int,
    bits: int,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    energy: NDArray[np.float32],
    order: NDArray[np.int32],
) -> bool:
    """Rows in order of (time, y, x, energy) from sorted keys; False when too many are equal."""
    mask = np.uint64((1 << bits) - 1)
    shift = np.uint64(bits)
    for i in range(n):
        row = np.int32(keys[i] & mask)
        place = i
        while place > 0 and keys[place - 1] >> shift == keys[i] >> shift:
            other = order[place - 1]
            if y[other] < y[row] or (
                y[other] == y[row]
                and (x[other] < x[row] or (x[other] == x[row] and energy[other] <= energy[row]))
            ):
                break
            order[place] = other
            place -= 1
            if i - place > 64:
                return False
        order[place] = row
    return True


@nb.njit(cache=True, nogil=True)
def gather(
    order: NDArray[np.int32],
    first: int,
    end: int,
    time: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    energy: NDArray[np.float32],
    tot_ns: NDArray[np.int32],
    n_hits: NDArray[np.int32],
    flags: NDArray[np.uint8],
    to_time: NDArray[np.float64],
    to_x: NDArray[np.float32],
    to_y: NDArray[np.float32],
    to_energy: NDArray[np.float32],
    to_tot_ns: NDArray[np.int32],
    to_n_hits: NDArray[np.int32],
    to_flags: NDArray[np.uint8],
) -> None:
    """Copy the rows `order[first:end]`."""
    for i in range(first, end):
        row = order[i]
        at = i - first
        to_time[at] = time[row]
        to_x[at] = x[row]
        to_y[at] = y[row]
        to_energy[at] = energy[row]
        to_tot_ns[at] = tot_ns[row]
        to_n_hits[at] = n_hits[row]
        to_flags[at] = flags[row]
