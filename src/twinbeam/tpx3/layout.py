"""Where the four chips of a quad sit.

Seen as the image with y up: chips 2 and 1 on top, both rotated by 180°; chips 3 and 0 below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CHIP_PIXELS", "N_CHIPS", "SENSOR_PIXELS", "chip_of", "to_chip", "to_sensor"]

N_CHIPS = 4
CHIP_PIXELS = 256
SENSOR_PIXELS = 512

# x = X_SIGN · column + X_ORIGIN, the same for y and row, indexed by chip
X_SIGN = np.array([1, -1, -1, 1], dtype=np.int64)
X_ORIGIN = np.array([256, 511, 255, 0], dtype=np.int64)
Y_SIGN = np.array([1, -1, -1, 1], dtype=np.int64)
Y_ORIGIN = np.array([0, 511, 511, 0], dtype=np.int64)
# chip by [top half, right half]
_CHIP = np.array([[3, 0], [2, 1]], dtype=np.uint8)


def chip_of(x: ArrayLike, y: ArrayLike) -> NDArray[np.uint8]:
    """Chip that holds a sensor pixel."""
    top = (np.asarray(y) >= CHIP_PIXELS).astype(np.intp)
    right = (np.asarray(x) >= CHIP_PIXELS).astype(np.intp)
    return np.asarray(_CHIP[top, right])


def to_sensor(
    chip: ArrayLike, column: ArrayLike, row: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sensor pixel (x, y) of a chip's column and row."""
    c = np.asarray(chip, dtype=np.intp)
    x = X_SIGN[c] * np.asarray(column, dtype=np.int64) + X_ORIGIN[c]
    y = Y_SIGN[c] * np.asarray(row, dtype=np.int64) + Y_ORIGIN[c]
    return x, y


def to_chip(
    x: ArrayLike, y: ArrayLike
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Chip, column and row of a sensor pixel."""
    chip = chip_of(x, y)
    c = chip.astype(np.intp)
    column = (np.asarray(x, dtype=np.int64) - X_ORIGIN[c]) * X_SIGN[c]
    row = (np.asarray(y, dtype=np.int64) - Y_ORIGIN[c]) * Y_SIGN[c]
    return chip, column, row
