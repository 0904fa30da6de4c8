"""ToT to energy from the pairs themselves: two radii give both energies.

By the law of sines the energies follow from the two angles alone, for any detuning, far better than
any ToT can tell them. So pairs calibrate the response without exposures at other energies.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.cloud import cloud_from_shares
from twinbeam.calibrate.curve import CurveFit, CurvePrior
from twinbeam.calibrate.energy import put_curve
from twinbeam.calibrate.peak import PeakShape, ToTPeak
from twinbeam.calibrate.peak_curve import fit_peaks_and_curve
from twinbeam.calibrate.single_hits import single_hit_photons
from twinbeam.pairs import Pairs
from twinbeam.photons import Response
from twinbeam.physics import Geometry, radius_to_angle_rad, shared_energy_kev, tot_from_energy_ns
from twinbeam.pipeline import Recipe

__all__ = ["PairEnergyCalibration", "calibrate_pair_energy", "pair_energies_kev"]


@dataclass(frozen=True, eq=False)
class PairEnergyCalibration:
    """The response of all pixels from pairs.

    Attributes
    ----------
    energies_kev
        Middle of the energy bins with a peak.
    peaks
        The peak in each, at that energy.
    curve
        ToT = aE + b - c/(E - t) through them.
    n_net
        Photons of pairs in the peaks after subtraction of accidentals.
    n_used, n_rejected
        Single-hit photons of prompt pairs, and photons that were left out because they are shared
        between pixels or outside the energy range.
    """

    energies_kev: tuple[float, ...]
    peaks: tuple[ToTPeak, ...]
    curve: CurveFit
    n_net: float
    n_used: int
    n_rejected: int

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe with this response for all pixels; a table per pixel is taken out.

        Raises
        ------
        RecipeError
            If the slope is not significant or a value out of bounds.
        """
        return put_curve(recipe, self.curve)


def pair_energies_kev(
    pairs: Pairs, geometry: Geometry
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies of photon 1 and photon 2 from the two radii."""
    one, two = (
        radius_to_angle_rad(r, geometry.distance_m, geometry.pixel_um) for r in (pairs.r1, pairs.r2)
    )
    first = shared_energy_kev(one, two, geometry.energy_kev)
    return first, geometry.energy_kev - first


def calibrate_pair_energy(
    pairs: Pairs,
    replicas: int,
    geometry: Geometry,
    response: Response,
    prior: CurvePrior | None = None,
    *,
    range_kev: tuple[float, float] = (5.0, 10.0),
    step_kev: float = 1.0,
    threshold_kev: float = 3.0,
) -> PairEnergyCalibration:
    """Fit the response to the single-hit photons of pairs.

    Parameters
    ----------
    pairs
        Prompt pairs and replica pairs after cuts that know nothing of ToT (`candidates`), or the
        cuts would shift the peaks.
    replicas
        Number of replicas among them; each of their pairs is subtracted with weight 1/replicas.
    geometry
        Axis and distance.
    response
        The response the pairs were found with; a photon is a single hit when its energy is that of
        its whole ToT.
    range_kev, step_kev
        Range and width of the energy bins.
    threshold_kev
        Charge below which a pixel stays silent.

    Raises
    ------
    RecipeError
        If fewer than two bins show a peak.
    """
    tot, single = single_hit_photons(pairs, response)
    energy = np.concatenate(pair_energies_kev(pairs, geometry))
    prompt = np.tile(pairs.replica == 0, 2)
    inside = (energy > range_kev[0]) & (energy < range_kev[1])
    use = single & inside
    weight = np.where(prompt, 1.0, -1.0 / replicas)
    abct = (response.a_ns_per_kev, response.b_ns, response.c_ns_kev, response.t_kev)
    shares = {
        float(middle): (float(weight[use & near].sum()), float(weight[inside & near].sum()))
        for middle in np.arange(range_kev[0], range_kev[1], step_kev) + 0.5 * step_kev
        for near in [np.abs(energy - middle) < 0.5 * step_kev]
    }
    cloud, cloud_error = cloud_from_shares(shares, threshold_kev)
    for _ in range(2):  # the second time with the curve that was found
        samples = _samples(energy[use], tot[use], weight[use], abct, range_kev, step_kev)
        shape = PeakShape(1.0, abct, threshold_kev, cloud_px=cloud, cloud_sigma_px=cloud_error)
        peaks, curve = fit_peaks_and_curve(samples, shape, prior)
        abct = curve.values
    return PairEnergyCalibration(
        energies_kev=tuple(peaks),
        peaks=tuple(peaks.values()),
        curve=curve,
        n_net=sum(peak.counts for peak in peaks.values()),
        n_used=int(np.count_nonzero(use & prompt)),
        n_rejected=int(np.count_nonzero(~use & prompt)),
    )


def _samples(
    energy: NDArray[np.float64],
    tot: NDArray[np.float64],
    weight: NDArray[np.float64],
    abct: tuple[float, float, float, float],
    range_kev: tuple[float, float],
    step_kev: float,
) -> dict[float, tuple[NDArray[np.float64], NDArray[np.float64] | None]]:
    """ToT in each energy bin, every photon moved to the middle of its bin along the curve."""
    edges = np.arange(range_kev[0], range_kev[1] + 0.5 * step_kev, step_kev)
    found: dict[float, tuple[NDArray[np.float64], NDArray[np.float64] | None]] = {}
    for low, high in pairwise(edges):
        here = (energy >= low) & (energy < high)
        middle = float(0.5 * (low + high))
        to_middle = tot_from_energy_ns(middle, *abct) - tot_from_energy_ns(energy[here], *abct)
        found[middle] = (tot[here] + to_middle, weight[here])
    return found
