"""Which hits count and which belong together. Compiled, releases the GIL."""

# mypy: disable-error-code="arg-type, assignment, return-value, call-overload"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.photons.packed import T_SHIFT, X_SHIFT, Y_SHIFT
from twinbeam.photons.pixels import CEILING_BITS, NO_CEILING
from twinbeam.tpx3 import SENSOR_PIXELS

__all__ = ["N_REJECTED", "label_hits", "look_near", "select_hits"]

# places in the counts of rejected hits: the reasons of pixels stand at their codes
REPEATED, ZERO_TOT, TOT_CEILING = 0, 5, 6
N_REJECTED = 7

_NEAR = 6  # predecessors that are looked at without branches
_SEARCH = 32
_FAR_LOOK = 64  # predecessors within the window from which on the map of pixels is faster
_T, _Y = T_SHIFT - X_SHIFT, Y_SHIFT - X_SHIFT
_SIDE = SENSOR_PIXELS
_PLACE = (1 << 18) - 1

# Helpers that take arrays are inlined: numba counts references to the arrays at every call.


@nb.njit(cache=True, nogil=True)
def select_hits(
    words: NDArray[np.uint64],
    n_open: int,
    rules: NDArray[np.uint16],
    rejected: NDArray[np.int64],
) -> int:
    """Move the hits that count together at the front; return their number.

    The first `n_open` were selected before.
    """
    k = n_open
    has_rules = rules.size > 0
    before = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    for i in range(n_open, words.size):
        word = words[i]
        place = word >> np.uint64(X_SHIFT)
        step = np.int64(word & np.uint64(0x3FF))
        if place == before:
            rejected[REPEATED] += 1
            continue
        before = place
        if step == 0:
            rejected[ZERO_TOT] += 1
            continue
        if has_rules:
            rule = np.int64(rules[np.int64(place >> np.uint64(9)) & 0x1FF, np.int64(place) & 0x1FF])
            if rule >> CEILING_BITS:
                rejected[rule >> CEILING_BITS] += 1
                continue
            if step > rule & NO_CEILING and rule & NO_CEILING != NO_CEILING:
                rejected[TOT_CEILING] += 1
                continue
        words[k] = word
        k += 1
    return k


@nb.njit(cache=True, nogil=True, inline="always")
def _unite(
    i: int, j: int, t: int, longest: int, words: NDArray[np.uint64], parent: NDArray[np.int32]
) -> bool:
    """Hits i and j touch: they are one photon unless that began too long before `t`.

    Returns whether two photons became one.
    """
    a = parent[i]
    while parent[a] != a:
        a = parent[a]
    b = parent[j]
    while parent[b] != b:
        b = parent[b]
    parent[i] = a
    parent[j] = b
    if a != b:
        first, second = min(a, b), max(a, b)
        if t - np.int64(words[first] >> np.uint64(T_SHIFT)) <= longest:
            parent[second] = first
            parent[i] = first
            return True
    return False


@nb.njit(cache=True, nogil=True, inline="always")
def _touch(one: int, other: int, window: int) -> int:
    """1 when two words, without their ToT, are neighbours in place and time; `other` is earlier."""
    dt = (one >> _T) - (other >> _T)
    dx = (one & 0x1FF) - (other & 0x1FF)
    dy = ((one >> _Y) & 0x1FF) - ((other >> _Y) & 0x1FF)
    return np.int64(dt <= window) & np.int64(dx * dx <= 1) & np.int64(dy * dy <= 1)


@nb.njit(cache=True, nogil=True)
def look_near(words: NDArray[np.uint64], n: int, window: int, near: NDArray[np.int64]) -> None:
    """How many places before each hit the one hit is that touches it; 0 when there is none.

    `_SEARCH` when there may be several or some further back. Mostly there is one or none. That is
    settled without branches: nobody can predict which hits share a photon, and a wrong guess of the
    processor costs more than all the rest.
    """
    for i in range(min(_NEAR, n)):
        near[i] = _SEARCH
    if n <= _NEAR:
        return
    # slices that are shifted against each other: so the compiler sees that it can take many hits
    # in one instruction
    here, out = words[_NEAR:n], near[_NEAR:n]
    one, two, three = words[5 : n - 1], words[4 : n - 2], words[3 : n - 3]
    four, five, six = words[2 : n - 4], words[1 : n - 5], words[0 : n - 6]
    for i in range(here.size):
        word = np.int64(here[i] >> np.uint64(X_SHIFT))
        last = np.int64(six[i] >> np.uint64(X_SHIFT))
        a = _touch(word, np.int64(one[i] >> np.uint64(X_SHIFT)), window)
        b = _touch(word, np.int64(two[i] >> np.uint64(X_SHIFT)), window)
        c = _touch(word, np.int64(three[i] >> np.uint64(X_SHIFT)), window)
        d = _touch(word, np.int64(four[i] >> np.uint64(X_SHIFT)), window)
        e = _touch(word, np.int64(five[i] >> np.uint64(X_SHIFT)), window)
        f = _touch(word, last, window)
        further = np.int64((word >> _T) - (last >> _T) <= window)
        several = np.int64(a + b + c + d + e + f > 1)
        at = a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f
        out[i] = at + _SEARCH * (several | further)


@nb.njit(cache=True, nogil=True)
def label_hits(
    words: NDArray[np.uint64],
    n: int,
    window: int,
    longest: int,
    near: NDArray[np.int64],
    latest: NDArray[np.int32],
    parent: NDArray[np.int32],
) -> None:
    """Give every hit the first hit of its photon as its parent; the first is its own.

    Two hits touch when they are the same or 8-neighbour pixels and at most `window` ticks apart; a
    hit does not join a photon that began more than `longest` before it. Every hit looks back at all
    within the window; from the place on where these are many, at the latest hit of the nine pixels
    instead, which gives the same photons (`cluster.label_clusters` says why).
    """
    # Of the photon of the hit before: its first hit, which is its own parent at any time, and when
    # that was. In the usual case nothing is read that was written just before.
    root, began = np.int64(0), np.int64(0)
    merged = False
    by_map = n
    for i in range(n):
        word = words[i]
        t = np.int64(word >> np.uint64(T_SHIFT))
        back = near[i]
        if back <= 1:
            joins = -np.int64((back == 1) & (t - began <= longest))  # all bits set or none
            root = i ^ ((i ^ root) & joins)
            began = t ^ ((t ^ began) & joins)
            parent[i] = root
            continue
        parent[i] = i
        settled = False
        if back <= _NEAR:
            root = parent[parent[i - back]]
            if parent[root] == root:
                young = t - np.int64(words[root] >> np.uint64(T_SHIFT)) <= longest
                parent[i] = root if young else i
                settled = True
        if not settled:
            x = np.int64((word >> np.uint64(X_SHIFT)) & np.uint64(0x1FF))
            y = np.int64((word >> np.uint64(Y_SHIFT)) & np.uint64(0x1FF))
            j = i - 1
            while j >= 0:
                other = words[j]
                if t - np.int64(other >> np.uint64(T_SHIFT)) > window:
                    break
                dx = x - np.int64((other >> np.uint64(X_SHIFT)) & np.uint64(0x1FF))
                dy = y - np.int64((other >> np.uint64(Y_SHIFT)) & np.uint64(0x1FF))
                if (dx * dx <= 1) & (dy * dy <= 1):
                    merged |= _unite(i, j, t, longest, words, parent)
                j -= 1
            if i - j > _FAR_LOOK:
                by_map = i + 1
                break
        root = np.int64(parent[i])
        began = np.int64(words[root] >> np.uint64(T_SHIFT))
    if by_map < n:
        _label_by_map(words, by_map, n, window, longest, latest, parent)
    if merged or by_map < n:
        for i in range(n):
            root = np.int64(parent[i])
            while parent[root] != root:
                root = np.int64(parent[root])
            parent[i] = root


@nb.njit(cache=True, nogil=True)
def _label_by_map(
    words: NDArray[np.uint64],
    start: int,
    n: int,
    window: int,
    longest: int,
    latest: NDArray[np.int32],
    parent: NDArray[np.int32],
) -> None:
    """`label_hits` from a hit on, by a map of the latest hit of each pixel."""
    t = np.int64(words[start] >> np.uint64(T_SHIFT))
    low = start
    while low > 0 and t - np.int64(words[low - 1] >> np.uint64(T_SHIFT)) <= window:
        low -= 1
    for i in range(low, n):
        word = words[i]
        t = np.int64(word >> np.uint64(T_SHIFT))
        x = np.int64((word >> np.uint64(X_SHIFT)) & np.uint64(0x1FF))
        y = np.int64((word >> np.uint64(Y_SHIFT)) & np.uint64(0x1FF))
        if i >= start:
            parent[i] = i
            for yy in range(max(y - 1, 0), min(y + 2, _SIDE)):
                for xx in range(max(x - 1, 0), min(x + 2, _SIDE)):
                    j = latest[yy * _SIDE + xx] - 1
                    if j >= 0 and t - np.int64(words[j] >> np.uint64(T_SHIFT)) <= window:
                        _unite(i, j, t, longest, words, parent)
        latest[y * _SIDE + x] = i + 1
    for i in range(low, n):
        latest[np.int64(words[i] >> np.uint64(X_SHIFT)) & _PLACE] = 0
