"""The clock of pixels: unwrapped to the nearest time, one word alone not believed. Compiled.

Every absolute time is congruent to the detector's counter modulo 2^34 ticks.
"""

# mypy: disable-error-code="arg-type, assignment, call-overload, return-value"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import _places as p
from twinbeam.tpx3.notes import MOST_NOTED, Note

__all__ = ["is_stale", "move_clock", "move_stream", "nearest", "note", "note_span", "pixel_time"]

SHUTTER_OPEN = int(Note.SHUTTER_OPEN)


@nb.njit(cache=True, nogil=True, inline="always")
def nearest(raw: int, last: int, width: int) -> int:
    """The time congruent to `raw` modulo 2^width nearest to `last`; exact half turns go back."""
    half = np.int64(1) << (width - 1)
    return last + ((raw - last + half) & (2 * half - 1)) - half


@nb.njit(cache=True, nogil=True)
def note(
    kind: int, at: int, value: int, notes: NDArray[np.int64], n_notes: NDArray[np.int64]
) -> None:
    """Count a remarkable place and keep the first ones."""
    place = n_notes[kind]
    if place < (4 * MOST_NOTED if kind >= SHUTTER_OPEN else MOST_NOTED):
        notes[kind, place, 0] = at
        notes[kind, place, 1] = value
    n_notes[kind] = place + 1


@nb.njit(cache=True, nogil=True, inline="always")
def note_span(low: int, high: int, state: NDArray[np.int64]) -> None:
    """Widen the span of the hits."""
    if not state[p.HAVE_TICKS] or low < state[p.FIRST_TICK]:
        state[p.FIRST_TICK] = low
    if not state[p.HAVE_TICKS] or high > state[p.LAST_TICK]:
        state[p.LAST_TICK] = high
    state[p.HAVE_TICKS] = 1


@nb.njit(cache=True, nogil=True, inline="always")
def move_stream(time: int, latest: int, state: NDArray[np.int64]) -> None:
    """The stream is at `time`, and `latest` is the latest time known with it."""
    if state[p.CLOCK_STARTED]:
        step = time - state[p.CLOCK_LAST]
        if -p.LARGE_STEP <= step <= p.LARGE_STEP:
            state[p.STEADY] += step
        state[p.NEWEST] = max(state[p.NEWEST], latest)
    else:
        state[p.NEWEST] = latest
    state[p.CLOCK_LAST] = time
    state[p.CLOCK_STARTED] = 1


@nb.njit(cache=True, nogil=True, inline="always")
def move_clock(time: int, chip: int, clock: NDArray[np.int64], state: NDArray[np.int64]) -> None:
    """A chip's time is believed."""
    move_stream(time, time, state)
    clock[chip, p.LAST] = time
    clock[chip, p.HAVE_LAST] = 1
    clock[chip, p.HAVE_DOUBTED] = 0
    clock[chip, p.SEEN_AT] = state[p.STEADY]


@nb.njit(cache=True, nogil=True, inline="always")
def is_stale(chip: int, clock: NDArray[np.int64], state: NDArray[np.int64]) -> bool:
    """Whether a chip was silent for so long that its own clock does not tell the turn."""
    return state[p.STEADY] - clock[chip, p.SEEN_AT] > p.SMALL_STEP and (
        state[p.WIDTH] == p.HIT_WIDTH
        or state[p.STEADY] - state[p.STEADY_AT_ANCHOR] > p.ANCHORS_LAST
    )


@nb.njit(cache=True, nogil=True)
def pixel_time(
    raw: int, chip: int, clock: NDArray[np.int64], state: NDArray[np.int64]
) -> tuple[int, bool]:
    """Time of a pixel's counter, and whether the chip's clock follows it.

    It follows a large step only when the chip's pixel before was a large step off as well: one
    wrong word must not shift all that follow by a turn. A chip that was silent while the stream
    went on for long takes the turn of the stream, unless its own anchor will tell.
    """
    if clock[chip, p.HAVE_LAST] and is_stale(chip, clock, state):
        clock[chip, p.HAVE_LAST] = 0
        clock[chip, p.HAVE_DOUBTED] = 0
        clock[chip, p.OLD] = 0
    if not clock[chip, p.HAVE_LAST]:
        if state[p.CLOCK_STARTED]:
            return nearest(raw, state[p.CLOCK_LAST], p.HIT_WIDTH), True
        return raw, True
    last = clock[chip, p.LAST]
    time = nearest(raw, last, p.HIT_WIDTH)
    if -p.SMALL_STEP <= time - last <= p.LARGE_STEP:
        return time, True
    if clock[chip, p.OLD]:
        # a chip whose counter was reset fits the clock on which the others already are
        new = nearest(raw, state[p.ANCHOR_TIME], p.HIT_WIDTH)
        if abs(new - state[p.ANCHOR_TIME]) < p.SMALL_STEP:
            clock[chip, p.OLD] = 0
            clock[chip, p.HAVE_ANCHOR] = 0
            return new, True
    if clock[chip, p.HAVE_DOUBTED]:
        return nearest(raw, clock[chip, p.DOUBTED], p.HIT_WIDTH), True
    return time, False
