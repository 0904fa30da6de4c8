"""What travels between a driver and plugins: one array with its number and its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EPICS_EPOCH_S", "TYPES", "Frame"]

EPICS_EPOCH_S = 631_152_000
"""Start of EPICS time, 1990, in Unix time."""

TYPES = tuple(
    np.dtype(name)
    for name in (
        "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32",
        "float64",
    )
)  # fmt: skip
"""Types of elements, in areaDetector's order."""


@dataclass(frozen=True)
class Frame:
    """One array, rows first, as it travels; nobody changes it.

    `time_s` is Unix time.
    """

    data: NDArray[Any]
    unique_id: int
    time_s: float

    @property
    def dimensions(self) -> tuple[int, ...]:
        """Sizes in areaDetector's order: the fastest dimension first."""
        return self.data.shape[::-1]

    @property
    def data_type(self) -> int:
        """Number of the type of the elements."""
        return TYPES.index(self.data.dtype)

    @property
    def epics_s(self) -> float:
        """Time since the start of EPICS time, in seconds."""
        return self.time_s - EPICS_EPOCH_S
