"""Which idlers can be partners of which signal photons, in all copies. Compiled, releases the GIL.

Which idlers are partners cannot be predicted, so nothing here branches on it: idlers are looked at
in rows of a fixed length, judged many in one instruction, and noted down without a branch. Indices
are unsigned, because signed ones would be tested for being negative.
"""

# mypy: disable-error-code="arg-type, assignment, return-value"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

LANES = 8  # idlers in a row
ROWS = 256  # looked at together, so that what they leave stays in the cache
PADDING = 2 * LANES  # times of infinity behind the last idler

_ONE = np.uintp(1)
_LANES = np.uintp(LANES)
_HALF_WORD = np.uint64(32)


@nb.njit(cache=True, nogil=True)
def first_in_reach(
    t: NDArray[np.float64],
    n: int,
    idler_t: NDArray[np.float64],
    reach: float,
    first: NDArray[np.uint32],
) -> None:
    """First idler within reach of each of `n` signal photons, and once more behind the last.

    Parameters
    ----------
    t, idler_t
        Times in order, those of idlers with `PADDING`.
    """
    k, place, stop = np.uintp(0), np.uintp(0), np.uintp(n)
    while k < stop:
        first[k] = place
        early = np.uintp(idler_t[place] < t[k] - reach)
        place += early
        k += _ONE - early
    first[stop] = place


@nb.njit(cache=True, nogil=True)
def make_rows(
    t: NDArray[np.float64],
    n: int,
    k: int,
    q: int,
    idler_t: NDArray[np.float64],
    first: NDArray[np.uint32],
    reach: float,
    row_signal: NDArray[np.uint32],
    row_idler: NDArray[np.uint32],
) -> tuple[int, int, int]:
    """Rows of idlers within reach, from idler `q` of signal photon `k` on.

    Returns
    -------
    int
        Number of rows.
    int, int
        Signal photon and idler to go on with; the first is `n` when there are no more.
    """
    at, idler, stop, rows = np.uintp(k), np.uintp(q), np.uintp(n), np.uintp(0)
    while at < stop and rows < np.uintp(ROWS):
        row_signal[rows] = at
        row_idler[rows] = idler
        rows += _ONE
        more = idler_t[idler + _LANES] <= t[at] + reach
        following = np.uintp(first[at + _ONE])
        idler = idler + _LANES if more else following
        at += _ONE - np.uintp(more)
    return np.int64(rows), np.int64(at), np.int64(idler)


@nb.njit(cache=True, nogil=True)
def note_partners(
    t: NDArray[np.float64],
    idler_t: NDArray[np.float64],
    rows: int,
    row_signal: NDArray[np.uint32],
    row_idler: NDArray[np.uint32],
    turn_ticks: float,
    most_turns: float,
    window: float,
    later: NDArray[np.float64],
    ok: NDArray[np.uint64],
    partners: NDArray[np.uint64],
) -> int:
    """Write down the partners in the rows: signal photon in the upper half of a word, idler below.

    Returns
    -------
    int
        How many there are.
    """
    for n in range(rows):
        q, at, place = np.uintp(row_idler[n]), t[np.uintp(row_signal[n])], np.uintp(n * LANES)
        for lane in range(LANES):
            later[place + np.uintp(lane)] = idler_t[q + np.uintp(lane)] - at
    per_tick = 1.0 / turn_ticks
    for p in range(rows * LANES):
        # the shift of a copy as `replica_shifts` computes it
        turn = min(max(np.floor(0.5 - later[p] * per_tick), -most_turns), most_turns)
        dt = later[p] + np.rint(turn * turn_ticks)
        ok[p] = np.uint64((dt <= window) & (dt >= -window))
    m = np.uintp(0)
    for n in range(rows):
        word = (np.uint64(row_signal[n]) << _HALF_WORD) + np.uint64(row_idler[n])
        place = np.uintp(n * LANES)
        for lane in range(LANES):
            partners[m] = word + np.uint64(lane)
            m += ok[place + np.uintp(lane)]
    return np.int64(m)
