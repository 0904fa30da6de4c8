"""One peak on a constant background: whether there is one, and where and how wide it is."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from twinbeam.errors import BeamlineError

__all__ = ["PeakFit", "fit_peak", "half_maximum_width", "rate_error_hz", "stands_out"]

_SIGMAS = 8.0
_LEAST_POINTS = 7
_LN2_4 = 4.0 * np.log(2.0)


@dataclass(frozen=True)
class PeakFit:
    """A pseudo-Voigt peak on a constant, with standard errors; units are those of the data.

    `lorentz_fraction` is 0 for a Gaussian and 1 for a Lorentzian.
    """

    centre: float
    centre_err: float
    fwhm: float
    fwhm_err: float
    amplitude: float
    background: float
    lorentz_fraction: float


def rate_error_hz(rates_hz: ArrayLike, count_s: float) -> NDArray[np.float64]:
    """Standard error of counted rates by Poisson statistics; that of one count for none."""
    rates = np.asarray(rates_hz, dtype=np.float64)
    return np.sqrt(np.maximum(rates, 1.0 / count_s) / count_s)


def stands_out(top_hz: float, background_hz: float, count_s: float) -> bool:
    """Whether a rate is above the background beyond doubt (8 standard errors)."""
    noise_hz = float(rate_error_hz(background_hz, count_s))
    return top_hz - background_hz > _SIGMAS * noise_hz


def half_maximum_width(x: NDArray[np.float64], y: NDArray[np.float64], background: float) -> float:
    """Full width at half maximum of the highest peak, interpolated between points.

    A side that never falls to the half counts to the end of the data. `x` must ascend.
    """
    top = int(np.argmax(y))
    half = background + 0.5 * (y[top] - background)
    left = top
    while left > 0 and y[left] > half:
        left -= 1
    right = top
    while right < len(y) - 1 and y[right] > half:
        right += 1
    low, high = x[left], x[right]
    if y[left] < half:
        low = np.interp(half, y[left : left + 2], x[left : left + 2])
    if y[right] < half:
        high = np.interp(half, y[right - 1 : right + 1][::-1], x[right - 1 : right + 1][::-1])
    return float(high - low)


def _pseudo_voigt(
    x: NDArray[np.float64], centre: float, fwhm: float, amplitude: float, base: float, mix: float
) -> NDArray[np.float64]:
    square = ((x - centre) / fwhm) ** 2
    shape = (1.0 - mix) * np.exp(-_LN2_4 * square) + mix / (1.0 + 4.0 * square)
    return np.asarray(base + amplitude * shape)


def fit_peak(x: ArrayLike, y: ArrayLike, errors: ArrayLike) -> PeakFit:
    """Fit a pseudo-Voigt peak and a constant by weighted least squares.

    Neither height nor background is negative. The shape describes the rocking curve of a
    mosaic crystal (Darwin profile and Gaussian) to 0.3 % of its height, and its width to 0.2 %.
    Standard errors grow with the misfit if that is larger
    than `errors` say.

    Parameters
    ----------
    x, y
        Points of the curve, in any order, at least 7.
    errors
        Standard errors of `y`, all positive.

    Raises
    ------
    BeamlineError
        If there are too few points, or none of them belongs to a peak inside the range.
    """
    order = np.argsort(np.asarray(x, dtype=np.float64))
    xs = np.asarray(x, dtype=np.float64)[order]
    ys = np.asarray(y, dtype=np.float64)[order]
    sigma = np.asarray(errors, dtype=np.float64)[order]
    if len(xs) < _LEAST_POINTS:
        raise BeamlineError(f"{len(xs)} points are too few for a peak", where="fit_peak")
    span = float(xs[-1] - xs[0])
    base = float(np.percentile(ys, 10.0))
    height = float(ys.max()) - base
    width = min(max(half_maximum_width(xs, ys, base), span / len(xs)), span)
    # Scaled to about 1, so that one step size suits all parameters.
    middle = float(xs[np.argmax(ys)])
    scale = height if height > 0 else 1.0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            best, covariance = curve_fit(
                _pseudo_voigt,
                (xs - middle) / width,
                ys / scale,
                p0=(0.0, 1.0, 1.0, max(base, 0.0) / scale, 0.1),
                sigma=sigma / scale,
                absolute_sigma=True,
                bounds=(
                    ((xs[0] - middle) / width, 0.02, 0.0, 0.0, 0.0),
                    ((xs[-1] - middle) / width, 2.0 * span / width, np.inf, np.inf, 1.0),
                ),
            )
    except (RuntimeError, ValueError, OptimizeWarning) as error:
        raise BeamlineError(
            f"no peak can be fitted: {error}", where="fit_peak", hint="look at the curve"
        ) from error
    residual = (ys / scale - _pseudo_voigt((xs - middle) / width, *best)) / (sigma / scale)
    chi_square = float(np.sum(residual**2)) / max(len(xs) - len(best), 1)
    deviations = np.sqrt(np.diag(covariance) * max(chi_square, 1.0)) * width
    return PeakFit(
        centre=middle + width * float(best[0]),
        centre_err=float(deviations[0]),
        fwhm=width * float(best[1]),
        fwhm_err=float(deviations[1]),
        amplitude=scale * float(best[2]),
        background=scale * float(best[3]),
        lorentz_fraction=float(best[4]),
    )
