"""Gaussian on a constant, fitted to a histogram with lmfit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["GaussianFit", "fit_gaussian"]

_NAMES = ("amplitude", "centre", "sigma", "constant")


@dataclass(frozen=True)
class GaussianFit:
    """Parameters of ``A exp(-(x - x0)²/2σ²) + C``, their standard errors and χ² per freedom.

    Where most bins are empty, χ² per freedom is far below 1, because no variance is below 1 count.
    """

    amplitude: float
    centre: float
    sigma: float
    constant: float
    centre_err: float
    sigma_err: float
    amplitude_err: float = 0.0
    constant_err: float = 0.0
    reduced_chi2: float = 0.0


def _model(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    return p[0] * np.exp(-0.5 * ((x - p[1]) / p[2]) ** 2) + p[3]


def _jacobian(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    u = (x - p[1]) / p[2]
    bell = np.exp(-0.5 * u * u)
    slope = p[0] * bell * u / p[2]
    return np.stack((bell, slope, slope * u, np.ones_like(x)), axis=1)


def _start(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """First guess of the four parameters; None without anything above the median."""
    floor = float(np.median(y))
    peak = np.clip(y - floor, 0.0, None)
    if peak.sum() <= 0.0:
        return None
    top = float(np.argmax(np.convolve(peak, np.ones(5), mode="same")[: y.size]))
    weight = peak * (np.abs(x - top) < 0.25 * y.size)
    total = np.sum(weight)
    width = np.sqrt(np.sum(weight * (x - top) ** 2) / total) if total > 0.0 else 0.0
    return np.array([max(y.max() - floor, 1e-3), top, np.clip(width, 1.0, 0.5 * y.size), floor])


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
    start = _start(y, x)
    if start is None:
        return None
    error = np.sqrt(np.maximum(np.asarray(variance, dtype=np.float64), 1.0))
    found = _minimise(x, y, error, start)
    if not found.success or found.active_mask.any():
        return None
    # errors from the scaled matrix: peaks of 1e8 counts make the plain one too ill to invert
    scale = np.sqrt(np.sum(found.jac**2, axis=0))
    if scale.min() <= 0.0:
        return None
    correlation = (found.jac / scale).T @ (found.jac / scale)
    if np.linalg.cond(correlation) > 1e12:
        return None
    errors = dict(zip(_NAMES, np.sqrt(np.diag(np.linalg.inv(correlation))) / scale, strict=True))
    best = found.params
    step = float(edges[1] - edges[0])
    return GaussianFit(
        amplitude=float(best["amplitude"].value),
        centre=float(edges[0] + (best["centre"].value + 0.5) * step),
        sigma=float(best["sigma"].value * step),
        constant=float(best["constant"].value),
        centre_err=float(errors["centre"] * step),
        sigma_err=float(errors["sigma"] * step),
        amplitude_err=float(errors["amplitude"]),
        constant_err=float(errors["constant"]),
        reduced_chi2=float(found.redchi),
    )


def _minimise(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    error: NDArray[np.float64],
    start: NDArray[np.float64],
) -> Any:
    import lmfit  # takes a second to import, which only those who fit should pay

    parameters = lmfit.Parameters()
    # a peak is at least as wide as a bin resolves and no wider than the histogram
    limits = ((0.0, np.inf), (0.0, x[-1]), (0.25, x[-1]), (-np.inf, np.inf))
    for name, value, (low, high) in zip(_NAMES, start, limits, strict=True):
        parameters.add(name, value=value, min=low, max=high)

    def residual(p: Any) -> NDArray[np.float64]:
        values = np.array([p[name].value for name in _NAMES])
        return (_model(x, values) - y) / error

    def jacobian(p: Any, **_: Any) -> NDArray[np.float64]:
        # older versions hand over the bare values
        values = np.array([p[name].value for name in _NAMES]) if hasattr(p, "valuesdict") else p
        return _jacobian(x, values) / error[:, None]

    minimiser = lmfit.Minimizer(residual, parameters, scale_covar=False)
    with np.errstate(all="ignore"):  # in its own errors, which are not used
        return minimiser.minimize(
            method="least_squares",
            jac=jacobian,
            x_scale=np.maximum(np.abs(start), 1.0),
            max_nfev=400,
        )
