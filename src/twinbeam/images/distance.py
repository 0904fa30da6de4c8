"""Coincidences of all photons by their distance: broken clusters, charge sharing, cross-talk."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.images.axes import Axes
from twinbeam.images.recent import SIXTEENTHS, RecentPhotons
from twinbeam.images.reducer import Sums
from twinbeam.photons import Photons
from twinbeam.tpx3 import TICK_NS

__all__ = ["CoincidencesByDistance", "coincidence_probability", "offsets_at_distance"]

_MOST_BACK = 65536  # photons; at 10 million a second the delayed window is 30 000 back
_MOST_PARTNERS = 256


@nb.njit(cache=True, nogil=True)
def _add_distances(
    t: NDArray[np.int64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    start: int,
    window: int,
    delay: int,
    weight: int,
    counts: NDArray[np.int64],
) -> int:
    """Count photons before each from `start` on, |t_j - t_i - delay| ≤ window; return overflow."""
    overflow = 0
    low = 0
    for j in range(start, t.size):
        if low < j - _MOST_BACK:
            low = j - _MOST_BACK
            overflow += t[low] >= t[j] - delay - window
        while low < j and t[low] < t[j] - delay - window:
            low += 1
        n = 0
        i = low
        while i < j and t[i] <= t[j] - delay + window:
            if n == _MOST_PARTNERS:
                overflow += 1
                break
            dx, dy = np.float64(x[j]) - np.float64(x[i]), np.float64(y[j]) - np.float64(y[i])
            d = math.floor(math.sqrt(dx * dx + dy * dy) + 0.5)
            if d < counts.size:
                counts[d] += weight
            n += 1
            i += 1
    return overflow


class CoincidencesByDistance(Sums):
    """Pairs of any two photons within a short time window, by pixel distance, streaming.

    ``distance``: abs(τ) ≤ window, every pair in both orders.
    ``distance_accidental``: the same one delay later, as the replica of it.
    ``distance_overflow``: photons that had more partners than are counted.
    Distances are rounded to whole pixels.
    """

    takes_photons = True

    def __init__(self, axes: Axes) -> None:
        p = axes.parameters
        names = ("distance", "distance_accidental")
        arrays = {name: np.zeros(axes.distance_px.size, np.int64) for name in names}
        super().__init__(arrays | {"distance_overflow": np.zeros(1, np.int64)})
        window_ticks = p.distance_window_ns / TICK_NS
        delay_ticks = round(p.distance_delay_ns / TICK_NS)
        self._window = int(window_ticks * SIXTEENTHS)
        self._delay = int(delay_ticks * SIXTEENTHS)
        self._recent = RecentPhotons(delay_ticks + window_ticks + 1.0, _MOST_BACK)

    def add_photons(self, photons: Photons) -> None:
        """Count the coincidences of the next photons with all before them."""
        start, t, x, y = self._recent.join(photons)
        for name, delay, weight in (("distance", 0, 2), ("distance_accidental", self._delay, 1)):
            self._arrays["distance_overflow"][0] += _add_distances(
                t, x, y, start, self._window, delay, weight, self._arrays[name]
            )

    def next_acquisition(self) -> None:
        """Forget the photons of the clock that ended."""
        self._recent.forget()


def offsets_at_distance(max_px: int) -> NDArray[np.int64]:
    """Number of pixels at every rounded distance from a pixel, from 0 to `max_px`."""
    place = np.arange(-max_px - 1, max_px + 2)
    distance = np.floor(np.hypot(*np.meshgrid(place, place)) + 0.5).astype(np.int64)
    return np.bincount(distance.ravel())[: max_px + 1]


def coincidence_probability(
    prompt: ArrayLike, accidental: ArrayLike, n_photons: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probability that a photon has a true companion at a distance, and its error.

    ``P(d) = (prompt - accidental) / (2 N)``, the companions of one photon, each pair counted once.
    Divided by `offsets_at_distance` it is, up to the border of the sensor,
    ``P_CT = N_peak / (N₁ + N₂)`` of two single pixels (cross-talk of a SPAD array).
    """
    near, far = np.asarray(prompt, dtype=np.float64), np.asarray(accidental, dtype=np.float64)
    if n_photons == 0:
        return np.full(near.shape, np.nan), np.full(near.shape, np.nan)
    # both orders of a prompt pair are one event, which doubles its variance
    return (near - far) / (2.0 * n_photons), np.sqrt(2.0 * near + far) / (2.0 * n_photons)
