"""Gaussian on a constant, fitted to a histogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

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


def _model(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    return p[0] * np.exp(-0.5 * ((x - p[1]) / p[2]) ** 2) + p[3]


def _jacobian(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    u = (x - p[1]) / p[2]
    bell = np.exp(-0.5 * u * u)
    slope = p[0] * bell * u / p[2]
    return np.stack((bell, slope, slope * u, np.ones_like(x)), axis=1)


def fit_gaussian(
    edges: NDArray[np.float64], counts: ArrayLike, variance: ArrayLike
) -> GaussianFit | None:
    """Weighted least squares; None when there is too little to fit or the fit fails.

    Parameters
    ----------
    edges
        Edges of bins of equal width.
    counts, variance
        Content of each bin and its variance; variances below 1 count as 1.
    """
    y = np.asarray(counts, dtype=np.float64)
    if y.size < 8 or y.clip(0.0).sum() < 20.0:
        return None
    x = np.arange(y.size, dtype=np.float64)  # in bins, so that the unit of the edges is no matter
    floor = float(np.median(y))
    peak = np.clip(y - floor, 0.0, None)
    if peak.sum() <= 0.0:
        return None
    top = float(np.argmax(np.convolve(peak, np.ones(5), mode="same")[: y.size]))
    weight = peak * (np.abs(x - top) < 0.25 * y.size)
    total = np.sum(weight)
    width = np.sqrt(np.sum(weight * (x - top) ** 2) / total) if total > 0.0 else 0.0
    # a peak is at least as wide as a bin resolves and no wider than the histogram
    low = np.array([0.0, 0.0, 0.25, -np.inf])
    high = np.array([np.inf, x[-1], x[-1], np.inf])
    start = [max(y.max() - floor, 1e-3), top, np.clip(width, 1.0, 0.5 * y.size), floor]
    error = np.sqrt(np.maximum(np.asarray(variance, dtype=np.float64), 1.0))
    found = least_squares(
        lambda p: (_model(x, p) - y) / error,
        start,
        jac=lambda p: _jacobian(x, p) / error[:, None],
        bounds=(low, high),
        x_scale=np.maximum(np.abs(start), 1.0),
        max_nfev=400,
    )
    best, scale = found.x, np.sqrt(np.sum(found.jac**2, axis=0))
    if not found.success or found.active_mask.any() or scale.min() <= 0.0:
        return None
    correlation = (found.jac / scale).T @ (found.jac / scale)
    if np.linalg.cond(correlation) > 1e12:
        return None
    errors = np.sqrt(np.diag(np.linalg.inv(correlation))) / scale
    step = float(edges[1] - edges[0])
    return GaussianFit(
        amplitude=float(best[0]),
        centre=float(edges[0] + (best[1] + 0.5) * step),
        sigma=float(best[2] * step),
        constant=float(best[3]),
        centre_err=float(errors[1] * step),
        sigma_err=float(errors[2] * step),
    )
