"""The ToT peak of single hits of photons of one energy, with the charge they lack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import OptimizeResult, least_squares
from scipy.special import ndtr

from twinbeam.calibrate.charge_loss import missing_share
from twinbeam.physics import tot_from_energy_ns

__all__ = ["PeakShape", "ToTPeak", "fit_tot_peak"]

_LEAST_COUNTS = 60.0
_LARGEST_SHARE = 0.2
_CLOUDS = (0.08, 0.14, 0.2, 0.28)  # where the fit starts; it has several minima
_LOW = (0.0, 0.0, 0.3, 0.02)
_HIGH = (np.inf, np.inf, 20.0, 0.45)


@dataclass(frozen=True)
class PeakShape:
    """What the shape of a peak depends on besides the fit.

    Attributes
    ----------
    energy_kev
        Energy of the photons.
    abct
        Response by which ToT falls with missing charge; its offset does not matter.
    threshold_kev
        Charge below which a neighbour stays silent.
    cloud_px, cloud_sigma_px
        What is known of the charge cloud's radius beforehand.
    """

    energy_kev: float
    abct: tuple[float, float, float, float] = (25.77, 170.0, 150.0, 2.0)
    threshold_kev: float = 3.0
    cloud_px: float = 0.18
    cloud_sigma_px: float = 0.1

    def drop_ns(self, missing_share: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much ToT is lower when a share of the charge is missing."""
        left = self.energy_kev * (1.0 - missing_share)
        whole = tot_from_energy_ns(self.energy_kev, *self.abct)
        return whole - tot_from_energy_ns(left, *self.abct)


@dataclass(frozen=True, eq=False)
class ToTPeak:
    """Where photons of one energy lie in ToT when no charge is missing.

    Attributes
    ----------
    tot_ns, error_ns
        Position and its standard error, widened by √(chi2/ndf) where that is above 1.
    sigma_ns
        Width without missing charge.
    cloud_px, cloud_error_px
        Radius (σ) of the charge cloud in pixels.
    counts
        Net counts in the fitted range.
    chi2, ndf
        Of the fit.
    edges_ns, histogram, fitted
        The fitted histogram and the model in its bins.
    """

    tot_ns: float
    error_ns: float
    sigma_ns: float
    cloud_px: float
    cloud_error_px: float
    counts: float
    chi2: float
    ndf: int
    edges_ns: NDArray[np.float64]
    histogram: NDArray[np.float64]
    fitted: NDArray[np.float64]


def fit_tot_peak(
    tot_ns: ArrayLike,
    shape: PeakShape,
    weight: ArrayLike | None = None,
    *,
    step_ns: float = 25.0,
) -> ToTPeak | None:
    """Fit the highest ToT peak; None when there is too little or the fit fails.

    A single hit lacks the charge that leaked to neighbours without lifting them over threshold;
    without that in the model the position would be over a keV too low.

    Parameters
    ----------
    tot_ns
        ToT of single hits.
    weight
        1 for prompt photons, negative for accidentals that are subtracted; 1 when left out.
    step_ns
        Width of the bins, centred on its multiples.
    """
    value = np.asarray(tot_ns, dtype=np.float64) / step_ns
    w = np.ones(value.size) if weight is None else np.asarray(weight, dtype=np.float64)
    inside = (value >= 0.0) & (value < 1023.5)
    bin_of = np.round(value[inside]).astype(np.int64)
    counts = np.bincount(bin_of, w[inside], minlength=1024).astype(np.float64)
    variance = np.bincount(bin_of, w[inside] ** 2, minlength=1024).astype(np.float64)
    smooth = np.convolve(counts, np.ones(3) / 3.0, mode="same")
    top = int(np.argmax(smooth))
    x = np.arange(counts.size, dtype=np.float64)
    # further down are photons shared by halves, where noise at the threshold decides
    share = min(shape.threshold_kev / shape.energy_kev, _LARGEST_SHARE)
    reach = float(shape.drop_ns(np.array(share))) / step_ns
    inside = (x > top - reach - 1.5) & (x < top + 9.0 + 0.5 * reach)
    x, counts, variance = x[inside], counts[inside], variance[inside]
    if counts.sum() < _LEAST_COUNTS:
        return None
    variance_now = np.maximum(variance, 1.0)
    starts = [np.array([counts.sum(), top + 0.5, 1.0, cloud]) for cloud in _CLOUDS]
    for _ in range(3):
        fits = [_fit(x, counts, variance_now, shape, step_ns, start) for start in starts]
        found = min(fits, key=lambda fit: float(fit.cost))
        if not found.success:
            return None
        best = found.x
        starts = [best]
        expected = _model(x, best, shape, step_ns)
        # a variance from the model does not pull the fit to the bins that fluctuate down
        variance_now = np.maximum(expected + np.maximum(variance - counts, 0.0), 1.0)
    free = found.active_mask == 0
    scale = np.sqrt(np.sum(found.jac**2, axis=0))
    if not (free[1] and (scale[free] > 0.0).all()):
        return None
    slopes = found.jac[:, free] / scale[free]
    normal = slopes.T @ slopes
    if np.linalg.cond(normal) > 1e12:
        return None
    ndf = max(x.size + 1 - int(np.count_nonzero(free)), 1)
    chi2 = float(2.0 * found.cost)
    covariance = np.linalg.inv(normal)
    errors = np.zeros(4)
    errors[free] = np.sqrt(np.diag(covariance) * max(1.0, chi2 / ndf)) / scale[free]
    return ToTPeak(
        tot_ns=float(best[1] * step_ns),
        error_ns=float(errors[1] * step_ns),
        sigma_ns=float(best[2] * step_ns),
        cloud_px=float(best[3]),
        cloud_error_px=float(errors[3]),
        counts=float(counts.sum()),
        chi2=chi2,
        ndf=ndf,
        edges_ns=(np.append(x, x[-1] + 1.0) - 0.5) * step_ns,
        histogram=counts,
        fitted=expected,
    )


def _fit(
    x: NDArray[np.float64],
    counts: NDArray[np.float64],
    variance: NDArray[np.float64],
    shape: PeakShape,
    step_ns: float,
    start: NDArray[np.float64],
) -> OptimizeResult:
    error = np.sqrt(variance)

    def residuals(p: NDArray[np.float64]) -> NDArray[np.float64]:
        known = (p[3] - shape.cloud_px) / shape.cloud_sigma_px
        return np.append((_model(x, p, shape, step_ns) - counts) / error, known)

    return least_squares(
        residuals,
        start,
        bounds=(_LOW, _HIGH),
        x_scale=np.maximum(start, 0.05),
        diff_step=(1e-4, 1e-4, 1e-4, 2e-2),
    )


def _model(
    x: NDArray[np.float64], p: NDArray[np.float64], shape: PeakShape, step_ns: float
) -> NDArray[np.float64]:
    """Expected counts in bins of width 1 around `x`."""
    total, top, sigma, cloud = p
    missing = missing_share(cloud, shape.threshold_kev / shape.energy_kev)
    centre = top - shape.drop_ns(missing) / step_ns
    edges = np.append(x, x[-1] + 1.0) - 0.5
    below = ndtr((edges[:, None] - centre[None, :]) / sigma).mean(axis=1)
    return total * np.diff(below)
