"""Robust location and spread, with errors that hold for few values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MedianError", "robust_sigma"]

_MOST_EXACT = 40
_DRAWS = 2000


def robust_sigma(values: ArrayLike) -> float:
    """Standard deviation of the core: half the width between the 15.87 and 84.13 percentiles."""
    array = np.asarray(values, dtype=np.float64)
    if array.size < 2:
        return float("nan")
    low, high = np.percentile(array, [15.865, 84.135])
    return float(0.5 * (high - low))


class MedianError:
    """Standard error of a median of n values with the noise of a sample.

    The sample is resampled, so tails and steps of the noise count as they are; for many values the
    error falls with the square root of n. The same sample gives the same errors.
    """

    def __init__(self, noise: ArrayLike) -> None:
        noise = np.asarray(noise, dtype=np.float64)
        noise = np.concatenate((noise, -noise))  # a difference has no preferred sign
        rng = np.random.default_rng(0)
        # times are whole ticks; the step is part of the error
        smear = rng.uniform(-0.5, 0.5, (_DRAWS, _MOST_EXACT))
        drawn = rng.choice(noise, (_DRAWS, _MOST_EXACT)) + smear
        self._error = np.array(
            [np.nan] + [_width(np.median(drawn[:, :n], axis=1)) for n in range(1, _MOST_EXACT + 1)]
        )

    def __call__(self, n: ArrayLike) -> NDArray[np.float64]:
        """Errors for counts of values; NaN for none."""
        n = np.asarray(n, dtype=np.int64)
        exact = self._error[np.clip(n, 0, _MOST_EXACT)]
        return exact * np.sqrt(_MOST_EXACT / np.maximum(n, _MOST_EXACT))


def _width(values: NDArray[np.float64]) -> float:
    """Standard error that covers 68 % and 95 % of the values as a Gaussian would."""
    low, high = np.percentile(values, [2.5, 97.5])
    return max(robust_sigma(values), float(high - low) / (2.0 * 1.96))
