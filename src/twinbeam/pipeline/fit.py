"""Gaussian on a constant, fitted to a histogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

__all__ = ["GaussianFit", "fit_gaussian"]


@dataclass(frozen=True)
class GaussianFit:
    """Parameters of ``A exp(-(x - x0)²/2σ²) + C`` and the standard errors of x0 and σ."""

    amplitude: float
    centre: float
    sigma: float
    constant: float
    centre_err: float
    sigma_err: float


def _model(
    x: NDArray[np.float64], amplitude: float, centre: float, sigma: float, constant: float
) -> NDArray[np.float64]:
    return amplitude * np.exp(-0.5 * ((x - centre) / sigma) ** 2) + constant


def fit_gaussian(
    edges: NDArray[np.float64], counts: ArrayLike, variance: ArrayLike
) -> GaussianFit | None:
    """Weighted least squares; None when there is too little to fit or the fit fails.

    Parameters
    ----------
    edges
        Bin edges.
    counts, variance
        Content of each bin and its variance; variances below 1 count as 1.
    """
    y = np.asarray(counts, dtype=np.float64)
    x = 0.5 * (edges[1:] + edges[:-1])
    if y.size < 8 or y.clip(0.0).sum() < 20.0:
        return None
    floor = float(np.median(y))
    peak = np.clip(y - floor, 0.0, None)
    if peak.sum() <= 0.0:
        return None
    window = np.convolve(peak, np.ones(5), mode="same")
    top = float(x[int(np.argmax(window))])
    near = np.abs(x - top) < 0.25 * (x[-1] - x[0])
    weight = peak * near
    width = np.sqrt(np.sum(weight * (x - top) ** 2) / np.sum(weight)) if weight.sum() else 0.0
    step = float(x[1] - x[0])
    start = (float(y.max() - floor), top, max(width, step), floor)
    sigma = np.sqrt(np.maximum(np.asarray(variance, dtype=np.float64), 1.0))
    try:
        best, covariance = curve_fit(
            _model, x, y, p0=start, sigma=sigma, absolute_sigma=True, maxfev=4000
        )
    except (RuntimeError, ValueError):
        return None
    error = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    if not np.all(np.isfinite(best)) or not np.all(np.isfinite(error)):
        return None
    if best[0] <= 0.0 or not x[0] <= best[1] <= x[-1]:
        return None
    return GaussianFit(
        amplitude=float(best[0]),
        centre=float(best[1]),
        sigma=float(abs(best[2])),
        constant=float(best[3]),
        centre_err=float(error[1]),
        sigma_err=float(error[2]),
    )
