"""Timewalk from the hits of photons that were shared between two pixels.

The two hits are simultaneous, so their time difference is the difference of their walks. A constant
of the walk cannot be seen in this and does not matter for pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import chi2 as chi2_distribution

from twinbeam.calibrate.revise import require_significant, revised
from twinbeam.calibrate.walk_cells import WalkCells
from twinbeam.errors import RecipeError
from twinbeam.photons import Response
from twinbeam.physics import energy_from_tot_kev, timewalk_ns
from twinbeam.pipeline import Recipe

__all__ = ["WalkCalibration", "WalkFit", "calibrate_timewalk"]

_LEAST_CELLS = 6


@dataclass(frozen=True, eq=False)
class WalkFit:
    """One form of the timewalk, fitted.

    Attributes
    ----------
    form
        ``exponential``: B exp(-k ToT) with values (B in ns, k in 1/ns); ``pole``: c/(E - t) with
        values (c in ns·keV, t in keV), zero at infinite energy.
    values, errors
        The two parameters and their standard errors, widened by √(chi2/ndf) where that is above 1.
    correlation
        Of the two parameters.
    chi2, ndf
        Of the fit.
    """

    form: Literal["exponential", "pole"]
    values: tuple[float, float]
    errors: tuple[float, float]
    correlation: float
    chi2: float
    ndf: int

    @property
    def p_value(self) -> float:
        """Probability of a chi2 as large as this if the form is right."""
        return float(chi2_distribution.sf(self.chi2, self.ndf))

    def walk_ns(self, tot_ns: NDArray[np.float64], response: Response) -> NDArray[np.float64]:
        """The walk of hits of a ToT."""
        if self.form == "exponential":
            return timewalk_ns(tot_ns, *self.values)
        return self.values[0] / (_energy_kev(tot_ns, response) - self.values[1])


@dataclass(frozen=True, eq=False)
class WalkCalibration:
    """Both forms of the timewalk fitted to the same data.

    Attributes
    ----------
    exponential, pole
        The fits; None where a form could not be fitted.
    cells
        The data.
    response
        Response by which ToT was converted to energy for the pole form.
    """

    exponential: WalkFit | None
    pole: WalkFit | None
    cells: WalkCells
    response: Response

    @property
    def best(self) -> WalkFit:
        """The form with the smaller chi2; both have two parameters.

        Raises
        ------
        RecipeError
            If neither could be fitted.
        """
        fits = [fit for fit in (self.exponential, self.pole) if fit is not None]
        if not fits:
            raise RecipeError(
                "neither form of the timewalk can be fitted",
                where="timewalk",
                hint="take more data with shared photons; the recipe was not changed",
            )
        return min(fits, key=lambda fit: fit.chi2)

    def apply(self, recipe: Recipe, fit: WalkFit | None = None) -> Recipe:
        """The recipe with the fitted timewalk: the better form, or the one given.

        Raises
        ------
        RecipeError
            If the strength of the walk is not significant, or a value is out of bounds.
        """
        fit = fit or self.best
        first, second = fit.values
        require_significant("timewalk", first, fit.errors[0])
        if fit.form == "exponential":
            require_significant("timewalk decay", second, fit.errors[1])
            return revised(
                recipe,
                "response",
                walk="exponential",
                timewalk_ns=first,
                timewalk_decay_per_ns=second,
            )
        return revised(
            recipe, "response", walk="pole", walk_c_ns_kev=first, walk_t_kev=second, walk_d_ns=0.0
        )


def calibrate_timewalk(cells: WalkCells, response: Response | None = None) -> WalkCalibration:
    """Fit both forms of the timewalk.

    Raises
    ------
    RecipeError
        If there are too few pairs of ToT values to fit two parameters.
    """
    response = response or Response()
    if cells.n.size < _LEAST_CELLS:
        raise RecipeError(
            f"shared photons in only {cells.n.size} pairs of ToT values, {_LEAST_CELLS} are asked",
            where="timewalk",
            hint="take more data with photons that are shared between two pixels",
        )
    small, large = (_energy_kev(tot, response) for tot in (cells.small_ns, cells.large_ns))
    weakest = float(small.min())

    def exponential(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return timewalk_ns(cells.small_ns, p[0], p[1]) - timewalk_ns(cells.large_ns, p[0], p[1])

    def pole(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return p[0] / (small - p[1]) - p[0] / (large - p[1])

    return WalkCalibration(
        exponential=_fit("exponential", exponential, (100.0, 0.01), (0.0, 1e-5), (1e4, 1.0), cells),
        pole=_fit(
            "pole",
            pole,
            (50.0, weakest - 2.0),
            (0.0, -50.0),
            (1e5, weakest - 0.05),
            cells,
        ),
        cells=cells,
        response=response,
    )


def _energy_kev(tot_ns: NDArray[np.float64], response: Response) -> NDArray[np.float64]:
    r = response
    return energy_from_tot_kev(tot_ns, r.a_ns_per_kev, r.b_ns, r.c_ns_kev, r.t_kev)


def _fit(
    form: Literal["exponential", "pole"],
    model: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: tuple[float, float],
    low: tuple[float, float],
    high: tuple[float, float],
    cells: WalkCells,
) -> WalkFit | None:
    """Weighted least squares; None when it does not converge or ends at a bound."""
    found = least_squares(
        lambda p: (model(p) - cells.late_ns) / cells.error_ns,
        start,
        bounds=(low, high),
        x_scale=np.maximum(np.abs(start), 1e-3),
        max_nfev=500,
    )
    scale = np.sqrt(np.sum(found.jac**2, axis=0))
    if not found.success or found.active_mask.any() or not (scale > 0.0).all():
        return None
    normal = (found.jac / scale).T @ (found.jac / scale)
    if np.linalg.cond(normal) > 1e12:
        return None
    covariance = np.linalg.inv(normal)
    chi2, ndf = float(2.0 * found.cost), cells.n.size - 2
    widen = np.sqrt(max(1.0, chi2 / ndf))
    spread = np.sqrt(np.diag(covariance))
    errors = spread / scale * widen
    return WalkFit(
        form=form,
        values=(float(found.x[0]), float(found.x[1])),
        errors=(float(errors[0]), float(errors[1])),
        correlation=float(covariance[0, 1] / (spread[0] * spread[1])),
        chi2=chi2,
        ndf=ndf,
    )
