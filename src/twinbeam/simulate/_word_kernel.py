"""Words of hits, as `twinbeam.tpx3.pixel_words` makes them, in one pass. Compiled."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import CHIP_PIXELS, TOT_STEP_NS
from twinbeam.tpx3.layout import X_ORIGIN, X_SIGN, Y_ORIGIN, Y_SIGN, chip_of

__all__ = ["hit_words"]

# chip by [top half, right half]
_CHIP = chip_of(*np.meshgrid((0, CHIP_PIXELS), (0, CHIP_PIXELS)))
_MOST_STEPS = 1023


@nb.njit(cache=True, nogil=True)
def hit_words(
    t: NDArray[np.int64],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    tot_ns: NDArray[np.int64],
    words: NDArray[np.uint64],
    chips: NDArray[np.uint8],
) -> None:
    """Fill `words` and `chips` from ticks, pixels on the 512 grid and ToT in ns."""
    for i in range(t.size):
        chip = _CHIP[1 if y[i] >= CHIP_PIXELS else 0, 1 if x[i] >= CHIP_PIXELS else 0]
        column = (x[i] - X_ORIGIN[chip]) * X_SIGN[chip]
        row = (y[i] - Y_ORIGIN[chip]) * Y_SIGN[chip]
        address = ((column >> 1) << 9) | ((row >> 2) << 3) | ((column & 1) << 2) | (row & 3)
        coarse = -((-t[i]) >> 4)
        fine = (coarse << 4) - t[i]
        steps = min(tot_ns[i] // TOT_STEP_NS, _MOST_STEPS)
        low = (fine << 16) | ((coarse >> 14) & 0xFFFF)
        low |= ((coarse & 0x3FFF) << 30) | (steps << 20)
        words[i] = np.uint64((0xB << 60) | (address << 44) | low)
        chips[i] = chip
