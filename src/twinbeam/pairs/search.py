"""All coincidences of two sorted lists of times, with shifted replicas; exact, two pointers."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs.parameters import Replicas
from twinbeam.photons.measure import TIME_STEPS_PER_TICK
from twinbeam.tpx3 import TICK_NS

__all__ = ["coincidences", "replica_shifts"]


def replica_shifts(replicas: Replicas) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Turns and shifts in ticks: no shift first, then ±1, ±2 … turns.

    Every shift is rounded to the time grid of photons by itself, so errors do not add up.
    """
    n = np.arange(1, replicas.n_turns + 1)
    turns = np.concatenate(([0], np.stack((n, -n), axis=1).ravel())).astype(np.int32)
    ticks = turns * (replicas.turn_ns / TICK_NS)
    return turns, np.round(ticks * TIME_STEPS_PER_TICK) / TIME_STEPS_PER_TICK


@nb.njit(cache=True, nogil=True)
def _walk(
    signal_t: NDArray[np.float64],
    idler_t: NDArray[np.float64],
    shifts: NDArray[np.float64],
    window: float,
    out_signal: NDArray[np.int32],
    out_idler: NDArray[np.int32],
    out_shift: NDArray[np.int32],
) -> int:
    """Visit all coincidences; write them when the outputs have room, and count them."""
    n = 0
    fill = out_signal.size > 0
    low = np.zeros(shifts.size, np.int64)
    for i in range(signal_t.size):
        for k in range(shifts.size):
            at = signal_t[i] - shifts[k]
            j = low[k]
            while j < idler_t.size and idler_t[j] < at - window:
                j += 1
            low[k] = j
            while j < idler_t.size and idler_t[j] <= at + window:
                if fill:
                    out_signal[n] = i
                    out_idler[n] = j
                    out_shift[n] = k
                n += 1
                j += 1
    return n


def coincidences(
    signal_t: NDArray[np.float64],
    idler_t: NDArray[np.float64],
    shifts: NDArray[np.float64],
    window_ticks: float,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Indices (signal, idler, shift) of all pairs with ``|t_idler + shift - t_signal| ≤ window``.

    In order of signal, shift and idler. Times are sorted, in ticks on the grid of photon times.
    """
    empty = np.empty(0, np.int32)
    n = _walk(signal_t, idler_t, shifts, window_ticks, empty, empty, empty)
    found = np.empty((3, n), np.int32)
    if n:
        _walk(signal_t, idler_t, shifts, window_ticks, found[0], found[1], found[2])
    return found[0], found[1], found[2]
