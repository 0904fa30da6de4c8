"""Hits of a disordered stream in order of time, the same for any cutting of the stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.photons import _arrival_kernel as kernel
from twinbeam.tpx3 import TICK_NS, Hits

__all__ = ["TimeOrder"]

_BEGINNING = np.iinfo(np.int64).min
_MOST_HZ = 200e6  # a quad sends at most 80 million hits per second
_MOST_AT_LEAST = 1 << 20


class TimeOrder:
    """Holds hits back until no earlier one can follow.

    Three kinds of hits are rejected. A hit is *late* when it comes more than `hold_ticks` behind
    the latest hit before it in the stream. It is *astray* when it jumps ahead and most of the hits
    that follow are that much behind it, as after a flipped bit. It is *crowded* when the clock
    stands still for more hits than a detector can send. All are properties of the stream alone, so
    it does not matter how the stream is cut.
    """

    def __init__(self, hold_ticks: int) -> None:
        self._hold = hold_ticks
        self._most = max(_MOST_AT_LEAST, int(_MOST_HZ * hold_ticks * TICK_NS * 1e-9))
        self._state = np.zeros(kernel.N_STATE, dtype=np.int64)
        self._undecided = Hits.empty()
        self._held = Hits.empty()
        self.rejected = {"late": 0, "astray": 0, "crowded": 0}

    @property
    def n_held(self) -> int:
        """Hits waiting."""
        return len(self._held) + len(self._undecided)

    @property
    def span_s(self) -> float:
        """Seconds from the earliest to the latest hit that was taken."""
        ticks = self._state[kernel.LATEST] - self._state[kernel.EARLIEST]
        return float(ticks) * TICK_NS * 1e-9

    def push(self, hits: Hits) -> tuple[Hits, int]:
        """Take the next hits of the stream.

        Returns
        -------
        Hits
            Hits in order of (t, y, x) that no later hit can precede.
        int
            The bound: every hit still to come is at or after this tick.
        """
        self._judge(hits, final=False)
        if not self._state[kernel.STARTED]:
            return Hits.empty(), _BEGINNING
        bound = int(self._state[kernel.LATEST]) - self._hold
        ready = self._held.t < bound
        out, self._held = self._held[ready], self._held[~ready]
        return out[_time_order(out)], bound

    def finish(self) -> Hits:
        """All hits still waiting, in order."""
        self._judge(Hits.empty(), final=True)
        out, self._held = self._held, Hits.empty()
        return out[_time_order(out)]

    def _judge(self, hits: Hits, *, final: bool) -> None:
        hits = Hits.concatenate((self._undecided, hits))
        verdict = np.empty(len(hits), dtype=np.uint8)
        n = kernel.judge_arrivals(
            hits.t, hits.chip, self._state, self._hold, self._most, final, verdict
        )
        self._undecided, hits, verdict = hits[n:], hits[:n], verdict[:n]
        counts = np.bincount(verdict, minlength=4)
        if counts[kernel.TAKEN] < n:
            for reason, code in (
                ("late", kernel.LATE),
                ("astray", kernel.ASTRAY),
                ("crowded", kernel.CROWDED),
            ):
                self.rejected[reason] += int(counts[code])
            hits = hits[verdict == kernel.TAKEN]
        self._held = Hits.concatenate((self._held, hits))


def _time_order(hits: Hits) -> NDArray[np.intp]:
    if not len(hits):
        return np.empty(0, dtype=np.intp)
    span = hits.t - hits.t.min()
    if int(span.max()) < 1 << 44:
        place = (hits.y.astype(np.int64) << 9) | hits.x
        return np.argsort((span << 18) | place, kind="stable")
    return np.lexsort((hits.x, hits.y, hits.t))
