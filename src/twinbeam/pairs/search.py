"""All coincidences of two sorted lists of times, with shifted replicas; exact, two pointers."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs.parameters import Replicas
from twinbeam.tpx3 import TICK_NS

__all__ = ["coincidences", "most_partners", "replica_shifts"]

_MOST_HZ = 1e8  # photons per second in one half; a quad can send a quarter of that
_MOST_AT_LEAST = 64


def replica_shifts(replicas: Replicas) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Turns and shifts in ticks: no shift first, then ±1, ±2 … turns.

    Every shift is rounded to whole ticks by itself. With a fraction of a tick the time differences,
    which are mostly whole ticks, would fall into fewer steps inside a window than the prompt ones,
    2 % fewer accidentals within ±36 ns.
    """
    n = np.arange(1, replicas.n_turns + 1)
    turns = np.concatenate(([0], np.stack((n, -n), axis=1).ravel())).astype(np.int32)
    ticks = turns * (replicas.turn_ns / TICK_NS)
    return turns, np.round(ticks)


def most_partners(window_ticks: float) -> int:
    """Partners of one photon within ±window beyond which no real rate explains them."""
    return max(_MOST_AT_LEAST, math.ceil(2.0 * window_ticks * TICK_NS * 1e-9 * _MOST_HZ))


@nb.njit(cache=True, nogil=True)
def _walk(
    signal_t: NDArray[np.float64],
    idler_t: NDArray[np.float64],
    shifts: NDArray[np.float64],
    window: float,
    most: int,
    crowded: NDArray[np.bool_],
    out_signal: NDArray[np.int32],
    out_idler: NDArray[np.int32],
    out_shift: NDArray[np.int32],
) -> int:
    """Visit all coincidences of photons that are not crowded, and count them.

    Without room in the outputs it finds out which photons are crowded; with room it writes.
    """
    n = 0
    fill = out_signal.size > 0
    low = np.zeros(shifts.size, np.int64)
    for i in range(signal_t.size):
        if crowded[i]:
            continue
        before = n
        for k in range(shifts.size):
            at = signal_t[i] - shifts[k]
            j = low[k]
            while j < idler_t.size and idler_t[j] < at - window:
                j += 1
            low[k] = j
            most_here = n + most
            while j < idler_t.size and idler_t[j] <= at + window:
                if fill:
                    out_signal[n] = i
                    out_idler[n] = j
                    out_shift[n] = k
                n += 1
                j += 1
                if n > most_here:
                    crowded[i] = True
                    break
            if crowded[i]:
                n = before
                break
    return n


def coincidences(
    signal_t: NDArray[np.float64],
    idler_t: NDArray[np.float64],
    shifts: NDArray[np.float64],
    window_ticks: float,
) -> tuple[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]], int]:
    """All pairs with ``|t_idler + shift - t_signal| ≤ window``.

    A signal photon with more than `most_partners` of them at any shift, as in a flash of noise, is
    crowded and has none at all.

    Parameters
    ----------
    signal_t, idler_t
        Sorted times in ticks on the grid of photon times.
    shifts
        Shifts of the idler times in ticks.

    Returns
    -------
    tuple of arrays
        Indices of signal, idler and shift, in order of signal, shift and idler.
    int
        Number of crowded signal photons.
    """
    most = most_partners(window_ticks)
    crowded = np.zeros(signal_t.size, np.bool_)
    empty = np.empty(0, np.int32)
    n = _walk(signal_t, idler_t, shifts, window_ticks, most, crowded, empty, empty, empty)
    found = np.empty((3, n), np.int32)
    if n:
        _walk(signal_t, idler_t, shifts, window_ticks, most, crowded, *found)
    return (found[0], found[1], found[2]), int(np.count_nonzero(crowded))
