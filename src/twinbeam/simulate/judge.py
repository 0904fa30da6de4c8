"""Pairs that were found against pairs that were emitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinbeam.simulate.truth import Truth
from twinbeam.tpx3 import TICK_NS

if TYPE_CHECKING:  # pairs bring scipy, which a simulated detector that starts does not need
    from twinbeam.pairs import Pairs

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True)
class Verdict:
    """How well pairs were found.

    Attributes
    ----------
    on_sensor
        True pairs with both photons on the sensor area.
    detected
        Those of them of which both photons left hits; nothing can find more.
    found
        Prompt pairs in the result.
    matched
        Found pairs that are a detected true pair, each true pair counted once.
    """

    on_sensor: int
    detected: int
    found: int
    matched: int

    @property
    def efficiency(self) -> float | None:
        """Share of the detected true pairs that were found."""
        return self.matched / self.detected if self.detected else None

    @property
    def purity(self) -> float | None:
        """Share of the found pairs that are true."""
        return self.matched / self.found if self.found else None


def judge(
    pairs: Pairs, truth: Truth, *, window_ns: float = 200.0, distance_px: float = 3.0
) -> Verdict:
    """Match the prompt pairs of one acquisition with its truth table.

    Parameters
    ----------
    window_ns
        A found pair is a true one when its signal photon is at most this far in time …
    distance_px
        … and both photons are at most this far in pixels.
    """
    found = pairs[pairs.replica == 0]
    real = truth[truth.detected]
    window = window_ns / TICK_NS
    first = np.searchsorted(real.t, found.t - window)
    last = np.searchsorted(real.t, found.t + window, side="right")
    taken = np.zeros(len(real), dtype=bool)
    for row, (start, stop) in enumerate(zip(first, last, strict=True)):
        near = _near(found, row, real, slice(int(start), int(stop)), distance_px)
        free = np.flatnonzero(near & ~taken[start:stop])
        if free.size:
            taken[start + free[0]] = True
    return Verdict(
        on_sensor=len(truth), detected=len(real), found=len(found), matched=int(taken.sum())
    )


def _near(
    found: Pairs, row: int, real: Truth, rows: slice, distance_px: float
) -> NDArray[np.bool_]:
    one = np.hypot(real.x1[rows] - found.x1[row], real.y1[rows] - found.y1[row])
    two = np.hypot(real.x2[rows] - found.x2[row], real.y2[rows] - found.y2[row])
    return (one <= distance_px) & (two <= distance_px)
