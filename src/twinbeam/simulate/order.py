"""Order of time of random numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["stable_order"]


def stable_order(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """What `argsort` gives with `kind="stable"`, several times as fast where few values are equal.

    The fast sort may swap equal values; they are put right afterwards.
    """
    order = np.argsort(values)
    while True:
        ordered = values[order]
        wrong = np.flatnonzero((ordered[1:] == ordered[:-1]) & (order[1:] < order[:-1]))
        if not wrong.size:
            return order
        # of neighbouring swaps only the first can be done at once
        wrong = wrong[np.append(True, np.diff(wrong) > 1)]
        order[wrong], order[wrong + 1] = order[wrong + 1], order[wrong]
