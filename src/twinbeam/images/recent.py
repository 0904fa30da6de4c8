"""The photons of a stream that later ones are still compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.photons import Photons

__all__ = ["RecentPhotons"]

SIXTEENTHS = 16.0  # photon times are multiples of 1/16 tick


class RecentPhotons:
    """Carries the last photons of a block into the next one.

    Parameters
    ----------
    reach_ticks
        Photons further back in time than this are forgotten.
    most
        No more than this many are kept, however dense they are.
    """

    def __init__(self, reach_ticks: float, most: int) -> None:
        self._reach = int(reach_ticks * SIXTEENTHS)
        self._most = most
        self.forget()

    def forget(self) -> None:
        """The next photons have another clock."""
        self._t = np.empty(0, np.int64)
        self._x = np.empty(0, np.float32)
        self._y = np.empty(0, np.float32)

    def join(
        self, photons: Photons
    ) -> tuple[int, NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        """Number of carried photons, then times in 1/16 tick and places of these and the new."""
        start = self._t.size
        new = np.rint(photons.t * SIXTEENTHS).astype(np.int64)
        t = np.concatenate((self._t, new))
        x, y = np.concatenate((self._x, photons.x)), np.concatenate((self._y, photons.y))
        if t.size:
            first = int(np.searchsorted(t, t[-1] - self._reach))
            keep = slice(max(first, t.size - self._most), None)
            self._t, self._x, self._y = t[keep].copy(), x[keep].copy(), y[keep].copy()
        return start, t, x, y
