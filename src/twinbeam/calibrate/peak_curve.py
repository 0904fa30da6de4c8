"""Peaks at several energies and the curve through them, with one charge cloud for all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.curve import CurveFit, CurvePrior, fit_curve
from twinbeam.calibrate.peak import PeakShape, ToTPeak, fit_tot_peak

__all__ = ["fit_peaks_and_curve"]

#: ToT in ns of single hits, and their weights or None
Sample = tuple[NDArray[np.float64], NDArray[np.float64] | None]

_POINT_NS = 2.0  # how well the model of missing charge places a single peak
_FIXED_PX = 1e-4


def fit_peaks_and_curve(
    samples: Mapping[float, Sample],
    shape: PeakShape,
    prior: CurvePrior | None,
) -> tuple[dict[float, ToTPeak], CurveFit]:
    """Peak of each energy in keV, and the response through them.

    All peaks are fitted with the charge cloud of `shape`, and once more with its error added: what
    moves by that is an error that all peaks share.

    Raises
    ------
    RecipeError
        If fewer than two energies show a peak, or no curve fits them.
    """
    cloud, error = shape.cloud_px, shape.cloud_sigma_px
    curve = _curve(_peaks(samples, replace(shape, cloud_sigma_px=_FIXED_PX)), prior)
    fixed = replace(shape, abct=curve.values, cloud_sigma_px=_FIXED_PX)
    peaks = _peaks(samples, fixed)
    curve = _curve(peaks, prior)
    moved = _peaks(samples, replace(fixed, cloud_px=cloud + error))
    both = [energy for energy in peaks if energy in moved]
    shifted = _curve({energy: moved[energy] for energy in both}, prior)
    widened = {
        energy: replace(
            peak,
            error_ns=math.hypot(
                peak.error_ns, moved[energy].tot_ns - peak.tot_ns if energy in moved else 0.0
            ),
            cloud_error_px=error,
        )
        for energy, peak in peaks.items()
    }
    return widened, curve.with_common_error(shifted)


def _peaks(samples: Mapping[float, Sample], shape: PeakShape) -> dict[float, ToTPeak]:
    """The peaks that can be fitted, by rising energy."""
    fits = {
        energy: fit_tot_peak(
            samples[energy][0], replace(shape, energy_kev=energy), samples[energy][1]
        )
        for energy in sorted(samples)
    }
    return {energy: peak for energy, peak in fits.items() if peak is not None}


def _curve(peaks: Mapping[float, ToTPeak], prior: CurvePrior | None) -> CurveFit:
    errors = [math.hypot(peak.error_ns, _POINT_NS) for peak in peaks.values()]
    return fit_curve(list(peaks), [peak.tot_ns for peak in peaks.values()], errors, prior)
