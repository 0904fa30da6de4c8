"""Measurement of the rocking curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bluesky.preprocessors as bpp
import numpy as np
from bluesky.utils import MsgGenerator
from ophyd import EpicsMotor

from twinbeam.devices import IntensityMonitor, Shutter
from twinbeam.errors import BeamlineError
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import (
    check_angle,
    check_number,
    check_travel,
    say_why,
    with_shutter_open,
    with_values,
)
from twinbeam.plans.moves import BACKLASH_DEG, approach
from twinbeam.plans.peak import PeakFit, fit_peak, rate_error_hz, stands_out
from twinbeam.plans.theta_scan import ThetaScan, scan_theta

__all__ = ["RockingResult", "rocking_curve"]

_LEAST_POINTS = 9


@dataclass(frozen=True)
class RockingResult:
    """A rocking curve and what a pseudo-Voigt peak on a constant says about it.

    Attributes
    ----------
    centre_deg, centre_err_deg
        Bragg angle and its standard error, in degrees.
    fwhm_mdeg, fwhm_err_mdeg
        Full width at half maximum and its standard error, in millidegrees.
    amplitude_hz, background_hz
        Height of the peak and what is under it, in counts per second.
    angles_deg, rates_hz
        The points.
    """

    centre_deg: float
    centre_err_deg: float
    fwhm_mdeg: float
    fwhm_err_mdeg: float
    amplitude_hz: float
    background_hz: float
    angles_deg: tuple[float, ...]
    rates_hz: tuple[float, ...]


@typed_signature
def rocking_curve(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    *,
    centre_deg: float,
    half_width_deg: float = 0.008,
    num: int = 41,
    count_s: float = 0.05,
    shutter: Shutter | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[RockingResult]:
    """Measure the rocking curve, fit it, and leave theta at its centre.

    Parameters
    ----------
    monitor
        Detector of the diffracted beam.
    theta
        Rotation of the crystal, in degrees.
    centre_deg
        Middle of the scan, in degrees; see `find_bragg`.
    half_width_deg
        From the middle to either end, in degrees; about 2.5 times the width of the curve.
    num
        Points.
    count_s
        Time a point, in seconds.
    shutter
        Opened for the scan and closed after it; None leaves shutters alone.
    md
        More metadata of the run.

    Returns
    -------
    RockingResult
        Centre and width with their errors, and the points.

    Raises
    ------
    BeamlineError
        If an argument is out of bounds (before anything moves), or there is no peak in the scan.
    """
    here = "rocking_curve"
    check_angle(here, "centre_deg", centre_deg, 90.0)
    check_number(here, "half_width_deg", half_width_deg, 0.0, 1.0, hint="in degrees")
    check_number(here, "num", num, _LEAST_POINTS - 1, 100_000)
    check_number(here, "count_s", count_s, 0.0, 600.0, hint="in seconds")
    low_deg, high_deg = centre_deg - half_width_deg, centre_deg + half_width_deg
    check_travel(here, theta, low_deg - BACKLASH_DEG, high_deg)
    start = {
        "plan_name": here,
        "detectors": [monitor.name],
        "motors": [theta.name],
        "num_points": num,
        "plan_args": {
            "centre_deg": centre_deg,
            "half_width_deg": half_width_deg,
            "num": num,
            "count_s": count_s,
        },
        "hints": {"dimensions": [([theta.name], "primary")]},
        **(md or {}),
    }
    results: list[RockingResult] = []

    def measure() -> MsgGenerator[None]:
        angles = np.linspace(low_deg, high_deg, num)
        scan = yield from scan_theta(monitor, theta, angles)
        fit = _fit(scan, count_s) if len(scan) else PeakFit(centre_deg, *(6 * [np.nan]))
        yield from approach(theta, fit.centre)
        results.append(
            RockingResult(
                centre_deg=fit.centre,
                centre_err_deg=fit.centre_err,
                fwhm_mdeg=1e3 * fit.fwhm,
                fwhm_err_mdeg=1e3 * fit.fwhm_err,
                amplitude_hz=fit.amplitude,
                background_hz=fit.background,
                angles_deg=tuple(scan.angles_deg.tolist()),
                rates_hz=tuple(scan.rates_hz.tolist()),
            )
        )

    run = bpp.run_wrapper(say_why(with_shutter_open(measure(), shutter)), md=start)
    yield from bpp.stage_wrapper(with_values(run, {monitor.count_time: count_s}), [monitor])
    return results[0]


def _fit(scan: ThetaScan, count_s: float) -> PeakFit:
    lowest_hz = float(np.percentile(scan.rates_hz, 10.0))
    if not stands_out(float(scan.rates_hz.max()), lowest_hz, count_s):
        raise BeamlineError(
            f"no peak between {scan.angles_deg.min():.4f} and {scan.angles_deg.max():.4f} deg:"
            f" {lowest_hz:.0f} to {scan.rates_hz.max():.0f} counts/s",
            where="rocking_curve",
            hint="is the shutter open? Otherwise find_bragg gives the right centre_deg",
        )
    return fit_peak(scan.angles_deg, scan.rates_hz, rate_error_hz(scan.rates_hz, count_s))
