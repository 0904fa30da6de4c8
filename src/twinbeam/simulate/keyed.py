"""Random numbers that belong to a photon, for many photons at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["keyed_uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def keyed_uniform(key: NDArray[np.uint64], draw: int) -> NDArray[np.float64]:
    """Numbers in (0, 1), the same as those of the compiled response for a key and a draw."""
    # whole numbers of 64 bits roll over; the step is computed apart, where numpy would warn
    step = np.uint64((draw + 1) * int(_GOLDEN) & 0xFFFFFFFFFFFFFFFF)
    z = key + step
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
