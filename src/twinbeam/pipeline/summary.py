"""The numbers people read off a result."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaincinv, ndtri

from twinbeam.images import net_array
from twinbeam.pairs import Pairs
from twinbeam.pipeline.fit import GaussianFit, fit_gaussian
from twinbeam.pipeline.result import Result, check_result

__all__ = [
    "detuning_exact_fit",
    "detuning_fit",
    "dt_fit",
    "fitted_centre",
    "peak_over_floor",
    "peak_over_floor_lower",
    "summary",
]


def _net_fit(result: Result, name: str, edges: np.ndarray) -> GaussianFit | None:
    return fit_gaussian(edges, *net_array(result.arrays, name, result.estimate.replicas))


def dt_fit(result: Result) -> GaussianFit | None:
    """Fit of the time-difference peak, in ns, after subtraction of the replicas."""
    return _net_fit(result, "dt", result.axes.dt_ns)


def detuning_fit(result: Result) -> GaussianFit | None:
    """Fit of the peak of the pair detuning of Eq. 1, in degrees, without the replicas."""
    return _net_fit(result, "detuning", result.axes.detuning_deg)


def detuning_exact_fit(result: Result) -> GaussianFit | None:
    """Fit of the peak of the exact pair detuning, in degrees, without the replicas."""
    return _net_fit(result, "detuning_exact", result.axes.detuning_deg)


def peak_over_floor(result: Result, fit: GaussianFit | None) -> float | None:
    """Height of the time-difference peak over the accidental floor, per bin.

    The floor is the mean of the replicas in the same bins. None without a peak or a floor.
    """
    floor = float(result.arrays["dt_accidental"].mean()) / result.estimate.replicas
    return fit.amplitude / floor if fit is not None and floor > 0.0 else None


def peak_over_floor_lower(
    result: Result, fit: GaussianFit | None, confidence: float = 0.95
) -> float | None:
    """Lower limit of `peak_over_floor`, which exists with an empty floor too; None without a peak.

    The fitted height less its one-sided error, over the upper limit (Garwood) of the mean floor.
    """
    if fit is None:
        return None
    counts = result.arrays["dt_accidental"]
    floor = float(gammaincinv(counts.sum() + 1.0, confidence)) / counts.size
    height = fit.amplitude - float(ndtri(confidence)) * fit.amplitude_err
    return max(height, 0.0) / (floor / result.estimate.replicas)


def _beta(n_photons: int, net: float) -> float | None:
    """Background photons for each photon of a pair after all cuts: β of Eq. 9."""
    return (n_photons - 2.0 * net) / (2.0 * net) if net > 0.0 else None


def fitted_centre(pairs: Pairs) -> tuple[float, float] | None:
    """The point nearest to all lines that join prompt pairs, in pixels; None below 20 pairs.

    Least squares of the distances; cuts on those distances pull it towards the recipe's centre.
    """
    prompt = pairs[pairs.replica == 0]
    if len(prompt) < 20:
        return None
    dx, dy = prompt.x2 - prompt.x1, prompt.y2 - prompt.y1
    length = np.hypot(dx, dy)
    nx, ny = -dy / length, dx / length
    offset = nx * prompt.x1 + ny * prompt.y1
    matrix = np.array([[np.sum(nx * nx), np.sum(nx * ny)], [np.sum(nx * ny), np.sum(ny * ny)]])
    if np.linalg.cond(matrix) > 1e6:
        return None
    x, y = np.linalg.solve(matrix, [np.sum(nx * offset), np.sum(ny * offset)])
    return float(x), float(y)


def summary(result: Result) -> dict[str, Any]:
    """Plain values for people and JSON; what could not be determined is None.

    ``pairs`` are counts after all cuts, limits at 95 %; ``estimates`` come from fits (lmfit).

    Raises
    ------
    TwinbeamError
        If `result` is none.
    """
    check_result(result, "summary")
    estimate, seconds = result.estimate, result.duration_s
    dt, detuning, exact = dt_fit(result), detuning_fit(result), detuning_exact_fit(result)
    centre = fitted_centre(result.pairs)

    def rate(n: float) -> float | None:
        return n / seconds if seconds > 0.0 else None

    return {
        "bytes": result.census.n_bytes,
        "hits": result.n_hits,
        "photons": result.n_photons,
        "pairs": {
            "prompt": estimate.n_prompt,
            "accidental": estimate.accidental,
            "accidental_err": estimate.accidental_err,
            "accidental_upper": estimate.accidental_upper(),
            "net": estimate.net,
            "net_err": estimate.net_err,
            "significance": estimate.significance,
            "peak_over_floor": peak_over_floor(result, dt),
            "peak_over_floor_lower": peak_over_floor_lower(result, dt),
            "floor_counts": int(result.arrays["dt_accidental"].sum()),
            "s_over_b": estimate.s_over_b,
            "s_over_b_lower": estimate.s_over_b_lower(),
        },
        "rates_hz": {
            "hits": rate(result.n_hits),
            "photons": rate(result.n_photons),
            "pairs": rate(estimate.net),
        },
        "duration_s": seconds,
        "acquisitions": result.acquisitions,
        "ledger": result.ledger.as_dict(),
        "estimates": {
            "centre_px": list(centre) if centre else None,
            "detuning_deg": detuning.centre if detuning else None,
            "detuning_err_deg": detuning.centre_err if detuning else None,
            "detuning_sigma_deg": detuning.sigma if detuning else None,
            "detuning_exact_deg": exact.centre if exact else None,
            "detuning_exact_err_deg": exact.centre_err if exact else None,
            "detuning_exact_sigma_deg": exact.sigma if exact else None,
            "dt_ns": dt.centre if dt else None,
            "dt_err_ns": dt.centre_err if dt else None,
            "dt_sigma_ns": dt.sigma if dt else None,
            "dt_sigma_err_ns": dt.sigma_err if dt else None,
            "dt_reduced_chi2": dt.reduced_chi2 if dt else None,
            "background_per_pair_photon": _beta(result.n_photons, estimate.net),
        },
        "recipe_hash": result.recipe.hash,
    }
