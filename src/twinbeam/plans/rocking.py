"""Measurement of the rocking curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import bluesky.plan_stubs as bps
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
    check_whole,
    say_why,
    with_shutter_open,
    with_values,
)
from twinbeam.plans.moves import BACKLASH_DEG, approach, note_bragg
from twinbeam.plans.peak import rate_error_hz, stands_out
from twinbeam.plans.report import report, say, with_error
from twinbeam.plans.rocking_fit import INSTRUMENT_MDEG, RockingFit, fit_rocking_curve
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document
from twinbeam.plans.theta_scan import ThetaScan, scan_theta

__all__ = ["RockingResult", "fit_scan", "rocking_curve"]

_LEAST_POINTS = 9


@dataclass(frozen=True)
class RockingResult:
    """A rocking curve and what its best model says about it.

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
    fit
        All models; None without a RunEngine.
    moved
        Whether theta stands at the centre; otherwise it is where it was before.
    """

    centre_deg: float
    centre_err_deg: float
    fwhm_mdeg: float
    fwhm_err_mdeg: float
    amplitude_hz: float
    background_hz: float
    angles_deg: tuple[float, ...]
    rates_hz: tuple[float, ...]
    fit: RockingFit | None = None
    moved: bool = True

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the centre should not be trusted; empty when it can be."""
        return self.fit.doubts if self.fit is not None else ()

    def __str__(self) -> str:
        if self.fit is None:
            return "Rocking curve: no points."
        fit = self.fit
        where = "theta stands at the centre" if self.moved else "theta is where it was before"
        return report(
            f"Rocking curve; {where}.",
            [
                ("centre", with_error(self.centre_deg, self.centre_err_deg, "deg")),
                ("width (FWHM)", with_error(self.fwhm_mdeg, self.fwhm_err_mdeg, "mdeg")),
                ("mosaic spread", with_error(fit.mosaic_mdeg, fit.mosaic_err_mdeg, "mdeg")),
                ("asymmetry", with_error(fit.asymmetry, fit.asymmetry_err)),
                ("height", f"{self.amplitude_hz:.4g} /s over {self.background_hz:.3g} /s"),
                ("model", f"{fit.best.name}, chi2/ndf {fit.best.chi2 / fit.best.ndf:.2f}"),
                ("beware", "; ".join(fit.doubts)),
            ],
        )


@typed_signature
def rocking_curve(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    *,
    centre_deg: float,
    half_width_deg: float = 0.008,
    num: int = 41,
    count_s: float = 0.05,
    instrument_mdeg: float = INSTRUMENT_MDEG,
    move: bool = True,
    shutter: Shutter | None = None,
    recipe_md: Mapping[str, Any] | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[RockingResult]:
    """Measure the rocking curve, fit it, and leave theta at its centre if that can be trusted.

    The curve is fitted with the physical model (Darwin profile and Gaussian) and with plain ones.
    Theta moves to the centre if the fit leaves no doubts: maximum inside the scan, width resolved,
    models that agree. Otherwise it goes back to where it was, and the result says why.

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
    instrument_mdeg
        Width (FWHM) in millidegrees that bandpass and divergence add to the mosaic spread.
    move
        Whether theta may move to the centre.
    shutter
        Opened for the scan and closed after it; None leaves shutters alone.
    recipe_md
        Plain values of the recipe that the run tells; the default recipe when left out.
    md
        More metadata of the run.

    Returns
    -------
    RockingResult
        Centre, width, mosaic spread and asymmetry with their errors, and the points.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds (before anything moves), or there is no peak in the scan.
    """
    here = "rocking_curve"
    check_angle(here, "centre_deg", centre_deg, 90.0)
    check_number(here, "half_width_deg", half_width_deg, 0.0, 1.0, hint="in degrees")
    check_whole(here, "num", num, _LEAST_POINTS, 100_000)
    check_number(here, "count_s", count_s, 0.0, 600.0, hint="in seconds")
    check_number(here, "instrument_mdeg", instrument_mdeg, -1e-9, 100.0, hint="in millidegrees")
    low_deg, high_deg = centre_deg - half_width_deg, centre_deg + half_width_deg
    check_travel(here, theta, low_deg - BACKLASH_DEG, high_deg)
    recipe = recipe_of(recipe_md, here)
    arguments = {
        "centre_deg": centre_deg,
        "half_width_deg": half_width_deg,
        "num": num,
        "count_s": count_s,
        "instrument_mdeg": instrument_mdeg,
    }
    start = start_document(
        here,
        arguments,
        detectors=[monitor],
        motors=[theta],
        dimensions=[theta.name],
        md={**recipe_metadata(recipe), **(md or {})},
        num_points=num,
    )
    results: list[RockingResult] = []

    def measure() -> MsgGenerator[None]:
        origin_deg = yield from bps.rd(theta, default_value=centre_deg)
        scan = yield from scan_theta(monitor, theta, np.linspace(low_deg, high_deg, num))
        if not len(scan):  # a summary
            yield from approach(theta, centre_deg)
            results.append(RockingResult(centre_deg, nan, nan, nan, nan, nan, (), ()))
            return
        try:
            result = _result(scan, count_s, instrument_mdeg)
        except BeamlineError:
            yield from bps.mv(theta, origin_deg)
            raise
        if not result.doubts:
            yield from note_bragg(theta, result.centre_deg)
        sure = move and not result.doubts
        yield from approach(theta, result.centre_deg if sure else origin_deg)
        results.append(replace(result, moved=sure))

    run = bpp.run_wrapper(say_why(with_shutter_open(measure(), shutter)), md=start)
    yield from bpp.stage_wrapper(with_values(run, {monitor.count_time: count_s}), [monitor])
    if results[0].fit is not None:
        say(results[0])
    return results[0]


def _result(scan: ThetaScan, count_s: float, instrument_mdeg: float) -> RockingResult:
    fit = fit_scan(scan, count_s, instrument_mdeg=instrument_mdeg, where="rocking_curve")
    best = fit.best
    return RockingResult(
        centre_deg=best.centre_deg,
        centre_err_deg=best.centre_err_deg,
        fwhm_mdeg=best.fwhm_mdeg,
        fwhm_err_mdeg=best.fwhm_err_mdeg,
        amplitude_hz=best.amplitude_hz,
        background_hz=best.background_hz,
        angles_deg=tuple(scan.angles_deg.tolist()),
        rates_hz=tuple(scan.rates_hz.tolist()),
        fit=fit,
    )


def fit_scan(
    scan: ThetaScan, count_s: float, *, instrument_mdeg: float = INSTRUMENT_MDEG, where: str
) -> RockingFit:
    """Fit the points of a scan, if there is a peak among them.

    Raises
    ------
    BeamlineError
        If nothing stands out, or no model fits; `where` is named.
    """
    lowest_hz = float(np.percentile(scan.rates_hz, 10.0))
    if not stands_out(float(scan.rates_hz.max()), lowest_hz, count_s):
        low_deg, high_deg = scan.range_deg
        raise BeamlineError(
            f"no peak between {low_deg:.4f} and {high_deg:.4f} deg:"
            f" {lowest_hz:.0f} to {scan.rates_hz.max():.0f} counts/s",
            where=where,
            hint="is the shutter open? Otherwise find_bragg gives the right centre_deg",
        )
    errors_hz = rate_error_hz(scan.rates_hz, count_s)
    return fit_rocking_curve(
        scan.angles_deg, scan.rates_hz, errors_hz, instrument_mdeg=instrument_mdeg
    )
