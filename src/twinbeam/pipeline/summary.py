"""The numbers people read off a result."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinbeam.pairs import Pairs
from twinbeam.pipeline.fit import GaussianFit, fit_gaussian
from twinbeam.pipeline.result import Result

__all__ = ["detuning_fit", "dt_fit", "fitted_centre", "peak_over_floor", "summary"]


def _net_fit(result: Result, name: str, edges: np.ndarray) -> GaussianFit | None:
    n = result.estimate.replicas
    prompt = result.arrays[name]
    accidental = result.arrays[name + "_accidental"]
    return fit_gaussian(edges, prompt - accidental / n, prompt + accidental / n**2)


def dt_fit(result: Result) -> GaussianFit | None:
    """Fit of the time-difference peak, in ns, after subtraction of the replicas."""
    return _net_fit(result, "dt", result.axes.dt_ns)


def detuning_fit(result: Result) -> GaussianFit | None:
    """Fit of the pair-detuning peak, in degrees, after subtraction of the replicas."""
    return _net_fit(result, "detuning", result.axes.detuning_deg)


def peak_over_floor(result: Result, fit: GaussianFit | None) -> float | None:
    """Height of the time-difference peak over the accidental floor, per bin.

    The floor is the mean of the replicas in the same bins. None without a peak or a floor.
    """
    floor = float(result.arrays["dt_accidental"].mean()) / result.estimate.replicas
    return fit.amplitude / floor if fit is not None and floor > 0.0 else None


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
    """Plain values for people and JSON; what could not be determined is None."""
    estimate, seconds = result.estimate, result.duration_s
    dt, detuning = dt_fit(result), detuning_fit(result)
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
            "net": estimate.net,
            "net_err": estimate.net_err,
            "peak_over_floor": peak_over_floor(result, dt),
            "floor_counts": int(result.arrays["dt_accidental"].sum()),
            "s_over_b": estimate.s_over_b,
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
            "detuning_sigma_deg": detuning.sigma if detuning else None,
            "dt_sigma_ns": dt.sigma if dt else None,
        },
        "recipe_hash": result.recipe.hash,
    }
