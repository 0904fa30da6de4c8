"""The pair detuning and its spread, from the radii of the pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize
from scipy.special import ndtr, xlogy

from twinbeam.calibrate.revise import require_significant, revised
from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairs
from twinbeam.physics import Geometry, pair_acceptance
from twinbeam.pipeline import Recipe

__all__ = ["DetuningCalibration", "calibrate_detuning"]

_BINS = 140
_LEAST_PAIRS = 20.0
_NODES = 13
_SMOOTH = 7  # bins over which the accidentals, which vary slowly, are averaged


@dataclass(frozen=True, eq=False)
class DetuningCalibration:
    """Mean and spread of the pair detuning in degrees.

    Attributes
    ----------
    detuning_deg, error_deg
        Mean and its standard error.
    sigma_deg, sigma_error_deg
        Spread (standard deviation) and its standard error; the pixels add under a tenth to it.
    n_net
        Pairs in the fitted peak.
    n_used, n_rejected
        Prompt pairs in the fitted range and outside.
    chi2, ndf
        Deviance of the fit and degrees of freedom, of bins with at least one count expected.
    edges_deg, prompt, accidental, fitted
        The histogram, the accidentals expected in it, and the fitted sum.
    """

    detuning_deg: float
    error_deg: float
    sigma_deg: float
    sigma_error_deg: float
    n_net: float
    n_used: int
    n_rejected: int
    chi2: float
    ndf: int
    edges_deg: NDArray[np.float64]
    prompt: NDArray[np.int64]
    accidental: NDArray[np.float64]
    fitted: NDArray[np.float64]

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe with this nominal detuning; its cut on the detuning moves along.

        A cut relative to the nominal detuning does so by itself.

        Raises
        ------
        RecipeError
            If the detuning or its spread is not significant.
        """
        require_significant("detuning", self.detuning_deg, self.error_deg)
        require_significant("spread of the detuning", self.sigma_deg, self.sigma_error_deg)
        shift = self.detuning_deg - recipe.geometry.detuning_deg
        cuts = tuple(
            cut.model_copy(update={"low": cut.low + shift, "high": cut.high + shift})
            if cut.quantity in ("detuning_deg", "detuning_exact_deg") and not cut.relative
            else cut
            for cut in recipe.selection.cuts
        )
        moved = revised(recipe, "geometry", detuning_deg=self.detuning_deg)
        return revised(moved, "selection", cuts=[cut.model_dump() for cut in cuts])


def calibrate_detuning(
    pairs: Pairs,
    replicas: int,
    range_deg: tuple[float, float],
    geometry: Geometry | None = None,
) -> DetuningCalibration:
    """Fit a Gaussian on the accidentals to the pair detunings, by maximum likelihood.

    Parameters
    ----------
    pairs
        Prompt pairs and replica pairs whose detuning was not cut inside the range.
    replicas
        Number of replicas among them.
    range_deg
        Range of the histogram in degrees.
    geometry
        Where the sensor is. Pairs of a larger ring are lost at its edge more often, which pulls the
        mean down by some 7e-5 degrees; with a geometry that is taken into account.

    Raises
    ------
    RecipeError
        If there are too few pairs or the fit fails.
    """
    edges = np.linspace(*range_deg, _BINS + 1)
    is_prompt = pairs.replica == 0
    prompt = np.histogram(pairs.detuning_deg[is_prompt], edges)[0]
    replica = np.histogram(pairs.detuning_deg[~is_prompt], edges)[0] / replicas
    accidental = np.convolve(np.pad(replica, _SMOOTH // 2, "edge"), np.ones(_SMOOTH), "valid")
    accidental /= _SMOOTH
    net = float(prompt.sum() - accidental.sum())
    if net < _LEAST_PAIRS:
        raise _nothing(f"{net:.0f} net pairs, {_LEAST_PAIRS:g} are asked")
    x = np.arange(_BINS, dtype=np.float64)  # in bins, so that all parameters are of order one
    top = float(np.argmax(np.convolve(prompt - accidental, np.ones(7), "same")))
    near = np.abs(x - top) < 0.15 * _BINS
    weight = np.maximum(prompt - accidental, 0.0) * near
    centre = float(np.sum(weight * x) / weight.sum())
    width = float(np.sqrt(np.sum(weight * (x - centre) ** 2) / weight.sum()))
    floor = np.maximum(accidental, 1e-3 / _BINS)

    seen = _acceptance(edges, geometry)

    def expected(p: NDArray[np.float64]) -> NDArray[np.float64]:
        shape = np.diff(ndtr((np.arange(_BINS + 1) - 0.5 - p[1]) / np.exp(p[2]))) * seen
        return np.exp(p[0]) * shape / max(float(shape.sum()), 1e-12) + floor

    def likelihood(p: NDArray[np.float64]) -> float:
        mean = expected(p)
        return float(np.sum(mean - xlogy(prompt, mean)))

    start = np.array([np.log(net), centre, np.log(max(width, 0.7))])
    found = minimize(
        likelihood,
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 4000},
    )
    if not found.success or not 0.0 < found.x[1] < _BINS:
        raise _nothing("the peak of the pair detuning cannot be fitted")
    best = found.x
    mean = expected(best)
    slope = np.stack([_slope(expected, best, i) for i in range(3)], axis=1)
    information = (slope / mean[:, None]).T @ slope
    if np.linalg.cond(information) > 1e12:
        raise _nothing("the peak of the pair detuning cannot be fitted")
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    step = float(edges[1] - edges[0])
    sigma = float(np.exp(best[2]) * step)
    deviance = 2.0 * (mean - prompt + xlogy(prompt, prompt / mean))
    counted = mean >= 1.0
    return DetuningCalibration(
        detuning_deg=float(edges[0] + (best[1] + 0.5) * step),
        error_deg=float(errors[1] * step),
        sigma_deg=sigma,
        sigma_error_deg=float(errors[2] * sigma),
        n_net=float(np.exp(best[0])),
        n_used=int(prompt.sum()),
        n_rejected=int(np.count_nonzero(is_prompt) - prompt.sum()),
        chi2=float(deviance[counted].sum()),
        ndf=max(int(np.count_nonzero(counted)) - 3, 0),
        edges_deg=edges,
        prompt=prompt,
        accidental=accidental,
        fitted=mean,
    )


def _acceptance(edges: NDArray[np.float64], geometry: Geometry | None) -> NDArray[np.float64]:
    """Share of the pairs that both hit the sensor, in the middle of each bin."""
    middle = 0.5 * (edges[1:] + edges[:-1])
    if geometry is None:
        return np.ones_like(middle)
    g = geometry
    x, y = g.centre_px
    nodes = np.linspace(max(float(edges[0]), 1e-4), float(edges[-1]), _NODES)
    share = [
        pair_acceptance(
            float(node),
            g.bragg_deg,
            g.distance_m,
            g.pixel_um,
            (x + 0.5, y + 0.5),
            float(g.side_px),
            g.beam_stop_half_px,
        )
        for node in nodes
    ]
    smooth = PchipInterpolator(nodes, np.maximum(share, 1e-6))
    return np.asarray(smooth(np.maximum(middle, nodes[0])), dtype=np.float64)


def _nothing(what: str) -> RecipeError:
    hint = "collect more pairs; the recipe was not changed"
    return RecipeError(what, where="detuning", hint=hint)


def _slope(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    at: NDArray[np.float64],
    i: int,
) -> NDArray[np.float64]:
    step = np.zeros_like(at)
    step[i] = 1e-4
    return (function(at + step) - function(at - step)) / 2e-4
