"""TDC edges: on the clock of the hits, once each, though every chip tells of them. Compiled."""

# mypy: disable-error-code="arg-type, assignment, call-overload, return-value"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import _places as p
from twinbeam.tpx3._anchor_kernel import forget_unused_anchors
from twinbeam.tpx3._clock_kernel import move_stream, nearest

__all__ = ["take_tdc"]

_EDGE = np.full(16, -1, dtype=np.int64)
_EDGE[[0xF, 0xA, 0xE, 0xB]] = range(4)


@nb.njit(cache=True, nogil=True)
def _is_repeated(
    t: int,
    edge: int,
    count: int,
    clock_last: int,
    slots: NDArray[np.int64],
    state: NDArray[np.int64],
) -> bool:
    """Whether the edge was told before; it is remembered for the other chips if not."""
    floor = p.TDC_STEPS * (min(t // p.TDC_STEPS, clock_last) - p.TDC_MEMORY)
    if not state[p.HAVE_TDC_FLOOR] or t < state[p.TDC_FLOOR]:
        slots[:, 1] = -1
        state[p.TDC_FLOOR] = floor
        state[p.HAVE_TDC_FLOOR] = 1
    state[p.TDC_FLOOR] = max(state[p.TDC_FLOOR], floor)
    slot = slots[edge * p.TDC_SLOTS + count % p.TDC_SLOTS]
    if slot[1] == count and abs(slot[0] - t) <= p.TDC_SAME and slot[0] >= state[p.TDC_FLOOR]:
        return True
    slot[0] = t
    slot[1] = count
    return False


@nb.njit(cache=True, nogil=True)
def take_tdc(
    word: np.uint64,
    chip: int,
    n_hits: int,
    clock: NDArray[np.int64],
    state: NDArray[np.int64],
    slots: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Outcome of a TDC word, its time in sixths of a tick, and its count.

    The outcome is the edge (0 to 3), `N_TDC_EDGES` for an edge told before, and above that the
    reason why the word is not valid.
    """
    edge = _EDGE[np.int64((word >> np.uint64(56)) & np.uint64(0xF))]
    fine = np.int64((word >> np.uint64(5)) & np.uint64(0xF))
    count = np.int64((word >> np.uint64(44)) & np.uint64(0xFFF))
    invalid = p.N_TDC_EDGES + 1
    if state[p.UNKNOWNS] >= p.DAMAGED_AFTER:
        return invalid + p.TDC_IN_DAMAGE, 0, count
    if edge < 0:
        return invalid + p.TDC_EDGE_UNKNOWN, 0, count
    if fine == 0:
        return invalid + p.TDC_FINE_ZERO, 0, count
    if fine > 12:
        return invalid + p.TDC_FINE_LARGE, 0, count
    forget_unused_anchors(n_hits, clock, state)
    counter = np.int64((word >> np.uint64(9)) & np.uint64(0x7FFFFFFFF)) << 1
    offset, width = state[p.OFFSET], state[p.WIDTH]
    if clock[chip, p.OLD]:
        offset, width = state[p.OLD_OFFSET], state[p.OLD_WIDTH]
    last = counter
    if state[p.CLOCK_STARTED]:
        last = state[p.CLOCK_LAST]
        time = nearest(counter + offset, last, min(width, p.GLOBAL_WIDTH))
    else:
        time = counter
    if -p.SMALL_STEP <= time - last < p.HIT_PERIOD // 2:
        # edges keep the time while there are no hits
        move_stream(time, time, state)
    t = p.TDC_STEPS * time + fine - 1
    if _is_repeated(t, edge, count, last, slots, state):
        return p.N_TDC_EDGES, t, count
    return edge, t, count
