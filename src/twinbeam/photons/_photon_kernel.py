"""The passes over hits in order of time: selection, clusters, sums. Compiled, release the GIL.

Each pass is small and made over few hits at a time, so that its values stay in registers and what
the passes hand to each other stays in the cache.
"""

# mypy: disable-error-code="arg-type, assignment, return-value"

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.photons._cluster_kernel import label_hits, look_near, select_hits
from twinbeam.photons.packed import T_SHIFT, X_SHIFT, Y_SHIFT
from twinbeam.photons.photons import PhotonFlag
from twinbeam.photons.response import (
    ENERGY_STEPS_PER_KEV,
    LARGEST_WALK_NS,
    LEAST_STEPS,
    MOST_STEPS,
    TIME_STEPS_PER_TICK,
)
from twinbeam.tpx3 import CHIP_PIXELS, TICK_NS, TOT_STEP_NS

__all__ = ["N_SUMS", "find_photons"]

# places in the sums of a photon
E, EX, EY, N_AND_TOT, LARGEST, LAST, FLAGS = range(7)
N_SUMS = 8  # the width of a line of the cache

PLACE_STEPS = 256  # per pixel
_AT_ONCE = 4096  # hits whose sums are 170 kB
# The largest hit is the largest of these numbers: its energy, and below that where it stands, the
# first one highest. 53 bits, so that they are exact as floating point numbers.
_ROW_BITS = 22
_LAST_ROW = (1 << _ROW_BITS) - 1
_TOUCHES_GAP = int(PhotonFlag.TOUCHES_GAP)
_SATURATED = int(PhotonFlag.SATURATED)
_SATURATED_STEP = 1022
_MOST_TOT_NS = (1 << 31) - 1
_TURN = (1 << 34) - 1
_BORDER = CHIP_PIXELS
_BORDER_BITS = _BORDER.bit_length() - 1


@nb.njit(cache=True, nogil=True)
def _scramble(t: int, x: int, y: int) -> np.uint64:
    """Random bits that belong to a hit, whatever turn of the counters its time is counted from."""
    z = (np.uint64(t & _TURN) << np.uint64(18)) | np.uint64((y << 9) | x)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@nb.njit(cache=True, nogil=True)
def _pixel_energy(step: int, a: float, b: float, c: float, t: float) -> int:
    """Energy in steps by the pixel's own response; see `physics.energy_from_tot_kev`."""
    tot = float(step * TOT_STEP_NS)
    offset = b + t * a
    root = math.sqrt((offset - tot) * (offset - tot) + 4.0 * a * c)
    energy = (2.0 * t * a - offset + tot + root) / (2.0 * a)
    steps = math.floor(energy * ENERGY_STEPS_PER_KEV + 0.5)
    return min(max(steps, LEAST_STEPS), MOST_STEPS)


@nb.njit(cache=True, nogil=True)
def _pole_walk(energy: int, strength: float, pole: float, constant: float) -> int:
    above = energy / ENERGY_STEPS_PER_KEV - pole
    walk = strength / above + constant if above > 0.0 else LARGEST_WALK_NS
    walk = min(max(walk, -LARGEST_WALK_NS), LARGEST_WALK_NS)
    return math.floor(walk / TICK_NS * TIME_STEPS_PER_TICK + 0.5)


@nb.njit(cache=True, nogil=True)
def _measure_hits(
    words: NDArray[np.uint64],
    n: int,
    epoch: int,
    gap: int,
    per_pixel: NDArray[np.float64],
    walk_pole: NDArray[np.float64],
    special: NDArray[np.int64],
) -> None:
    """Energy and timewalk of hits whose pixels have a response of their own: columns 0 and 1.

    Columns 2 and 3: how far the place is moved within a double-size pixel at the gap.
    """
    has_table = per_pixel.size > 0
    has_pole = walk_pole.size > 0
    for i in range(n):
        word = words[i]
        step = np.int64(word & np.uint64(0x3FF))
        t = np.int64(word >> np.uint64(T_SHIFT)) + epoch
        x = np.int64((word >> np.uint64(X_SHIFT)) & np.uint64(0x1FF))
        y = np.int64((word >> np.uint64(Y_SHIFT)) & np.uint64(0x1FF))
        if has_table:
            special[i, 0] = _pixel_energy(
                step,
                per_pixel[y, x, 0],
                per_pixel[y, x, 1],
                per_pixel[y, x, 2],
                per_pixel[y, x, 3],
            )
            if has_pole:
                special[i, 1] = _pole_walk(special[i, 0], walk_pole[0], walk_pole[1], walk_pole[2])
        bits = _scramble(t, x, y)
        into_x = np.int64(bits & np.uint64(0xFF)) * gap // 2
        into_y = np.int64((bits >> np.uint64(8)) & np.uint64(0xFF)) * gap // 2
        special[i, 2] = into_x if x == _BORDER - 1 else (-into_x if x == _BORDER else 0)
        special[i, 3] = into_y if y == _BORDER - 1 else (-into_y if y == _BORDER else 0)


@nb.njit(cache=True, nogil=True)
def _sum(
    words: NDArray[np.uint64],
    n: int,
    energy: NDArray[np.int32],
    gap: int,
    special: NDArray[np.int64],
    what: int,
    parent: NDArray[np.int32],
    slots: NDArray[np.int32],
    sums: NDArray[np.int64],
) -> int:
    """Sum up the photons of labelled hits; return their number.

    What is special about hits: 1 their energy, 4 their place. All sums are whole numbers,
    so they do not depend on the order of the hits.
    """
    m, present, before = 0, np.int64(0), np.int64(-1)
    sum_e, sum_ex, sum_ey, n_and_tot = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    flags, largest = np.int64(0), np.float64(0)
    for i in range(n):
        word = words[i]
        step = np.int64(word & np.uint64(0x3FF))
        x = np.int64((word >> np.uint64(X_SHIFT)) & np.uint64(0x1FF))
        y = np.int64((word >> np.uint64(Y_SHIFT)) & np.uint64(0x1FF))
        t = np.int64(word >> np.uint64(T_SHIFT))
        e = np.int64(energy[step])
        # no choice here, of which the compiler would make a branch: it is 1 from 256 on
        px = (x + gap * (x >> _BORDER_BITS)) * PLACE_STEPS
        py = (y + gap * (y >> _BORDER_BITS)) * PLACE_STEPS
        if what:
            if what & 1:
                e = special[i, 0]
            if what & 4:
                px += special[i, 2]
                py += special[i, 3]
        # the pixels 255 and 256 differ from 255 in no other bit than the lowest 9
        edge = ((x + 1) >> 1 == _BORDER >> 1) | ((y + 1) >> 1 == _BORDER >> 1)
        flag = (_TOUCHES_GAP if edge else 0) | (_SATURATED if step >= _SATURATED_STEP else 0)
        size = np.float64((e << _ROW_BITS) | (_LAST_ROW - i))
        # Without branches, as in `look_near`: the first hit of a photon adds to nothing. The sums
        # of the photon at hand stay in registers: mostly the next hit that joins one joins this.
        root = np.int64(parent[i])
        joins = -np.int64(root != i)  # all bits set or none
        if (joins != 0) & (root != before):
            present = np.int64(slots[root])
            sum_e, sum_ex, sum_ey = sums[present, E], sums[present, EX], sums[present, EY]
            n_and_tot, flags = sums[present, N_AND_TOT], sums[present, FLAGS]
            largest = np.float64(sums[present, LARGEST])
        before = root
        present = m ^ ((m ^ present) & joins)
        m += 1 + joins
        at = np.uint64(present)
        slots[i] = present
        sum_e = (sum_e & joins) + e
        sum_ex = (sum_ex & joins) + e * px
        sum_ey = (sum_ey & joins) + e * py
        n_and_tot = (n_and_tot & joins) + ((1 << 32) | step)
        flags = (flags & joins) | flag
        # the larger of two whole numbers would become a branch
        largest = max(largest * np.float64(-joins), size)
        sums[at, E] = sum_e
        sums[at, EX] = sum_ex
        sums[at, EY] = sum_ey
        sums[at, N_AND_TOT] = n_and_tot
        sums[at, LARGEST] = np.int64(largest)
        sums[at, LAST] = t
        sums[at, FLAGS] = flags
    return m


@nb.njit(cache=True, nogil=True)
def _take_complete(
    words: NDArray[np.uint64],
    n: int,
    m: int,
    open_after: int,
    longest: int,
    epoch: int,
    walk: NDArray[np.int32],
    special: NDArray[np.int64],
    what: int,
    slots: NDArray[np.int32],
    sums: NDArray[np.int64],
    still_open: NDArray[np.uint64],
    start: int,
    time: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    energy: NDArray[np.float32],
    tot_ns: NDArray[np.int32],
    n_hits: NDArray[np.int32],
    flags: NDArray[np.uint8],
) -> tuple[int, int]:
    """Write the photons whose last hit is before `open_after`, and the hits of all others.

    Returns
    -------
    tuple of int
        The end of the photon columns, which are filled from `start` on, and the number of hits
        whose photon is still open.
    """
    end = start
    n_open_photons = 0
    zero = epoch * TIME_STEPS_PER_TICK
    for s in range(m):
        if sums[s, LAST] >= open_after:
            n_open_photons += 1
            continue
        total = np.float64(sums[s, E])
        largest = _LAST_ROW - (sums[s, LARGEST] & _LAST_ROW)
        word = words[largest]
        delay = np.int64(walk[word & np.uint64(0x3FF)])
        if what & 2:
            delay = special[largest, 1]
        steps = np.int64(word >> np.uint64(T_SHIFT)) * TIME_STEPS_PER_TICK - delay
        time[end] = np.float64(steps + zero) * (1.0 / TIME_STEPS_PER_TICK)
        x[end] = np.float64(sums[s, EX]) / total * (1.0 / PLACE_STEPS)
        y[end] = np.float64(sums[s, EY]) / total * (1.0 / PLACE_STEPS)
        energy[end] = total * (1.0 / ENERGY_STEPS_PER_KEV)
        tot_ns[end] = min((sums[s, N_AND_TOT] & 0xFFFFFFFF) * TOT_STEP_NS, _MOST_TOT_NS)
        n_hits[end] = sums[s, N_AND_TOT] >> 32
        flags[end] = sums[s, FLAGS]
        end += 1
    n_open = 0
    if n_open_photons:
        first = n
        earliest = open_after - longest
        while first > 0 and np.int64(words[first - 1] >> np.uint64(T_SHIFT)) >= earliest:
            first -= 1
        for i in range(first, n):
            if sums[slots[i], LAST] >= open_after:
                still_open[n_open] = words[i]
                n_open += 1
    return end, n_open


@nb.njit(cache=True, nogil=True)
def find_photons(
    words: NDArray[np.uint64],
    n: int,
    n_open: int,
    open_after: int,
    window: int,
    longest: int,
    epoch: int,
    rules: NDArray[np.uint16],
    energy: NDArray[np.int32],
    walk: NDArray[np.int32],
    per_pixel: NDArray[np.float64],
    walk_pole: NDArray[np.float64],
    gap: int,
    spread: bool,
    latest: NDArray[np.int32],
    near: NDArray[np.int64],
    slots: NDArray[np.int32],
    parent: NDArray[np.int32],
    sums: NDArray[np.int64],
    special: NDArray[np.int64],
    rejected: NDArray[np.int64],
    still_open: NDArray[np.uint64],
    start: int,
    time: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    energies: NDArray[np.float32],
    tot_ns: NDArray[np.int32],
    n_hits: NDArray[np.int32],
    flags: NDArray[np.uint8],
) -> tuple[int, int, int]:
    """Make photons of hits that are in order.

    Parameters
    ----------
    words, n, n_open
        Packed hits, of which the first `n_open` counted before; they are overwritten.
    open_after
        Photons with a hit at this tick after the epoch or later are not complete.
    latest
        All zeros, a place for each pixel; left as it was found.
    near, slots, parent, sums
        Room for n rows each.
    special
        Room for n rows when hits are not all alike, otherwise none.
    start
        First free row of the photon columns.

    Returns
    -------
    tuple of int
        Number of hits that count, with those that were open before; end of the photon columns;
        number of hits in `still_open`.
    """
    a = 0
    counted = n_open
    end = start
    what = 0
    if per_pixel.size:
        what |= 3 if walk_pole.size else 1
    if spread:
        what |= 4
    while True:
        b = min(a + n_open + _AT_ONCE, n)
        # repeats of a hit stay together, or `select_hits` would not know them
        while b < n and words[b] >> np.uint64(X_SHIFT) == words[b - 1] >> np.uint64(X_SHIFT):
            b += 1
        last = b == n
        part = words[a:b]
        k = select_hits(part, n_open, rules, rejected)
        look_near(part, k, window, near)
        label_hits(part, k, window, longest, near, latest, parent)
        if what:
            _measure_hits(part, k, epoch, gap, per_pixel, walk_pole, special)
        m = _sum(part, k, energy, gap, special, what, parent, slots, sums)
        counted += k - n_open
        until = open_after
        if not last:
            until = min(until, np.int64(words[b] >> np.uint64(T_SHIFT)) - window)
        end, n_open = _take_complete(
            part,
            k,
            m,
            until,
            longest,
            epoch,
            walk,
            special,
            what,
            slots,
            sums,
            still_open,
            end,
            time,
            x,
            y,
            energies,
            tot_ns,
            n_hits,
            flags,
        )
        if last:
            return counted, end, n_open
        a = b - n_open
        words[a:b] = still_open[:n_open]
