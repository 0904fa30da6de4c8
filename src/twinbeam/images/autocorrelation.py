"""g²(τ) of all photons: the bunch train, dead time, and anything else the stream does."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.images.axes import Axes
from twinbeam.images.recent import SIXTEENTHS, RecentPhotons
from twinbeam.images.reducer import Sums
from twinbeam.photons import Photons

__all__ = ["Autocorrelation", "g2"]


@nb.njit(cache=True, nogil=True)
def _add_delays(
    t: NDArray[np.int64], start: int, width: int, partners: int, counts: NDArray[np.int64]
) -> int:
    """Count the delays of every photon from `start` on to earlier ones; return the overflow."""
    overflow = 0
    half = width // 2
    for j in range(start, t.size):
        i = j - 1
        while i >= 0:
            delay = t[j] - t[i]
            k = (delay + half) // width
            if k >= counts.size or delay < 0:
                break
            if j - i > partners:
                overflow += 1
                break
            # the pair stands for +τ and -τ; bin 0 holds both, the others +τ only
            counts[k] += 2 if k == 0 else 1
            if delay == half:
                counts[0] += 1
            i -= 1
    return overflow


class Autocorrelation(Sums):
    """Delays between any two photons, streaming.

    ``g2``: ordered pairs with a delay in [(k - 1/2) δ, (k + 1/2) δ), δ being whole ticks.
    ``g2_overflow``: photons that had more earlier ones within reach than are compared; while it is
    not 0, long delays are counted too rarely.
    """

    takes_photons = True

    def __init__(self, axes: Axes) -> None:
        p = axes.parameters
        super().__init__(
            {"g2": np.zeros(axes.g2_ns.size, np.int64), "g2_overflow": np.zeros(1, np.int64)}
        )
        self._width = int(p.g2_bin_ticks * SIXTEENTHS)
        self._partners = p.g2_partners
        # one more than is compared with, so that an overflow is seen across the border of a block
        self._recent = RecentPhotons(axes.g2_ns.size * p.g2_bin_ticks, p.g2_partners + 1)

    def add_photons(self, photons: Photons) -> None:
        """Count the delays between the next photons and all before them."""
        start, t, _, _ = self._recent.join(photons)
        self._arrays["g2_overflow"][0] += _add_delays(
            t, start, self._width, self._partners, self._arrays["g2"]
        )

    def next_acquisition(self) -> None:
        """Forget the photons of the clock that ended."""
        self._recent.forget()


def g2(
    counts: ArrayLike, delay_ns: ArrayLike, bin_ns: float, n_photons: int, seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Normalised correlation and its statistical error: ``H(τ) T² / (N₁ N₂ δ (T - |τ|))``.

    With N₁ = N₂ = all photons; 1 for a stream without any correlation.

    Parameters
    ----------
    counts, delay_ns
        Array ``g2`` and the delays of its bins.
    bin_ns
        Width of the bins.
    n_photons, seconds
        Photons and time of the whole measurement.
    """
    counted = np.asarray(counts, dtype=np.float64)
    span = seconds * 1e9
    if n_photons == 0 or span <= 0.0:
        return np.full(counted.shape, np.nan), np.full(counted.shape, np.nan)
    overlap = np.maximum(span - np.abs(np.asarray(delay_ns, dtype=np.float64)), bin_ns)
    factor = span**2 / (float(n_photons) ** 2 * bin_ns * overlap)
    return counted * factor, np.sqrt(counted) * factor
