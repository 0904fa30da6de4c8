"""Words that tell the turn of the clock, and the T0 resets they show. Compiled.

An anchor's counter plus `OFFSET` is the absolute time modulo 2^WIDTH, for all chips alike. It is
taken at once when the chip's clock makes a plausible step; otherwise it is doubted, and the next
anchor decides: one that agrees with it shows a long gap or, when both are behind, a T0 reset.
"""

# mypy: disable-error-code="arg-type, assignment, call-overload, return-value"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import _places as p
from twinbeam.tpx3._clock_kernel import move_clock, nearest, note
from twinbeam.tpx3.notes import Note

__all__ = ["forget_unused_anchors", "take_anchor"]

T0_RESET = int(Note.T0_RESET)
ANCHOR_OFF_CLOCK = int(Note.ANCHOR_OFF_CLOCK)


@nb.njit(cache=True, nogil=True)
def _forget_chip_anchor(mine: NDArray[np.int64]) -> None:
    mine[p.HAVE_ANCHOR] = 0
    mine[p.OLD] = 0


@nb.njit(cache=True, nogil=True)
def forget_unused_anchors(n_hits: int, clock: NDArray[np.int64], state: NDArray[np.int64]) -> None:
    """Forget what anchors told when there was none for very many hits."""
    most = p.FORGET_SHUTTER_HITS if state[p.WIDTH] == p.SHUTTER_WIDTH else p.FORGET_HITS
    if state[p.WIDTH] == p.HIT_WIDTH or n_hits - state[p.HITS_AT_ANCHOR] <= most:
        return
    state[p.WIDTH] = p.HIT_WIDTH
    state[p.OFFSET] = 0
    state[p.OFFSET_SEEN] = 0
    state[p.HAVE_ANCHOR_TIME] = 0
    state[p.HAVE_DOUBT] = 0
    for chip in range(clock.shape[0]):
        _forget_chip_anchor(clock[chip])
        clock[chip, p.HAVE_LOW] = 0


@nb.njit(cache=True, nogil=True)
def _accept(
    time: int,
    width: int,
    chip: int,
    n_hits: int,
    clock: NDArray[np.int64],
    state: NDArray[np.int64],
) -> None:
    mine = clock[chip]
    mine[p.ANCHOR] = max(mine[p.ANCHOR], time) if mine[p.HAVE_ANCHOR] else time
    mine[p.HAVE_ANCHOR] = 1
    state[p.ANCHOR_TIME] = time
    state[p.HAVE_ANCHOR_TIME] = 1
    state[p.HITS_AT_ANCHOR] = n_hits
    if width >= min(state[p.DOUBT_WIDTH], p.SHUTTER_WIDTH):
        state[p.HAVE_DOUBT] = 0
    move_clock(time, chip, clock, state)
    state[p.STEADY_AT_ANCHOR] = state[p.STEADY]
    # hits are not later than the timer of their chip; what was, had a wrong time
    state[p.NEWEST] = min(state[p.NEWEST], time + p.SMALL_STEP)
    for other in range(clock.shape[0]):
        theirs = clock[other]
        if theirs[p.OLD] and time - state[p.RESET_TIME] > p.RESET_OVER:
            _forget_chip_anchor(theirs)
            theirs[p.HAVE_LAST] = 0
            theirs[p.HAVE_DOUBTED] = 0
        if theirs[p.HAVE_ANCHOR] and time - theirs[p.ANCHOR] > 2 * p.HIT_PERIOD:
            theirs[p.HAVE_ANCHOR] = 0


@nb.njit(cache=True, nogil=True)
def _stays_on_old_clock(
    counter: int, width: int, back: int, mine: NDArray[np.int64], state: NDArray[np.int64]
) -> tuple[bool, int]:
    """Whether an anchor of a chip not yet reset fits its own clock better; and its time."""
    before = mine[p.ANCHOR] if mine[p.HAVE_ANCHOR] else mine[p.LAST]
    old = nearest(counter + state[p.OLD_OFFSET], before, min(width, state[p.OLD_WIDTH]))
    step = old - before
    other = state[p.ANCHOR_TIME]
    new = nearest(counter + state[p.OFFSET], other, min(width, state[p.WIDTH]))
    return -back <= step <= p.LARGE_STEP and abs(step) <= abs(new - other), old


@nb.njit(cache=True, nogil=True)
def _reset(
    counter: int,
    width: int,
    apart: int,
    chip: int,
    n_hits: int,
    clock: NDArray[np.int64],
    state: NDArray[np.int64],
    notes: NDArray[np.int64],
    n_notes: NDArray[np.int64],
) -> None:
    """Start a new turn of the clock, the first in which the reset counter is not in the past."""
    behind = state[p.NEWEST] - p.RESET_SLACK - counter
    offset = -((-behind) >> p.HIT_WIDTH) << p.HIT_WIDTH
    time = counter + offset
    state[p.OLD_OFFSET] = state[p.OFFSET]
    state[p.OLD_WIDTH] = state[p.WIDTH]
    state[p.OFFSET] = offset & ((np.int64(1) << width) - 1)
    state[p.WIDTH] = width
    state[p.OFFSET_SEEN] = np.int64(width <= state[p.DOUBT_WIDTH])
    state[p.RESET_TIME] = time
    note(T0_RESET, state[p.DOUBT_AT], time, notes, n_notes)
    for other in range(clock.shape[0]):
        clock[other, p.OLD] = clock[other, p.HAVE_LAST]
        if not clock[other, p.HAVE_LAST]:
            clock[other, p.HAVE_ANCHOR] = 0
    doubted = state[p.DOUBT_CHIP]
    state[p.DOUBT_WIDTH] = 0
    for which in (doubted, chip):
        _forget_chip_anchor(clock[which])
    _accept(time - apart, width, doubted, n_hits, clock, state)
    _accept(time, width, chip, n_hits, clock, state)


@nb.njit(cache=True, nogil=True)
def take_anchor(
    counter: int,
    width: int,
    back: int,
    checked: bool,
    chip: int,
    at: int,
    n_hits: int,
    clock: NDArray[np.int64],
    state: NDArray[np.int64],
    notes: NDArray[np.int64],
    n_notes: NDArray[np.int64],
) -> int:
    """Anchor the clock by a counter of `width` bits of ticks; returns the time it is taken for.

    `back` is how far the word may be behind the chip's last anchor, `checked` says whether its
    bits check themselves, so that it may bridge a gap alone. Even then a step of whole turns,
    which is what the bits above the check can do, needs a second anchor.
    """
    forget_unused_anchors(n_hits, clock, state)
    mine = clock[chip]
    if mine[p.OLD]:
        stays, time = _stays_on_old_clock(counter, width, back, mine, state)
        if stays:
            mine[p.ANCHOR] = max(mine[p.ANCHOR], time) if mine[p.HAVE_ANCHOR] else time
            mine[p.HAVE_ANCHOR] = 1
            move_clock(time, chip, clock, state)
            return time
        _forget_chip_anchor(mine)
    if state[p.WIDTH] == p.HIT_WIDTH:
        if mine[p.HAVE_LAST]:
            time = nearest(counter, mine[p.LAST], p.HIT_WIDTH)
        elif state[p.CLOCK_STARTED]:
            time = nearest(counter, state[p.CLOCK_LAST], p.HIT_WIDTH)
        else:
            # times of a detector that has run for days would lose their fractions
            time = counter if counter < p.MOST_START else counter & (p.HIT_PERIOD - 1)
        state[p.OFFSET] = (time - counter) & ((np.int64(1) << width) - 1)
        state[p.WIDTH] = width
        state[p.OFFSET_SEEN] = 0
        _accept(time, width, chip, n_hits, clock, state)
        return time
    here = nearest(counter, mine[p.LAST], p.HIT_WIDTH)
    in_step = mine[p.HAVE_LAST] and abs(here - mine[p.LAST]) <= p.SMALL_STEP
    others = state[p.ANCHOR_TIME]
    before = others
    if mine[p.HAVE_ANCHOR]:
        before = mine[p.ANCHOR]
    else:
        back = p.SMALL_STEP
    known = min(width, state[p.WIDTH])
    time = nearest(counter + state[p.OFFSET], before, known)
    step = time - before
    good = -back <= step <= p.LARGE_STEP
    if not good and checked and 0 < step < 2 * p.HIT_PERIOD:
        good = abs(nearest(step, 0, p.HIT_WIDTH)) > p.SMALL_STEP
    halves = width == p.GLOBAL_WIDTH and state[p.WIDTH] > p.GLOBAL_WIDTH
    if halves and step > p.SMALL_STEP:
        good = False
    if not good:
        # the other chips are where this word says: this chip's last anchor was wrong or is old
        beside = nearest(counter + state[p.OFFSET], others, known)
        if -p.ANCHOR_BACK <= beside - others <= p.SMALL_STEP:
            time, good = beside, True
            mine[p.HAVE_ANCHOR] = 0
    if not good and halves:
        return time  # the high word that follows decides
    if not good and not state[p.OFFSET_SEEN] and p.GLOBAL_WIDTH < state[p.WIDTH] <= width:
        # only one word told the upper bits, and it was the wrong one if the hits went on
        beside = nearest(counter + state[p.OFFSET], before, p.GLOBAL_WIDTH)
        if in_step and -back <= beside - before <= p.LARGE_STEP:
            time, good = beside, True
            state[p.OFFSET] = (time - counter) & ((np.int64(1) << width) - 1)
            state[p.WIDTH] = width
    elif good and width >= state[p.WIDTH]:
        state[p.OFFSET_SEEN] = np.int64(width == state[p.WIDTH])
        state[p.OFFSET] = (time - counter) & ((np.int64(1) << width) - 1)
        state[p.WIDTH] = width
    if good:
        _accept(time, width, chip, n_hits, clock, state)
        return time
    narrow = (np.int64(1) << p.GLOBAL_WIDTH) - 1
    same_reading = (
        state[p.DOUBT_CHIP] == chip and (state[p.DOUBT_COUNTER] & narrow) == counter & narrow
    )
    if state[p.HAVE_DOUBT] and not same_reading:
        apart = nearest(counter - state[p.DOUBT_COUNTER], 0, min(width, state[p.DOUBT_WIDTH]))
        if -p.SMALL_STEP <= apart <= p.AGREE_WITHIN:
            if in_step and not state[p.OFFSET_SEEN]:
                # the chip's hits went on all the time: the only anchor before was the wrong one
                state[p.OFFSET] = (here - counter) & ((np.int64(1) << width) - 1)
                state[p.WIDTH] = width
                state[p.OFFSET_SEEN] = 1
                mine[p.HAVE_ANCHOR] = 0
                state[p.DOUBT_WIDTH] = 0
                _accept(here, width, chip, n_hits, clock, state)
                return here
            if step < 0:
                _reset(counter, width, apart, chip, n_hits, clock, state, notes, n_notes)
                return mine[p.ANCHOR]
            doubted = state[p.DOUBT_CHIP]
            state[p.DOUBT_WIDTH] = 0
            _accept(time - apart, width, doubted, n_hits, clock, state)
            _accept(time, width, chip, n_hits, clock, state)
            return time
    note(ANCHOR_OFF_CLOCK, at, counter, notes, n_notes)
    state[p.HAVE_DOUBT] = 1
    state[p.DOUBT_COUNTER] = counter
    state[p.DOUBT_WIDTH] = width
    state[p.DOUBT_CHIP] = chip
    state[p.DOUBT_AT] = at
    return time
