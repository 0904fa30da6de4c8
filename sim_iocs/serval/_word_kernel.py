"""Passes over the words of whole chunks: rewriting them, and reading what images need. Compiled."""

from __future__ import annotations

# bodies of compiled kernels mix numpy scalars and integers, which numba types by itself
# mypy: disable-error-code="arg-type, assignment, call-overload, operator, return-value"
import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3.packets import MAGIC

__all__ = ["HEARTBEATS", "TIMES", "anchor_span", "rewrite", "scan"]

#: Bits of `strip`: words that give the global time, with their echoes, and heartbeats.
TIMES, HEARTBEATS = 1, 2

_U = np.uint64
_I = np.int64  # plain int of an unsigned word stays unsigned in compiled code
_MAGIC = _U(MAGIC)
_LOW32 = _U(0xFFFFFFFF)
_LOW48 = _U(0xFFFFFFFFFFFF)
_LOW34 = _U((1 << 34) - 1)
_LOW35 = _U((1 << 35) - 1)
_LOW54 = _U((1 << 54) - 1)


@nb.njit(cache=True, nogil=True)
def _shifted(word, kind, turns, low, chip):  # type: ignore[no-untyped-def]
    """A word whose clock is `turns` steps of 409.6 µs later, modulo its width."""
    nibble = kind >> _U(4)
    if nibble == _U(0xB) or nibble == _U(0xA) or kind == _U(0x71) or kind == _U(0x72):
        return (word & ~_U(0xFFFF)) | ((word + turns) & _U(0xFFFF))
    if nibble == _U(0x6):
        coarse = ((word >> _U(9)) + (turns << _U(17))) & _LOW35
        return (word & ~(_LOW35 << _U(9))) | (coarse << _U(9))
    spidr = (word + turns) & _U(0xFFFF)
    if kind == _U(0x44):
        low[chip] = (word >> _U(16)) & _LOW32
        counter = (low[chip] + (turns << _U(14))) & _LOW32
        return (word & ~_LOW48) | (counter << _U(16)) | spidr
    if kind == _U(0x45):
        counter = ((((word >> _U(16)) & _U(0xFFFF)) << _U(32)) | low[chip]) + (turns << _U(14))
        high = (counter & _LOW48) >> _U(32)
        return (word & ~_LOW32) | (high << _U(16)) | spidr
    if kind == _U(0x5F) or kind == _U(0x5A) or kind == _U(0x5C):
        counter = ((word >> _U(12)) + (turns << _U(14))) & _LOW34
        return (word & ~(_LOW34 << _U(12))) | (counter << _U(12))
    if kind == _U(0x51):
        return (word & ~_LOW54) | ((word + (turns << _U(18))) & _LOW54)
    return word


@nb.njit(cache=True, nogil=True)
def _stripped(word, kind, strip):  # type: ignore[no-untyped-def]
    if strip & TIMES:
        if kind == _U(0x44) or kind == _U(0x45) or kind == _U(0x72):
            return True
        command = (word >> _U(48)) & _U(0xFF)
        if kind == _U(0x71) and (command == _U(0x44) or command == _U(0x45)):
            return True
    return strip & HEARTBEATS != 0 and kind == _U(0x5C)


@nb.njit(cache=True, nogil=True)
def rewrite(
    words: NDArray[np.uint64],
    out: NDArray[np.uint64],
    turns: int,
    packets: NDArray[np.uint64],
    low: NDArray[np.uint64],
    strip: int,
    masked: NDArray[np.bool_],
) -> int:
    """Copy whole chunks with later clocks and packet numbers, without some words.

    Parameters
    ----------
    words, out
        What is read and what is written; both may be the same array.
    turns
        How much later all clocks are, in steps of 409.6 µs; negative is earlier.
    packets
        What is added to the packet number, by chip.
    low
        Last low half of the global time by chip, kept from call to call.
    strip
        Kinds of words that are left out.
    masked
        Whether a pixel is off, by chip and pixel address; empty is none.

    Returns
    -------
    int
        Number of words written.
    """
    later = _U(turns & 0xFFFFFFFFFFFF)
    n = at = 0
    while at < words.size:
        header = words[at]
        chip = _I((header >> _U(32)) & _U(0xFF)) & 7
        stop = min(at + 1 + _I(header >> _U(51)), words.size)
        begin = n
        n += 1
        for i in range(at + 1, stop):
            word = words[i]
            kind = word >> _U(56)
            if strip and _stripped(word, kind, strip):
                continue
            is_pixel = kind >> _U(4) == _U(0xB) and chip < masked.shape[0]
            if is_pixel and masked[chip, _I((word >> _U(44)) & _U(0xFFFF))]:
                continue
            if kind == _U(0x50):
                word = (word & ~_LOW48) | ((word + packets[chip]) & _LOW48)
            elif later:
                word = _shifted(word, kind, later, low, chip)
            out[n] = word
            n += 1
        if n == begin + 1 and stop > at + 1:
            n = begin  # nothing is left of the chunk
        else:
            size = _U(n - begin - 1) << _U(51)
            out[begin] = (header & _LOW48) | size
        at = stop
    return n


@nb.njit(cache=True, nogil=True)
def scan(
    words: NDArray[np.uint64],
    place: NDArray[np.int32],
    pixel: NDArray[np.int32],
    tot: NDArray[np.int32],
    tick: NDArray[np.int64],
    edges: NDArray[np.int64],
) -> tuple[int, int]:
    """Read pixels and TDC edges of whole chunks.

    Parameters
    ----------
    words
        Whole chunks.
    place
        Place on the sensor, row by row, by chip and pixel address.
    pixel, tot, tick
        Filled with place, ToT in 25 ns and time modulo 2^34 ticks of every hit.
    edges
        Filled with rows of edge code (0xF, 0xA, 0xE, 0xB) and time in sixths of a tick.

    Returns
    -------
    tuple
        Numbers of hits and of edges.
    """
    n = m = left = chip = 0
    for word in words:
        if left == 0:
            if word & _LOW32 == _MAGIC:
                chip = _I((word >> _U(32)) & _U(0xFF))
                left = _I(word >> _U(51))
            continue
        left -= 1
        nibble = word >> _U(60)
        if nibble == _U(0xB) and chip < place.shape[0]:
            pixel[n] = place[chip, _I((word >> _U(44)) & _U(0xFFFF))]
            tot[n] = _I((word >> _U(20)) & _U(0x3FF))
            coarse = ((word & _U(0xFFFF)) << _U(14)) | ((word >> _U(30)) & _U(0x3FFF))
            tick[n] = (_I(coarse) << 4) - _I((word >> _U(16)) & _U(0xF))
            n += 1
        elif nibble == _U(0x6):
            fine = _I((word >> _U(5)) & _U(0xF))
            if 1 <= fine <= 12:
                edges[m, 0] = _I((word >> _U(56)) & _U(0xF))
                edges[m, 1] = 12 * _I((word >> _U(9)) & _LOW35) + fine - 1
                m += 1
    return n, m


@nb.njit(cache=True, nogil=True)
def anchor_span(words: NDArray[np.uint64]) -> tuple[int, int]:
    """Smallest and largest global time in whole chunks, in 25 ns; the largest is -1 without any."""
    low = np.full(8, -1, dtype=np.int64)
    least, most = 1 << 62, -1
    left = chip = 0
    for word in words:
        if left == 0:
            if word & _LOW32 == _MAGIC:
                chip = _I((word >> _U(32)) & _U(0xFF)) & 7
                left = _I(word >> _U(51))
            continue
        left -= 1
        kind = word >> _U(56)
        if kind == _U(0x44):
            low[chip] = _I((word >> _U(16)) & _LOW32)
        elif kind == _U(0x45) and low[chip] >= 0:
            counter = (_I((word >> _U(16)) & _U(0xFFFF)) << 32) | low[chip]
            least, most = min(least, counter), max(most, counter)
            low[chip] = -1
    return least, most
