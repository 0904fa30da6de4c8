"""The preview image: where hits fell since the last one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.chunks import Seen
from twinbeam.tpx3 import SENSOR_PIXELS

__all__ = ["HitMap"]

_N = SENSOR_PIXELS * SENSOR_PIXELS


class HitMap:
    """Adds up hits by pixel; `take` gives the image and begins a new one."""

    def __init__(self) -> None:
        self._counts = np.zeros(_N, np.int32)
        self._fresh = True

    def __bool__(self) -> bool:
        """Whether there is anything to show: hits, or no image yet."""
        return self._fresh or bool(self._counts.any())

    def add(self, seen: Seen) -> None:
        """Count hits."""
        if seen.n_hits:
            np.add(self._counts, np.bincount(seen.pixel, minlength=_N), out=self._counts)

    def take(self) -> NDArray[np.int32]:
        """Counts since the last image, row by row."""
        self._fresh = False
        counts, self._counts = self._counts, np.zeros(_N, np.int32)
        return counts
