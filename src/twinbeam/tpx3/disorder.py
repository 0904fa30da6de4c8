"""How far hits are from the order of their times."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3.hits import Hits
from twinbeam.tpx3.layout import N_CHIPS
from twinbeam.tpx3.packets import TICK_NS

__all__ = ["Disorder", "DisorderMeter"]

_APART = 640_000_000  # ticks, 1 s: a larger step is a gap or a damaged time, not disorder
# places in the counters of a chip or, in the last row, of the whole stream
_STARTED, _LAST, _HIGHEST, _STEPS, _BACK_STEPS, _LARGEST_BACK = range(6)


@dataclass(frozen=True)
class Disorder:
    """Disorder of the hits of one chip or of the whole stream.

    Attributes
    ----------
    n_steps
        Steps from one hit to the next, those of more than a second left out.
    n_back_steps
        Steps back in time.
    largest_back_us
        Largest distance of a hit behind the latest one before it, in microseconds.
    """

    n_steps: int
    n_back_steps: int
    largest_back_us: float

    @property
    def share(self) -> float:
        """Share of the steps that go back; 0 when there are none."""
        return self.n_back_steps / self.n_steps if self.n_steps else 0.0


class DisorderMeter:
    """Measures the disorder of hits fed in the order of the stream, whatever the blocks."""

    def __init__(self) -> None:
        self._rows = np.zeros((N_CHIPS + 1, 6), dtype=np.int64)

    def feed(self, hits: Hits) -> None:
        """Take the next hits of the stream."""
        _measure(hits.t, hits.chip, self._rows)

    def chip(self, number: int) -> Disorder:
        """Disorder within one chip."""
        row = self._rows[number]
        back_us = float(row[_LARGEST_BACK]) * TICK_NS * 1e-3
        return Disorder(int(row[_STEPS]), int(row[_BACK_STEPS]), back_us)

    @property
    def stream(self) -> Disorder:
        """Disorder of all hits as they come, the chips interleaved."""
        return self.chip(N_CHIPS)


@nb.njit(cache=True, nogil=True)
def _measure(t: NDArray[np.int64], chip: NDArray[np.uint8], rows: NDArray[np.int64]) -> None:
    for i in range(t.size):
        for which in (np.intp(chip[i]), rows.shape[0] - 1):
            row = rows[which]
            step = t[i] - row[_LAST]
            if row[_STARTED] and abs(step) <= _APART:
                row[_STEPS] += 1
                row[_BACK_STEPS] += step < 0
                row[_HIGHEST] = max(row[_HIGHEST], t[i])
                row[_LARGEST_BACK] = max(row[_LARGEST_BACK], row[_HIGHEST] - t[i])
            else:
                row[_STARTED] = 1
                row[_HIGHEST] = t[i]
            row[_LAST] = t[i]
