"""The largest ToT that counts in each pixel, from light of the pump's energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from twinbeam.calibrate.deviations import pixel_deviations
from twinbeam.calibrate.robust import robust_sigma
from twinbeam.errors import RecipeError
from twinbeam.tpx3 import SENSOR_PIXELS, TOT_STEP_NS, Hits

__all__ = ["CeilingCalibration", "calibrate_ceilings"]

_SIDE = 15  # pixels of the square over which neighbours are pooled
_LEAST_COUNTS = 1000
_LEAST_POOLED = 20
_SHAPE = (SENSOR_PIXELS, SENSOR_PIXELS)
_N = SENSOR_PIXELS**2


@dataclass(frozen=True, eq=False)
class CeilingCalibration:
    """ToT below which only a small share of the pump's photons lies.

    Attributes
    ----------
    ceiling_ns, error_ns
        Ceiling of every pixel and its standard error, [y, x].
    n
        Hits behind each, [y, x].
    quantile
        Share of the pump's single hits that lies below the ceiling.
    spread_ns
        True spread of the ceilings over neighbouring pixels (standard deviation).
    n_used, n_rejected
        Hits used, and hits with far too little or too much ToT.
    """

    ceiling_ns: NDArray[np.float64]
    error_ns: NDArray[np.float64]
    n: NDArray[np.int64]
    quantile: float
    spread_ns: float
    n_used: int
    n_rejected: int

    def rounded(self) -> NDArray[np.uint16]:
        """Ceilings in whole ns, as the file of pixels holds them."""
        return np.clip(np.round(self.ceiling_ns), 1, 65535).astype(np.uint16)


def calibrate_ceilings(singles: Hits, quantile: float = 0.05) -> CeilingCalibration:
    """Find the ToT that all but a share of the pump's photons exceed, pixel by pixel.

    A quantile far down needs many hits. So each pixel's middle is found, from its own hits and, as
    far as those are few, from its neighbours'; how far the quantile lies below it is taken from the
    hits of all pixels.

    Parameters
    ----------
    singles
        Single hits of an exposure to scattered light of the pump's energy.
    quantile
        Share of the pump's single hits that may stay below.

    Raises
    ------
    RecipeError
        If there are too few hits.
    """
    tot = singles.tot_ns.astype(np.float64)
    if tot.size < _LEAST_COUNTS:
        raise RecipeError(
            f"{tot.size} single hits are too few, {_LEAST_COUNTS} are asked",
            where="ToT ceilings",
            hint="take a longer exposure",
        )
    middle, sigma = float(np.median(tot)), max(robust_sigma(tot), TOT_STEP_NS)
    near = np.abs(tot - middle) < 8.0 * sigma
    tot = tot[near]
    pixel = (singles.y.astype(np.int64) * SENSOR_PIXELS + singles.x)[near]
    n = np.bincount(pixel, minlength=_N).reshape(_SHAPE)
    clipped = np.clip(tot, middle - 3.0 * sigma, middle + 3.0 * sigma)
    around = _around(pixel, clipped, float(clipped.mean()))
    own = pixel_deviations(pixel, tot - around[pixel], np.zeros(pixel.size, np.int64))
    place = around + own.value
    below = float(np.quantile(tot - place[pixel], quantile))
    return CeilingCalibration(
        ceiling_ns=(place + below).reshape(_SHAPE),
        error_ns=np.hypot(own.error, own.spread / _SIDE).reshape(_SHAPE),
        n=n,
        quantile=quantile,
        spread_ns=own.spread,
        n_used=int(near.sum()),
        n_rejected=int(near.size - near.sum()),
    )


def _around(
    pixel: NDArray[np.int64], value: NDArray[np.float64], overall: float
) -> NDArray[np.float64]:
    """Mean of the values in the square around every pixel; the overall one where they are few."""
    sums = np.bincount(pixel, value - overall, minlength=_N).reshape(_SHAPE)
    counts = np.bincount(pixel, minlength=_N).reshape(_SHAPE).astype(np.float64)
    pooled = uniform_filter(counts, _SIDE, mode="constant") * _SIDE**2
    total = uniform_filter(sums, _SIDE, mode="constant") * _SIDE**2
    enough = pooled > _LEAST_POOLED
    return (overall + np.where(enough, total / np.maximum(pooled, 1.0), 0.0)).ravel()
