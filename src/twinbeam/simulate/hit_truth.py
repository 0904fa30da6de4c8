"""Every hit of the raw data and the photon that left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns

__all__ = ["HitTruth"]


@dataclass(frozen=True, eq=False)
class HitTruth(Columns):
    """Hits in the order of the raw data, as a faultless decoder gives them.

    Attributes
    ----------
    photon
        Row of the photon in the table of photons; -1 of a hot pixel.
    t
        Time of arrival in ticks of 1.5625 ns on the clock of the acquisition.
    x, y
        Pixel on the 512 grid.
    tot_ns
        Time over threshold in ns.
    chip
        Chip of the quad.
    """

    photon: NDArray[np.int64]
    t: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    tot_ns: NDArray[np.uint16]
    chip: NDArray[np.uint8]

    DTYPES: ClassVar = {
        "photon": np.dtype(np.int64),
        "t": np.dtype(np.int64),
        "x": np.dtype(np.uint16),
        "y": np.dtype(np.uint16),
        "tot_ns": np.dtype(np.uint16),
        "chip": np.dtype(np.uint8),
    }
