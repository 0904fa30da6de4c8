"""Columns of photons that are not in order yet, in buffers that are used again and again."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.photons import _order_kernel as kernel
from twinbeam.photons.photons import Photons

__all__ = ["PhotonBuffer"]

_DTYPES = (np.float64, np.float32, np.float32, np.float32, np.int32, np.int32, np.uint8)


class PhotonBuffer:
    """Photons of which some wait for an earlier one.

    Attributes
    ----------
    columns
        As those of `Photons`.
    n
        Rows in use.
    """

    def __init__(self) -> None:
        self.columns = _columns(1 << 12)
        self.n = 0
        self._others: deque[tuple[NDArray[Any], ...]] = deque()

    def keep_for(self, releases: int) -> None:
        """Let what is taken out unordered stay valid while so many more are filled."""
        self._others = deque(_columns(1 << 12) for _ in range(releases))

    def make_room(self, more: int) -> None:
        """Make sure that `more` rows can be added."""
        if self.n + more > self.columns[0].size:
            grown = _columns(max(self.n + more, 2 * self.columns[0].size))
            for old, new in zip(self.columns, grown, strict=True):
                new[: self.n] = old[: self.n]
            self.columns = grown

    def release(self, limit: float) -> Photons:
        """Take out all photons before the tick `limit`, in order of (t, y, x, energy)."""
        n = self.n
        time = self.columns[0][:n]
        order = self._order()
        if limit == np.inf:
            cut = n
        else:
            cut = int(np.searchsorted(time, limit, "left", sorter=order))
        out = _columns(cut)
        kernel.gather(order, 0, cut, *self.columns, *out)
        if cut < n:
            rest = _columns(n - cut)
            kernel.gather(order, cut, n, *self.columns, *rest)
            for column, kept in zip(self.columns, rest, strict=True):
                column[: n - cut] = kept
        self.n = n - cut
        return Photons(*out)

    def release_unordered(self) -> Photons:
        """Take out all photons as they stand, as views.

        They are valid until more are added, or for as long as `keep_for` said.
        """
        n, self.n = self.n, 0
        taken = self.columns
        if self._others:
            self.columns = self._others.popleft()
            self._others.append(taken)
        return Photons(*(column[:n] for column in taken))

    def _order(self) -> NDArray[Any]:
        n = self.n
        time, x, y, energy = (column[:n] for column in self.columns[:4])
        keys = np.empty(n, np.uint64)
        bits = max(n, 2).bit_length()
        if kernel.sort_keys(time, n, bits, keys):
            keys.sort()
            order = np.empty(n, np.int32)
            if kernel.order_ties(keys, n, bits, x, y, energy, order):
                return order
        return np.lexsort((energy, x, y, time)).astype(np.int32)

    def state(self) -> tuple[bytes, ...]:
        """All that waits, in a form that can be compared."""
        order = self._order()
        return tuple(column[: self.n][order].tobytes() for column in self.columns)

    def shift_clock(self, ticks: int) -> None:
        """Add ticks to all times."""
        self.columns[0][: self.n] += ticks


def _columns(n: int) -> tuple[NDArray[Any], ...]:
    return tuple(np.empty(n, dtype) for dtype in _DTYPES)
