"""How pixels differ from each other, from a few noisy values of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.robust import robust_sigma
from twinbeam.tpx3 import SENSOR_PIXELS

__all__ = ["CLIP", "Deviations", "clip_around_mean", "pixel_deviations", "shared_square"]

CLIP = 2.5  # values further from the middle than so many σ count as if they were there
_N = SENSOR_PIXELS**2
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Deviations:
    """Deviation of every pixel from all, shrunk towards zero as far as its values do not tell it.

    Attributes
    ----------
    value, error
        Deviation of each of the 512² pixels and its standard error.
    spread, spread_error
        True spread over pixels (standard deviation) and its standard error.
    noise
        Spread of one value of average weight within a pixel.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    spread: float
    spread_error: float
    noise: float


def pixel_deviations(
    pixel: NDArray[np.int64], value: NDArray[np.float64], kind: NDArray[np.int64]
) -> Deviations:
    """Find what the pixels add to values of several kinds.

    Parameters
    ----------
    pixel
        Number of the pixel of each value, y · 512 + x.
    value
        Values that are near zero on average.
    kind
        Number of the kind of each value; kinds may have a mean and a noise of their own.
    """
    sigma = np.array(
        [
            max(robust_sigma(value[kind == k]), 1e-6) if np.count_nonzero(kind == k) > 1 else 1.0
            for k in range(int(kind.max(initial=0)) + 1)
        ]
    )
    weight = 1.0 / sigma[kind] ** 2
    total = np.bincount(pixel, weight, minlength=_N)
    seen = total > 0.0
    safe = np.where(seen, total, 1.0)
    found, error = np.zeros(_N), np.zeros(_N)
    spread, spread_error, noise = 0.0, np.inf, 1.0
    for turn in range(_ROUNDS):  # clipping is around what each pixel was found to be
        left = clip_around_mean(value - found[pixel], kind, sigma)
        mean = np.bincount(pixel, weight * left, minlength=_N) / safe
        # clipping makes a mean follow its pixel a little less
        follows = float(np.mean(np.abs(left) * np.sqrt(weight) < 0.999 * CLIP))
        raw = found + mean / follows
        if turn == 0:  # later each single value is near its own pixel and would tell nothing
            square, square_error = shared_square(pixel, left / follows, weight)
            spread = float(np.sqrt(max(square, 0.0)))
            spread_error = square_error / (2.0 * spread) if spread > 0.0 else np.inf
            whole = float(np.mean(weight * left**2)) / follows**2
            noise = max(whole - spread**2 * float(weight.mean()), 1e-6)
        each = noise / safe
        part = np.where(seen, spread**2 / (spread**2 + each), 0.0)
        found = part * raw
        error = np.sqrt(np.where(seen, part * each, spread**2))
    return Deviations(
        found, error, spread, float(spread_error), float(np.sqrt(noise / weight.mean()))
    )


def shared_square(
    pixel: NDArray[np.int64], left: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Mean product of the deviations of two values of one pixel, and its standard error.

    The noise of two values is independent, so this is the variance of the pixels, whatever the
    noise. A pixel counts as its number of values, or a single hot one would count for all.
    """
    total = np.maximum(np.bincount(pixel, weight, minlength=_N), 1e-300)

    def products(values: NDArray[np.float64]) -> NDArray[np.float64]:
        both = np.bincount(pixel, values, minlength=_N) ** 2
        return np.asarray(both - np.bincount(pixel, values**2, minlength=_N)) / total

    pairs = float(products(weight).sum())
    if pairs <= 0.0:
        return 0.0, float("inf")
    each = products(weight * left)
    return float(each.sum()) / pairs, float(np.sqrt(np.sum(each**2))) / pairs


def clip_around_mean(
    value: NDArray[np.float64], kind: NDArray[np.int64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Deviation of each value from the clipped mean of its kind, clipped."""
    left = np.empty(value.size)
    for k in np.unique(kind):
        here = kind == k
        own, reach = value[here], CLIP * sigma[k]
        middle = float(np.median(own))
        for _ in range(5):
            middle += float(np.clip(own - middle, -reach, reach).mean())
        left[here] = np.clip(own - middle, -reach, reach)
    return left
