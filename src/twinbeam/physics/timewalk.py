"""Timewalk: small pulses cross the threshold late."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["timewalk_ns"]


def timewalk_ns(
    tot_ns: ArrayLike, amplitude_ns: float = 167.0, decay_per_ns: float = 0.016
) -> NDArray[np.float64]:
    """Delay in ns of a hit of a given ToT: ``w = B exp(-k ToT)`` (public CHX test values)."""
    return amplitude_ns * np.exp(-decay_per_ns * np.asarray(tot_ns, dtype=np.float64))
