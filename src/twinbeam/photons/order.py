"""Hits of a disordered stream in order of time, the same for any cutting of the stream."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.photons import _arrival_kernel as kernel
from twinbeam.photons.packed import MOST_TICKS, T_SHIFT, PackedHits
from twinbeam.tpx3 import Hits

__all__ = ["TimeOrder"]

END = int(np.iinfo(np.int64).max)
_REASONS = (("late", kernel.LATE), ("astray", kernel.ASTRAY), ("crowded", kernel.CROWDED))


class TimeOrder:
    """Holds hits back until no earlier one can follow.

    Three kinds of hits are rejected. A hit is *late* when it comes more than `hold_ticks` behind
    the latest hit before it in the stream. It is *astray* when it jumps ahead and most of the hits
    that follow are that much behind it, as after a flipped bit. It is *crowded* when the clock
    stands still for more hits than a detector can send. All are properties of the stream alone, so
    it does not matter how the stream is cut.

    Parameters
    ----------
    hold_ticks
        How far a hit may come behind, below 2^35.
    offsets
        Ticks to subtract from the times, by upper half and x: 2 × 512, or no rows.
    margin_ticks
        How far before the bound the epoch of what is given out stays.
    """

    def __init__(
        self,
        hold_ticks: int,
        offsets: NDArray[np.int16] | None = None,
        margin_ticks: int = 0,
    ) -> None:
        self._hold = hold_ticks
        self._offsets = np.empty((0, 512), np.int16) if offsets is None else offsets
        self._margin = margin_ticks
        self._state = np.zeros(kernel.N_STATE, dtype=np.int64)
        self._counts = np.zeros(4, dtype=np.int64)
        self._undecided = Hits.empty()
        self._epoch = 0
        self._held = np.empty(1 << 14, np.uint64)
        self._spares: deque[NDArray[np.uint64]] = deque()
        self._n = 0
        self.keep_for(0)

    def keep_for(self, pushes: int) -> None:
        """Let what is given out stay valid during so many further pushes."""
        self._spares = deque(np.empty(1 << 14, np.uint64) for _ in range(pushes + 1))

    @property
    def memory_ticks(self) -> int:
        """For how long a hit can matter to those after it."""
        return self._hold + (1 << kernel.CROWD_BITS)

    def restart(self) -> None:
        """Forget everything but the buffers."""
        self._state[:] = 0
        self._counts[:] = 0
        self._undecided = Hits.empty()
        self._epoch = 0
        self._n = 0

    @property
    def rejected(self) -> dict[str, int]:
        """Hits rejected so far, by reason."""
        return {reason: int(self._counts[code]) for reason, code in _REASONS}

    @property
    def n_held(self) -> int:
        """Hits waiting."""
        return self._n + len(self._undecided)

    @property
    def latest(self) -> int | None:
        """The latest tick that was believed, None before the first hit."""
        return int(self._state[kernel.LATEST]) if self._state[kernel.STARTED] else None

    @property
    def earliest(self) -> int | None:
        """The earliest tick that was taken, None before the first hit."""
        return int(self._state[kernel.EARLIEST]) if self._state[kernel.STARTED] else None

    def push(self, hits: Hits) -> list[tuple[PackedHits, int]]:
        """Take the next hits of the stream.

        Returns
        -------
        list
            Batches in order: hits in order of (t, y, x) that no later hit can precede, valid until
            the next push (see `keep_for`), and the bound: every hit still to come is at or after
            this tick. One batch, unless the clock jumps by more than 107 s; none before the first
            hit.
        """
        return self._take(hits, final=False)

    def finish(self) -> list[tuple[PackedHits, int]]:
        """All hits still waiting, in order; the last bound is the end of all time."""
        return self._take(Hits.empty(), final=True)

    def _take(self, hits: Hits, *, final: bool) -> list[tuple[PackedHits, int]]:
        if len(self._undecided):
            hits = Hits.concatenate((self._undecided, hits))
        batches: list[tuple[PackedHits, int]] = []
        at = 0
        while True:
            self._make_room(len(hits) - at)
            began = bool(self._state[kernel.STARTED])
            at, self._n, why = kernel.judge_arrivals(
                hits.t,
                hits.x,
                hits.y,
                hits.tot_ns,
                hits.chip,
                at,
                self._state,
                self._counts,
                self._hold,
                final,
                self._offsets,
                self._epoch,
                self._held,
                self._n,
            )
            if why != kernel.FAR_AHEAD:
                break
            released = self._release()
            if began:
                # also without hits: the epoch moves, and open photons must not stay behind it
                copy = PackedHits(released.words.copy(), released.epoch)
                batches.append((copy, self._bound()))
        self._undecided = hits[at:] if at < len(hits) else Hits.empty()
        if final:
            batches.append((self._release(everything=True), END))
        elif self._state[kernel.STARTED]:
            batches.append((self._release(), self._bound()))
        return batches

    def _bound(self) -> int:
        return int(self._state[kernel.LATEST]) - self._hold

    def _make_room(self, more: int) -> None:
        if self._n + more > self._held.size:
            grown = np.empty(max(self._n + more, 2 * self._held.size), np.uint64)
            grown[: self._n] = self._held[: self._n]
            self._held = grown

    def _release(self, *, everything: bool = False) -> PackedHits:
        """What is before the bound, in order; the epoch moves up to the bound."""
        words = self._held[: self._n]
        words.sort()
        epoch, bound = self._epoch, self._bound()
        if everything or bound - epoch >= MOST_TICKS:
            cut = self._n
        else:
            cut = int(np.searchsorted(words, np.uint64(max(bound - epoch, 0) << T_SHIFT)))
        spare = self._spares.popleft()
        if spare.size < self._held.size:
            spare = np.empty(self._held.size, np.uint64)
        moved = bound - self._margin - epoch
        rest = self._n - cut
        if rest:
            np.subtract(words[cut:], np.uint64(moved << T_SHIFT), spare[:rest])
        self._spares.append(self._held)
        self._held = spare
        self._n = rest
        self._epoch += moved
        return PackedHits(words[:cut], epoch)

    def state(self) -> tuple[Any, ...]:
        """All on which the future depends; pipelines in equal states go on alike."""
        held = PackedHits(np.sort(self._held[: self._n]), self._epoch)
        return (
            self.latest,
            int(self._state[kernel.CROWD_PERIOD]),
            int(self._state[kernel.CROWD]),
            held.t.tobytes(),
            (held.words & np.uint64((1 << T_SHIFT) - 1)).tobytes(),
            *(column.tobytes() for column in self._undecided.columns().values()),
        )

    def restart_span(self) -> None:
        """Let the earliest tick be the latest so far, or that of an earlier hit still to come."""
        self._state[kernel.EARLIEST] = self._state[kernel.LATEST]

    def shift_clock(self, ticks: int) -> None:
        """Add a multiple of 2^34 ticks to all times that are held."""
        self._state[kernel.LATEST] += ticks
        self._state[kernel.EARLIEST] += ticks
        self._state[kernel.CROWD_PERIOD] += ticks >> kernel.CROWD_BITS
        self._epoch += ticks
        u = self._undecided
        self._undecided = Hits(u.t + ticks, u.x, u.y, u.tot_ns, u.chip)
