"""ToT to energy from exposures to scattered light of known energies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twinbeam.calibrate.cloud import cloud_from_shares, count_singles
from twinbeam.calibrate.clusters import ClusteredHits
from twinbeam.calibrate.curve import CurveFit, CurvePrior
from twinbeam.calibrate.peak import PeakShape, ToTPeak
from twinbeam.calibrate.peak_curve import fit_peaks_and_curve
from twinbeam.calibrate.pixel_energy import PixelEnergyCalibration
from twinbeam.calibrate.revise import require_significant, revised
from twinbeam.pipeline import Recipe

__all__ = ["EnergyCalibration", "calibrate_energy", "put_curve"]


@dataclass(frozen=True, eq=False)
class EnergyCalibration:
    """The response of all pixels together.

    Attributes
    ----------
    energies_kev
        Energies whose peak was found, rising.
    peaks
        The peak at each.
    curve
        ToT = aE + b - c/(E - t) through them.
    missing_kev
        Energies without a peak that could be fitted.
    n_used, n_rejected
        Hits in the fitted peaks, and the other hits of the exposures.
    """

    energies_kev: tuple[float, ...]
    peaks: tuple[ToTPeak, ...]
    curve: CurveFit
    missing_kev: tuple[float, ...]
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


def put_curve(recipe: Recipe, curve: CurveFit) -> Recipe:
    """The recipe with a curve for all pixels.

    Raises
    ------
    RecipeError
        If the slope is not significant or a value out of bounds.
    """
    require_significant("ToT slope", curve.values[0], curve.errors[0])
    a, b, c, t = curve.values
    return revised(recipe, "response", a_ns_per_kev=a, b_ns=b, c_ns_kev=c, t_kev=t, per_pixel=None)


def calibrate_energy(
    exposures: Mapping[float, ClusteredHits],
    prior: CurvePrior | None = None,
    *,
    threshold_kev: float = 3.0,
    scales: PixelEnergyCalibration | None = None,
) -> EnergyCalibration:
    """Fit the response to single-hit photons of known energies.

    Parameters
    ----------
    exposures
        Clusters of exposures to scattered light, by its energy in keV. The peaks are those of their
        single hits; the share of these tells the size of the charge cloud.
    threshold_kev
        Charge below which a pixel stays silent; it decides how much a single hit may lack.
    scales
        Scales of the pixels, found with a first calibration; hits are then taken as an average
        pixel would see them, which makes the peaks narrow and the curve better.

    Raises
    ------
    RecipeError
        If fewer than two energies show a peak.
    """
    singles = {energy: clustered.singles for energy, clustered in exposures.items()}
    samples = {
        energy: (hits.tot_ns.astype(np.float64) if scales is None else scales.levelled(hits), None)
        for energy, hits in singles.items()
    }
    shares = {energy: count_singles(clustered) for energy, clustered in exposures.items()}
    cloud, error = cloud_from_shares(shares, threshold_kev)
    shape = PeakShape(1.0, threshold_kev=threshold_kev, cloud_px=cloud, cloud_sigma_px=error)
    peaks, curve = fit_peaks_and_curve(samples, shape, prior)
    found = list(peaks.values())
    used = int(sum(peak.counts for peak in found))
    return EnergyCalibration(
        energies_kev=tuple(peaks),
        peaks=tuple(found),
        curve=curve,
        missing_kev=tuple(sorted(set(singles) - set(peaks))),
        n_used=used,
        n_rejected=sum(len(hits) for hits in singles.values()) - used,
    )
