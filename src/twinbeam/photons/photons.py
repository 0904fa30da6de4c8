"""The table of photons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns

__all__ = ["PhotonFlag", "Photons"]


class PhotonFlag(IntFlag):
    """What is special about a photon."""

    TOUCHES_GAP = 1
    SATURATED = 2


@dataclass(frozen=True, eq=False)
class Photons(Columns):
    """Photons in order of time.

    Attributes
    ----------
    t
        Time in ticks of 1.5625 ns, corrected for timewalk, on a grid of 1/16 tick (so that
        differences are exact).
    x, y
        Energy-weighted centroid on the gap-corrected 514 grid in pixels.
    energy_kev
        Energy: every hit's ToT converted, then summed.
    tot_ns
        Sum of the hits' ToT in ns.
    n_hits
        Number of hits.
    flags
        `PhotonFlag` bits.
    """

    t: NDArray[np.float64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    energy_kev: NDArray[np.float32]
    tot_ns: NDArray[np.int32]
    n_hits: NDArray[np.int32]
    flags: NDArray[np.uint8]

    DTYPES: ClassVar = {
        "t": np.dtype(np.float64),
        "x": np.dtype(np.float32),
        "y": np.dtype(np.float32),
        "energy_kev": np.dtype(np.float32),
        "tot_ns": np.dtype(np.int32),
        "n_hits": np.dtype(np.int32),
        "flags": np.dtype(np.uint8),
    }
