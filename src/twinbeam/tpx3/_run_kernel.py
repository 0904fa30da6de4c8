"""Runs of pixel words inside a chunk, column by column, so that the compiler can use vectors."""

# mypy: disable-error-code="arg-type, assignment, call-overload, return-value"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3._places import HIT_PERIOD, LARGE_STEP, SMALL_STEP
from twinbeam.tpx3.layout import X_ORIGIN, Y_ORIGIN
from twinbeam.tpx3.packets import MAGIC

__all__ = ["decode_run", "run_length", "skim_run"]

# The chips are turned by half a turn or not at all and 256 pixels wide: x = column XOR origin.
_X_ORIGIN = X_ORIGIN.astype(np.uint64)
_Y_ORIGIN = Y_ORIGIN.astype(np.uint64)


@nb.njit(cache=True, nogil=True, inline="always")
def run_length(words: NDArray[np.uint64], first: int, stop: int) -> int:
    """Number of words from `first` that are plainly pixels; a word that holds the magic is not."""
    at = np.uintp(first)
    end = np.uintp(stop)
    while at < end:
        word = words[at]
        if (word >> np.uint64(60)) != np.uint64(0xB) or np.uint32(word) == np.uint32(MAGIC):
            break
        at += np.uintp(1)
    return np.int64(at) - first


@nb.njit(cache=True, nogil=True, inline="always")
def _step(word: np.uint64, origin: np.uint64) -> np.uint64:
    """Ticks from `origin` to the counter of a pixel word, modulo its period."""
    coarse = ((word & np.uint64(0xFFFF)) << np.uint64(18)) | (
        (word >> np.uint64(26)) & np.uint64(0x3FFF0)
    )
    fine = (word >> np.uint64(16)) & np.uint64(0xF)
    return (coarse - fine - origin) & np.uint64(HIT_PERIOD - 1)


@nb.njit(cache=True, nogil=True)
def skim_run(words: NDArray[np.uint64], last: int, t: NDArray[np.int64]) -> tuple[bool, int, int]:
    """`decode_run` without the hits: only the first and the last of the times are written."""
    n = np.uintp(words.size)
    origin = np.uint64(last) - np.uint64(SMALL_STEP)
    low = np.uint64(HIT_PERIOD)
    high = np.uint64(0)
    for i in range(n):
        step = _step(words[i], origin)
        low = min(low, step)
        high = max(high, step)
    if high > np.uint64(SMALL_STEP + LARGE_STEP) or high - low > np.uint64(SMALL_STEP):
        return False, 0, 0
    t[0] = np.int64(origin + _step(words[0], origin))
    t[t.size - 1] = np.int64(origin + _step(words[n - np.uintp(1)], origin))
    return True, np.int64(origin + low), np.int64(origin + high)


@nb.njit(cache=True, nogil=True)
def decode_run(
    words: NDArray[np.uint64],
    last: int,
    chip: int,
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    tot: NDArray[np.uint16],
    chips: NDArray[np.uint8],
) -> tuple[bool, int, int]:
    """Decode pixel words of one chip whose clock was `last`, if no step of the clock is large.

    Returns whether that was so, and the earliest and latest time. All times lie within
    `SMALL_STEP` of each other and within the steps a pixel may make from `last`, so the
    representative nearest to `last` is the one nearest to the word before as well.
    """
    n = np.uintp(words.size)
    origin = np.uint64(last) - np.uint64(SMALL_STEP)
    low = np.uint64(HIT_PERIOD)
    high = np.uint64(0)
    for i in range(n):
        step = _step(words[i], origin)
        low = min(low, step)
        high = max(high, step)
        t[i] = np.int64(origin + step)
    if high > np.uint64(SMALL_STEP + LARGE_STEP) or high - low > np.uint64(SMALL_STEP):
        return False, 0, 0
    flip = _X_ORIGIN[chip]
    for i in range(n):
        word = words[i]
        x[i] = (
            ((word >> np.uint64(52)) & np.uint64(0xFE)) | ((word >> np.uint64(46)) & np.uint64(1))
        ) ^ flip
    flip = _Y_ORIGIN[chip]
    for i in range(n):
        word = words[i]
        y[i] = (
            ((word >> np.uint64(45)) & np.uint64(0xFC)) | ((word >> np.uint64(44)) & np.uint64(3))
        ) ^ flip
    for i in range(n):
        tot[i] = ((words[i] >> np.uint64(20)) & np.uint64(0x3FF)) * np.uint64(25)
    for i in range(n):
        chips[i] = chip
    return True, np.int64(origin + low), np.int64(origin + high)
