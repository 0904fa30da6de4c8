"""The distance from crystal to sensor from the ring of pairs.

Radii alone give only the product L² Δθ: a longer distance looks like a larger detuning, and no ToT
changes that. So the detuning must be known otherwise, from the goniometer less 1.4 mdeg of
refraction at 15 keV, and its error is part of the error of the distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from twinbeam.calibrate.detuning import DetuningCalibration
from twinbeam.calibrate.peak import PeakShape, fit_tot_peak
from twinbeam.calibrate.revise import require_significant, revised
from twinbeam.calibrate.single_hits import single_hit_photons
from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairs
from twinbeam.photons import Response
from twinbeam.physics import Geometry, closure_defect, energy_fraction, tot_from_energy_ns
from twinbeam.pipeline import Recipe

__all__ = ["DistanceCalibration", "KnownDetuning", "distance_by_energies", "distance_by_radii"]

_MODEL_NS = 2.0


@dataclass(frozen=True)
class KnownDetuning:
    """Pair detuning in degrees that is known otherwise, and its standard error."""

    value_deg: float
    error_deg: float


@dataclass(frozen=True, eq=False)
class DistanceCalibration:
    """Distance from crystal to sensor in metres.

    Attributes
    ----------
    method
        ``radii``: from the two radii of the pairs; ``energies``: from ToT along the radius.
    distance_m, error_m
        Distance and its standard error, including that of the detuning.
    statistical_m
        The part of the error that more pairs would lower.
    known
        The pair detuning that was given.
    n_net, n_used, n_rejected
        Pairs or photons behind the value minus accidentals, prompt ones used, and those left out.
    chi2, ndf
        Of the fit.
    radius_px, tot_ns, tot_error_ns, fitted_ns
        For the method ``energies``: ToT of photons at a radius, and the fit.
    """

    method: Literal["radii", "energies"]
    distance_m: float
    error_m: float
    statistical_m: float
    known: KnownDetuning
    n_net: float
    n_used: int
    n_rejected: int
    chi2: float
    ndf: int
    radius_px: NDArray[np.float64] | None = None
    tot_ns: NDArray[np.float64] | None = None
    tot_error_ns: NDArray[np.float64] | None = None
    fitted_ns: NDArray[np.float64] | None = None

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe with this distance.

        Raises
        ------
        RecipeError
            If the distance is not known to 5 %.
        """
        require_significant("distance", self.distance_m, self.error_m, least_sigmas=20.0)
        return revised(recipe, "geometry", distance_m=self.distance_m)


def distance_by_radii(
    measured: DetuningCalibration, geometry: Geometry, known: KnownDetuning
) -> DistanceCalibration:
    """The distance at which the pairs show the known detuning.

    Parameters
    ----------
    measured
        Pair detuning as the pairs show it with the distance of `geometry`.
    geometry
        Geometry of the pairs.
    known
        Pair detuning, known otherwise.
    """
    ratio = measured.detuning_deg / known.value_deg
    distance = geometry.distance_m * math.sqrt(ratio)
    statistical = 0.5 * distance * measured.error_deg / measured.detuning_deg
    return DistanceCalibration(
        method="radii",
        distance_m=distance,
        error_m=math.hypot(statistical, 0.5 * distance * known.error_deg / known.value_deg),
        statistical_m=statistical,
        known=known,
        n_net=measured.n_net,
        n_used=measured.n_used,
        n_rejected=measured.n_rejected,
        chi2=measured.chi2,
        ndf=measured.ndf,
    )


def distance_by_energies(
    pairs: Pairs,
    replicas: int,
    geometry: Geometry,
    response: Response,
    known: KnownDetuning,
    *,
    range_px: tuple[float, float] = (120.0, 290.0),
    photons_per_ring: int = 150,
    threshold_kev: float = 3.0,
) -> DistanceCalibration:
    """Fit ``r = L tan α(E)`` to the ToT of the photons of pairs along the radius.

    Needs a response that was calibrated; it is the check of the distance that uses no detuning of
    single pairs.

    Parameters
    ----------
    pairs
        Prompt pairs and replica pairs after cuts that know nothing of ToT.
    replicas
        Number of replicas among them.
    geometry
        Pump energy, Bragg angle and pixel; its distance is only the start.
    response
        Response of the pixels, the same the pairs were found with.
    known
        Pair detuning, known otherwise.
    range_px
        Radii that are used.
    photons_per_ring
        Prompt photons in each ring of the fit.
    threshold_kev
        Charge below which a pixel stays silent.

    Raises
    ------
    RecipeError
        If there are too few pairs.
    """
    radius = np.concatenate((pairs.r1, pairs.r2))
    tot, single = single_hit_photons(pairs, response)
    prompt = np.tile(pairs.replica == 0, 2)
    use = single & (radius > range_px[0]) & (radius < range_px[1])
    n = int(np.count_nonzero(use & prompt))
    rings = n // photons_per_ring
    if rings < 2:
        raise RecipeError(
            f"{n} single-hit photons of pairs, {2 * photons_per_ring} are asked",
            where="distance",
            hint="collect more pairs; the recipe was not changed",
        )
    edges = np.quantile(radius[use & prompt], np.linspace(0.0, 1.0, rings + 1))
    weight = np.where(prompt, 1.0, -1.0 / replicas)
    abct = (response.a_ns_per_kev, response.b_ns, response.c_ns_kev, response.t_kev)
    shape = PeakShape(1.0, abct, threshold_kev, cloud_sigma_px=0.03)
    defect = float(closure_defect(known.value_deg, geometry.bragg_deg))
    pitch = geometry.pixel_um * 1e-6

    def energy_kev(r: NDArray[np.float64], distance: float) -> NDArray[np.float64]:
        return geometry.energy_kev * energy_fraction(np.arctan(r * pitch / distance), defect)

    distance, error, residual = geometry.distance_m, math.inf, np.empty(0)
    middle = tot_here = tot_error = np.empty(0)
    net = 0.0
    for _ in range(4):  # within a ring photons are moved to its middle by the last distance
        points = []
        for low, high in pairwise(edges):
            here = use & (radius >= low) & (radius < high)
            r = float(np.median(radius[here]))
            energy = float(energy_kev(np.array(r), distance))
            moved = tot[here] + tot_from_energy_ns(energy, *abct)
            moved -= tot_from_energy_ns(energy_kev(radius[here], distance), *abct)
            peak = fit_tot_peak(moved, replace(shape, energy_kev=energy), weight[here])
            if peak is not None:
                points.append((r, peak.tot_ns, math.hypot(peak.error_ns, _MODEL_NS), peak.counts))
        if len(points) < 2:
            raise RecipeError(
                f"peaks of ToT in {len(points)} rings, 2 are asked",
                where="distance",
                hint="collect more pairs; the recipe was not changed",
            )
        middle, tot_here, tot_error, counts = (np.array(c) for c in zip(*points, strict=True))
        net = float(counts.sum())
        found = least_squares(
            lambda p: (
                (tot_from_energy_ns(energy_kev(middle, p[0]), *abct) - tot_here) / tot_error  # noqa: B023
            ),
            [distance],
            x_scale=[0.1],
        )
        distance, residual = float(found.x[0]), found.fun
        error = 1.0 / math.sqrt(float(np.sum(found.jac**2)))
    chi2, ndf = float(np.sum(residual**2)), middle.size - 1
    statistical = error * math.sqrt(max(1.0, chi2 / ndf))
    return DistanceCalibration(
        method="energies",
        distance_m=distance,
        error_m=math.hypot(statistical, 0.5 * distance * known.error_deg / known.value_deg),
        statistical_m=statistical,
        known=known,
        n_net=net,
        n_used=n,
        n_rejected=int(np.count_nonzero(prompt)) - n,
        chi2=chi2,
        ndf=ndf,
        radius_px=middle,
        tot_ns=tot_here,
        tot_error_ns=tot_error,
        fitted_ns=tot_from_energy_ns(energy_kev(middle, distance), *abct),
    )
