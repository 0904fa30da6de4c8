"""Which hits of a disordered stream are taken for real, packed for sorting.

Compiled, releases the GIL.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.photons.packed import MOST_TICKS, T_SHIFT, X_SHIFT, Y_SHIFT

# verdicts on a hit
TAKEN, LATE, ASTRAY, CROWDED = range(4)
# places in the state
LATEST, EARLIEST, STARTED, CROWD_PERIOD, CROWD = range(5)
N_STATE = 5

MARGIN = 16  # votes by which a jump is believed or not; runs of damaged words are shorter
LOOKAHEAD = 1024  # hits that are asked at most; longer than a turn of one chip at usual rates
# Ticks (0.8 ms) in which more hits than MOST are impossible. The period divides a turn of the
# detector's counters, so that it does not matter from which turn a stream is counted.
CROWD_BITS = 19
MOST = 1 << 17  # 160 million per second; a quad sends at most 80 to 120
_STEP = 25  # ns of one step of ToT

_AT_ONCE = 128

_YES, _NO, _UNDECIDED = range(3)
# why the walk over the hits stopped
DONE, WAITS, FAR_AHEAD = range(3)


@nb.njit(cache=True, nogil=True)
def _is_astray(
    i: int,
    ti: int,
    t: NDArray[np.int64],
    chip: NDArray[np.uint8],
    hold: int,
    final: bool,
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
        vote = -1 if ti - t[j] > hold else 1
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
def _pack(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    tot_ns: NDArray[np.uint16],
    epoch: int,
    words: NDArray[np.uint64],
) -> None:
    for i in range(t.size):
        words[i] = (
            (np.uint64(t[i] - epoch) << np.uint64(T_SHIFT))
            | (np.uint64(y[i]) << np.uint64(Y_SHIFT))
            | (np.uint64(x[i]) << np.uint64(X_SHIFT))
            | np.uint64(tot_ns[i] // np.uint16(_STEP))
        )


@nb.njit(cache=True, nogil=True)
def judge_arrivals(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    tot_ns: NDArray[np.uint16],
    chip: NDArray[np.uint8],
    start: int,
    state: NDArray[np.int64],
    counts: NDArray[np.int64],
    hold: int,
    final: bool,
    offsets: NDArray[np.int16],
    epoch: int,
    words: NDArray[np.uint64],
    n_words: int,
) -> tuple[int, int, int]:
    """Judge the hits of the stream from `start` on, and pack those that are taken.

    A hit that jumps ahead of all before it is believed when the hits that follow agree, so a jump
    at the end stays undecided until enough have followed or the stream ends.

    Parameters
    ----------
    counts
        Verdicts, by kind; added to.
    offsets
        Ticks to subtract, by half (y ≥ 256) and x; no rows when there are none.
    words, n_words
        Buffer of packed hits with room for all, and how many are in it.

    Returns
    -------
    tuple of int
        The first hit that is not judged, the new number of words, and why it stopped there: all
        are judged, the next hits are needed, or the epoch must move first.
    """
    n = t.size
    corrected = offsets.shape[0] > 0
    latest, earliest = state[LATEST], state[EARLIEST]
    started = state[STARTED] == 1
    period, crowd = state[CROWD_PERIOD], state[CROWD]
    taken = 0
    why = DONE
    i = start
    plain = i
    while i < n:
        if i >= plain and started and not corrected and n - i >= _AT_ONCE:
            # when hits are all so close together that each of them is taken, no look at each
            plain = i + _AT_ONCE
            part = t[i:plain]
            low, high = part[0], part[0]
            for k in range(_AT_ONCE):
                low = min(low, part[k])
                high = max(high, part[k])
            high = max(high, latest)
            if (
                high - latest <= hold >> 2
                and high - low <= hold
                and high - epoch < MOST_TICKS
                and latest >> CROWD_BITS == period
                and high >> CROWD_BITS == period
                and crowd + _AT_ONCE <= MOST
            ):
                _pack(part, x[i:plain], y[i:plain], tot_ns[i:plain], epoch, words[n_words:])
                n_words += _AT_ONCE
                taken += _AT_ONCE
                crowd += _AT_ONCE
                latest = high
                earliest = min(earliest, low)
                i = plain
                continue
        ti = t[i]
        if corrected:
            ti -= offsets[y[i] >> 8, x[i]]
        if started:
            if latest - ti > hold:
                counts[LATE] += 1
                i += 1
                continue
            step = ti - latest
        else:
            step = hold
        if step > hold >> 2:
            astray = _is_astray(i, ti, t, chip, hold, final)
            if astray == _UNDECIDED:
                why = WAITS
                break
            if astray == _YES:
                counts[ASTRAY] += 1
                i += 1
                continue
        if not started:
            latest = ti
            earliest = ti
            started = True
            why = FAR_AHEAD
            break
        if ti - epoch >= MOST_TICKS:
            latest = max(latest, ti)
            why = FAR_AHEAD
            break
        latest = max(latest, ti)
        earliest = min(earliest, ti)
        if latest >> CROWD_BITS != period:
            period = latest >> CROWD_BITS
            crowd = 0
        crowd += 1
        if crowd > MOST:
            counts[CROWDED] += 1
        else:
            words[n_words] = (
                (np.uint64(ti - epoch) << np.uint64(T_SHIFT))
                | (np.uint64(y[i]) << np.uint64(Y_SHIFT))
                | (np.uint64(x[i]) << np.uint64(X_SHIFT))
                | np.uint64(tot_ns[i] // np.uint16(_STEP))
            )
            n_words += 1
            taken += 1
        i += 1
    counts[TAKEN] += taken
    state[LATEST], state[EARLIEST] = latest, earliest
    state[STARTED] = 1 if started else 0
    state[CROWD_PERIOD], state[CROWD] = period, crowd
    return i, n_words, why
