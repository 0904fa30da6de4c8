"""Hits packed into one word each, so that sorting the words sorts the hits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import TOT_STEP_NS, Hits, chip_of

__all__ = ["PackedHits"]

# bits of a word: ticks since the epoch | y | x | ToT in steps of 25 ns
TOT_BITS = 10
X_SHIFT = 10
Y_SHIFT = 19
T_SHIFT = 28
MOST_TICKS = 1 << 36  # ticks after the epoch that fit, 107 s


@dataclass(frozen=True, eq=False)
class PackedHits:
    """Hits in order of (t, y, x, ToT).

    Attributes
    ----------
    words
        One unsigned 64-bit word a hit; may be a view of a buffer that is used again at the next
        step.
    epoch
        Tick from which the words count.
    """

    words: NDArray[np.uint64]
    epoch: int

    def __len__(self) -> int:
        return self.words.size

    @property
    def t(self) -> NDArray[np.int64]:
        """Ticks of 1.5625 ns."""
        return (self.words >> np.uint64(T_SHIFT)).astype(np.int64) + self.epoch

    @property
    def x(self) -> NDArray[np.uint16]:
        """Pixel columns on the 512 grid."""
        return ((self.words >> np.uint64(X_SHIFT)) & np.uint64(0x1FF)).astype(np.uint16)

    @property
    def y(self) -> NDArray[np.uint16]:
        """Pixel rows on the 512 grid."""
        return ((self.words >> np.uint64(Y_SHIFT)) & np.uint64(0x1FF)).astype(np.uint16)

    @property
    def tot_ns(self) -> NDArray[np.uint16]:
        """Time over threshold in ns."""
        return ((self.words & np.uint64(0x3FF)) * np.uint64(TOT_STEP_NS)).astype(np.uint16)

    def to_hits(self) -> Hits:
        """The same as a table of its own."""
        x, y = self.x, self.y
        return Hits(self.t, x, y, self.tot_ns, chip_of(x, y))
