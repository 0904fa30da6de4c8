"""Hits of a disordered stream in order of time, the same for any cutting of the stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import Hits

__all__ = ["TimeOrder"]

_BEGINNING = np.iinfo(np.int64).min


class TimeOrder:
    """Holds hits back until no earlier one can follow.

    A hit is late when it comes more than `hold_ticks` behind the latest hit *before it in the
    stream*. That is a property of the stream alone, so it does not matter how the stream is cut.
    """

    def __init__(self, hold_ticks: int) -> None:
        self._hold = hold_ticks
        self._latest = _BEGINNING
        self._held = Hits.empty()
        self.n_late = 0

    @property
    def n_held(self) -> int:
        """Hits waiting."""
        return len(self._held)

    def push(self, hits: Hits) -> tuple[Hits, int]:
        """Take the next hits of the stream.

        Returns
        -------
        Hits
            Hits in order of (t, y, x) that no later hit can precede.
        int
            The bound: every hit still to come is at or after this tick.
        """
        if len(hits):
            before = np.maximum.accumulate(np.concatenate(([self._latest], hits.t[:-1])))
            self._latest = max(int(before[-1]), int(hits.t[-1]))
            # not written as t < before - hold, which would overflow at the beginning
            late = (before > hits.t) & (before - np.minimum(hits.t, before) > self._hold)
            if late.any():
                self.n_late += int(np.count_nonzero(late))
                hits = hits[~late]
            self._held = Hits.concatenate((self._held, hits))
        if self._latest == _BEGINNING:
            return Hits.empty(), _BEGINNING
        bound = self._latest - self._hold
        ready = self._held.t < bound
        out, self._held = self._held[ready], self._held[~ready]
        return out[_time_order(out)], bound

    def finish(self) -> Hits:
        """All hits still waiting, in order."""
        out, self._held = self._held, Hits.empty()
        return out[_time_order(out)]


def _time_order(hits: Hits) -> NDArray[np.intp]:
    if not len(hits):
        return np.empty(0, dtype=np.intp)
    span = hits.t - hits.t.min()
    if int(span.max()) < 1 << 44:
        place = (hits.y.astype(np.int64) << 9) | hits.x
        return np.argsort((span << 18) | place, kind="stable")
    return np.lexsort((hits.x, hits.y, hits.t))
