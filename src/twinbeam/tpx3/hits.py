"""The table of hits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.tpx3.packets import TICK_NS

__all__ = ["Hits"]


@dataclass(frozen=True, eq=False)
class Hits(Columns):
    """Pixels that fired, in the order in which they left the detector.

    Attributes
    ----------
    t
        Time of arrival in ticks of 1.5625 ns on one unwrapped clock for the acquisition.
    x, y
        Pixel on the 512 × 512 grid without gaps; y points up.
    tot_ns
        Time over threshold in ns, a multiple of 25.
    chip
        Chip of the quad, 0 to 3.
    """

    t: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    tot_ns: NDArray[np.uint16]
    chip: NDArray[np.uint8]

    DTYPES: ClassVar = {
        "t": np.dtype(np.int64),
        "x": np.dtype(np.uint16),
        "y": np.dtype(np.uint16),
        "tot_ns": np.dtype(np.uint16),
        "chip": np.dtype(np.uint8),
    }

    @property
    def span_s(self) -> float:
        """Seconds between the earliest and the latest hit; 0 when there are fewer than two."""
        return float(self.t.max() - self.t.min()) * TICK_NS * 1e-9 if len(self) > 1 else 0.0
