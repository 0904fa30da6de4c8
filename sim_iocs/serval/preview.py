"""The preview image: where hits fell since the last one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import N_CHIPS, SENSOR_PIXELS, to_sensor

__all__ = ["HitMap"]

_MAGIC = 0x33585054
_PIXEL_WORD = 0xB
_SIDE = SENSOR_PIXELS


class HitMap:
    """Adds up hits by pixel; `take` gives the image and begins a new one."""

    def __init__(self) -> None:
        self._counts = np.zeros(_SIDE * _SIDE, np.int32)
        self._fresh = True

    def __bool__(self) -> bool:
        """Whether there is anything to show: hits, or no image yet."""
        return self._fresh or bool(self._counts.any())

    def add(self, data: bytes) -> None:
        """Count the hits in whole chunks of raw bytes."""
        words = np.frombuffer(data, "<u8", len(data) // 8)
        header = (words & 0xFFFFFFFF) == _MAGIC
        if not header.any():
            return
        chips = (words[header] >> 32 & 0xFF).astype(np.intp)
        chip = chips[np.maximum(np.cumsum(header) - 1, 0)]
        pixel = (words >> 60 == _PIXEL_WORD) & ~header & (chip < N_CHIPS)
        address = (words[pixel] >> 44 & 0xFFFF).astype(np.int64)
        within = address & 7
        column = ((address & 0xFE00) >> 8) + within // 4
        row = ((address & 0x1F8) >> 1) + (within & 3)
        x, y = to_sensor(chip[pixel], column, row)
        self._counts += np.bincount(y * _SIDE + x, minlength=_SIDE * _SIDE).astype(np.int32)

    def take(self) -> NDArray[np.int32]:
        """Counts since the last image, row by row."""
        self._fresh = False
        counts, self._counts = self._counts, np.zeros(_SIDE * _SIDE, np.int32)
        return counts
