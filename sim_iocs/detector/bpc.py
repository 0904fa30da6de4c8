"""Pixel configuration files: a byte a pixel, chip after chip; bit 0 switches a pixel off."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import CHIP_PIXELS, N_CHIPS, SENSOR_PIXELS, to_sensor

__all__ = ["CHIP_BYTES", "MASKED", "image_places", "read_bpc"]

CHIP_BYTES = CHIP_PIXELS * CHIP_PIXELS
"""Bytes of a chip."""

MASKED = 1
"""Bit of a pixel that does not count."""


@cache
def image_places() -> NDArray[np.int64]:
    """Index in the image, row by row from the top left, of every byte of a file."""
    row, column = np.divmod(np.arange(CHIP_BYTES), CHIP_PIXELS)
    places = []
    for chip in range(N_CHIPS):
        x, y = to_sensor(np.full(row.size, chip), column, row)
        places.append(y * SENSOR_PIXELS + x)
    made = np.concatenate(places).astype(np.int64)
    made.setflags(write=False)
    return made


def read_bpc(path: str) -> NDArray[np.uint8] | None:
    """Bytes of a file, or None if it cannot be read."""
    try:
        return np.frombuffer(Path(path).read_bytes(), np.uint8)
    except OSError:
        return None
