"""Which hits of a disordered stream are taken for real. Compiled, releases the GIL."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

# verdicts on a hit
TAKEN, LATE, ASTRAY, CROWDED = range(4)
# places in the state
LATEST, EARLIEST, STARTED, CROWD_SINCE, CROWD = range(5)
N_STATE = 5

MARGIN = 16  # votes by which a jump is believed or not; runs of damaged words are shorter
LOOKAHEAD = 1024  # hits that are asked at most; longer than a turn of one chip at usual rates

_YES, _NO, _UNDECIDED = range(3)


@nb.njit(cache=True, nogil=True)
def _is_astray(
    i: int, t: NDArray[np.int64], chip: NDArray[np.uint8], hold: int, final: bool
) -> int:
    """Whether the hits that follow in the stream say that hit `i` is ahead of its time.

    A hit votes against it when it is more than `hold` behind; the first majority of `MARGIN`
    decides. Chips have clocks of their own, so the votes of other chips count; those of the same
    chip only when there are no others.
    """
    stop = min(i + 1 + LOOKAHEAD, t.size)
    balance = 0
    own_balance = 0
    others = False
    for j in range(i + 1, stop):
        vote = -1 if t[i] - t[j] > hold else 1
        if chip[j] != chip[i]:
            others = True
            balance += vote
            if abs(balance) >= MARGIN:
                return _YES if balance < 0 else _NO
        elif abs(own_balance) < MARGIN:
            own_balance += vote
    if not final and stop - i <= LOOKAHEAD:
        return _UNDECIDED
    return _YES if (balance if others else own_balance) < 0 else _NO


@nb.njit(cache=True, nogil=True)
def judge_arrivals(
    t: NDArray[np.int64],
    chip: NDArray[np.uint8],
    state: NDArray[np.int64],
    hold: int,
    most: int,
    final: bool,
    verdict: NDArray[np.uint8],
) -> int:
    """Write a verdict for as many hits of the stream as can be decided, and return their number.

    A hit that jumps ahead of all before it is believed when the hits that follow agree, so a jump
    at the end stays undecided until enough have followed or the stream ends.
    """
    n = t.size
    for i in range(n):
        started = state[STARTED] == 1
        if started and state[LATEST] - t[i] > hold:
            verdict[i] = LATE
            continue
        if not started or t[i] - state[LATEST] > hold // 4:
            astray = _is_astray(i, t, chip, hold, final)
            if astray == _UNDECIDED:
                return i
            if astray == _YES:
                verdict[i] = ASTRAY
                continue
        if not started or t[i] > state[LATEST]:
            state[LATEST] = t[i]
        if not started or t[i] < state[EARLIEST]:
            state[EARLIEST] = t[i]
        if not started or state[LATEST] - state[CROWD_SINCE] >= hold:
            state[CROWD_SINCE] = state[LATEST]
            state[CROWD] = 0
        state[STARTED] = 1
        state[CROWD] += 1
        verdict[i] = TAKEN if state[CROWD] <= most else CROWDED
    return n
