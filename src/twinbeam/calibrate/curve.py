"""The curve ToT = aE + b - c/(E - t) through measured points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from twinbeam.errors import RecipeError
from twinbeam.physics import tot_from_energy_ns

__all__ = ["CurveFit", "CurvePrior", "fit_curve"]


@dataclass(frozen=True)
class CurvePrior:
    """What is known of curvature and pole beforehand.

    Between 6 and 15 keV the curvature term changes ToT by a few percent, so points there do not
    determine c and t; the values are those of the detector's public calibration table, the widths
    the spread of its pixels.
    """

    c_ns_kev: float = 150.0
    c_sigma: float = 60.0
    t_kev: float = 1.5
    t_sigma: float = 0.6


@dataclass(frozen=True, eq=False)
class CurveFit:
    """The fitted curve.

    Attributes
    ----------
    values, errors
        a in ns/keV, b in ns, c in ns·keV, t in keV, and their standard errors.
    covariance
        Of the four, 4 × 4.
    chi2, ndf
        Of the points alone; c and t count as known beforehand, a and b as fitted.
    """

    values: tuple[float, float, float, float]
    errors: tuple[float, float, float, float]
    covariance: NDArray[np.float64]
    chi2: float
    ndf: int

    def tot_ns(self, energy_kev: ArrayLike) -> NDArray[np.float64]:
        """ToT of an energy."""
        return tot_from_energy_ns(energy_kev, *self.values)

    def tot_error_ns(self, energy_kev: ArrayLike) -> NDArray[np.float64]:
        """Standard error of the ToT of an energy."""
        energy = np.asarray(energy_kev, dtype=np.float64)
        _, _, c, t = self.values
        above = energy - t
        slope = np.stack((energy, np.ones_like(energy), -1.0 / above, -c / above**2), axis=-1)
        return np.sqrt(np.einsum("...i,ij,...j->...", slope, self.covariance, slope))

    def with_common_error(self, shifted: CurveFit) -> CurveFit:
        """The same with an error added that moves the curve to `shifted` as a whole."""
        move = np.array(shifted.values) - self.values
        covariance = self.covariance + np.outer(move, move)
        errors = tuple(float(v) for v in np.sqrt(np.diag(covariance)))
        return replace(self, covariance=covariance, errors=errors)  # type: ignore[arg-type]


def fit_curve(
    energy_kev: ArrayLike,
    tot_ns: ArrayLike,
    error_ns: ArrayLike,
    prior: CurvePrior | None = None,
) -> CurveFit:
    """Weighted least squares with the prior of c and t as two further measurements.

    Raises
    ------
    RecipeError
        If there are fewer than two energies, or the fit fails.
    """
    prior = prior or CurvePrior()
    energy, tot, error = (np.asarray(v, dtype=np.float64) for v in (energy_kev, tot_ns, error_ns))
    if np.unique(energy).size < 2:
        raise RecipeError(
            f"{np.unique(energy).size} energies with a peak, at least two are needed",
            where="energy calibration",
            hint="add exposures at other energies",
        )
    pole_below = float(energy.min()) - 0.5

    def residuals(p: NDArray[np.float64]) -> NDArray[np.float64]:
        points = (p[0] * energy + p[1] - p[2] / (energy - p[3]) - tot) / error
        known = ((p[2] - prior.c_ns_kev) / prior.c_sigma, (p[3] - prior.t_kev) / prior.t_sigma)
        return np.concatenate((points, known))

    slope = float(np.polyfit(energy, tot, 1)[0])
    start = [max(slope, 1.0), 100.0, prior.c_ns_kev, min(prior.t_kev, pole_below - 0.1)]
    found = least_squares(
        residuals,
        start,
        bounds=([0.1, -1e4, 0.0, -50.0], [1e3, 1e4, 1e5, pole_below]),
        x_scale=[1.0, 10.0, 10.0, 0.1],
        max_nfev=1000,
    )
    chi2 = float(np.sum(found.fun[:-2] ** 2))
    normal = found.jac.T @ found.jac
    if not found.success or found.active_mask.any() or np.linalg.cond(normal) > 1e15:
        raise RecipeError(
            "the response curve does not fit the peaks",
            where="energy calibration",
            hint="check the energies of the exposures",
        )
    covariance = np.linalg.inv(normal)
    errors = np.sqrt(np.diag(covariance))
    return CurveFit(
        values=tuple(float(v) for v in found.x),  # type: ignore[arg-type]
        errors=tuple(float(v) for v in errors),  # type: ignore[arg-type]
        covariance=covariance,
        chi2=chi2,
        ndf=energy.size - 2,
    )
