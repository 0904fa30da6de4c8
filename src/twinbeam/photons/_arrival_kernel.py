"""Which hits of a disordered stream are taken for real. Compiled, releases the GIL."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

# verdicts on a hit
TAKEN, LATE, ASTRAY, CROWDED = range(4)
# places in the state
LATEST, STARTED, CROWD_SINCE, CROWD = range(4)
N_STATE = 4

LOOKAHEAD = 64  # hits that may contradict a jump; more than a run of damaged words holds


@nb.njit(cache=True, nogil=True)
def judge_arrivals(
    t: NDArray[np.int64],
    state: NDArray[np.int64],
    hold: int,
    most: int,
    final: bool,
    verdict: NDArray[np.uint8],
) -> int:
    """Write a verdict for as many hits of the stream as can be decided, and return their number.

    A hit more than `hold` ahead of all before it is a jump. It is astray when one of the next
    `LOOKAHEAD` hits, itself not late, is more than `hold` behind it; so a jump at the end stays
    undecided until that many hits have followed or the stream ends.
    """
    n = t.size
    for i in range(n):
        started = state[STARTED] == 1
        if started and state[LATEST] - t[i] > hold:
            verdict[i] = LATE
            continue
        if not started or t[i] - state[LATEST] > hold:
            stop = min(i + 1 + LOOKAHEAD, n)
            astray = False
            for j in range(i + 1, stop):
                if t[i] - t[j] > hold and (not started or state[LATEST] - t[j] <= hold):
                    astray = True
                    break
            if astray:
                verdict[i] = ASTRAY
                continue
            if not final and stop - i <= LOOKAHEAD:
                return i
        if not started or t[i] > state[LATEST]:
            state[LATEST] = t[i]
        if not started or state[LATEST] - state[CROWD_SINCE] >= hold:
            state[CROWD_SINCE] = state[LATEST]
            state[CROWD] = 0
        state[STARTED] = 1
        state[CROWD] += 1
        verdict[i] = TAKEN if state[CROWD] <= most else CROWDED
    return n
