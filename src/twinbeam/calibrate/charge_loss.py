"""How much charge a single hit lacks: what leaked to neighbours and stayed below threshold."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["missing_share", "single_share"]

_GRID = 160
_QUANTILES = 48
_NOISE = 0.12  # noise of a pixel at its threshold, as a share of the threshold
_PER_PX = 50  # tabulated at every fiftieth of a pixel


@lru_cache(maxsize=4096)
def _sharing(cloud: int, threshold_milli: int) -> tuple[float, NDArray[np.float64]]:
    """Share of single hits, and what they lack, at a tabulated size of the cloud."""
    sigma = max(cloud, 1) / _PER_PX
    threshold = threshold_milli * 1e-3
    place = (np.arange(_GRID) + 0.5) / (2.0 * _GRID)  # a quadrant; the rest is its mirror image
    main = ndtr((0.5 - place) / sigma) - ndtr((-0.5 - place) / sigma)
    side = ndtr((1.5 - place) / sigma) - ndtr((0.5 - place) / sigma)
    silent = ndtr((1.0 - np.outer(main, side) / threshold) / _NOISE)
    alone = (silent * silent.T).ravel()  # neither the neighbour in x nor the one in y
    missing = 1.0 - np.outer(main, main).ravel()
    order = np.argsort(missing)
    part = np.cumsum(alone[order])
    middle = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return float(alone.mean()), np.interp(middle, part / part[-1], missing[order])


def single_share(cloud_px: float, threshold_share: float) -> float:
    """Share of the photons that are single hits; parameters as for `missing_share`."""
    at = cloud_px * _PER_PX
    low = int(at)
    threshold = max(round(1e3 * threshold_share), 1)
    below, above = _sharing(low, threshold)[0], _sharing(low + 1, threshold)[0]
    return below + (at - low) * (above - below)


def missing_share(cloud_px: float, threshold_share: float) -> NDArray[np.float64]:
    """Equally probable shares of the charge that a single hit lacks, rising.

    A Gaussian charge cloud at a random place of a pixel; the photon is a single hit when no
    neighbour gets more than the threshold.

    Parameters
    ----------
    cloud_px
        Radius (σ) of the cloud in pixels.
    threshold_share
        Threshold as a share of the photon's energy.
    """
    at = cloud_px * _PER_PX
    low = int(at)
    threshold = max(round(1e3 * threshold_share), 1)
    part = at - low
    return (1.0 - part) * _sharing(low, threshold)[1] + part * _sharing(low + 1, threshold)[1]
