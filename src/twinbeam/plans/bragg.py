"""Search for the Bragg angle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
from bluesky.utils import MsgGenerator
from ophyd import EpicsMotor
from ophyd.utils import DisconnectedError

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
from twinbeam.plans.moves import BACKLASH_DEG, approach, note_bragg
from twinbeam.plans.peak import (
    PeakFit,
    fit_peak,
    half_maximum_width,
    rate_error_hz,
    stands_out,
)
from twinbeam.plans.report import report, say, with_error
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document
from twinbeam.plans.theta_scan import ThetaScan, scan_theta, steps_deg

__all__ = ["BraggResult", "find_bragg"]

# At worst the peak lies half a coarse step beside a point, at 3/4 of its height.
_COARSE_STEP_FWHM = 2.0 / 3.0
_FINE_STEP_FWHM = 1.0 / 8.0
_GOOD_STEP_FWHM = 1.0 / 6.0
_HALF_WINDOW_FWHM = 1.5
_MOST_SCANS = 8
_MOST_POINTS = 20_000
# What is found must come back: so much of the fitted height, when theta stands there.
_LEAST_RETURN = 0.8
_MOST_RETURN = 1.25
_MOST_TIMES_WIDER = 6.0
_SLACK_SIGMAS = 4.0


@dataclass(frozen=True)
class BraggResult:
    """Where the crystal diffracts.

    Attributes
    ----------
    angle_deg, angle_err_deg
        Angle of the maximum and its standard error, in degrees.
    fwhm_mdeg
        Width of the curve in millidegrees, from the finest scan.
    intensity_hz
        Counts per second with theta at `angle_deg`, where it is left.
    background_hz
        Counts per second away from the peak.
    points
        Points measured in all scans.
    scans
        Number of scans.
    searched_deg
        Whole range that was searched, in degrees.
    """

    angle_deg: float
    angle_err_deg: float
    fwhm_mdeg: float
    intensity_hz: float
    background_hz: float
    points: int
    scans: int
    searched_deg: float = 0.0

    def __str__(self) -> str:
        return report(
            "Bragg angle found; theta stands there.",
            [
                ("angle", with_error(self.angle_deg, self.angle_err_deg, "deg")),
                ("width (FWHM)", f"{self.fwhm_mdeg:.2f} mdeg"),
                ("intensity", f"{self.intensity_hz:.4g} /s over {self.background_hz:.4g} /s"),
                ("searched", f"{self.searched_deg:g} deg with {self.points} points"),
                (
                    "next",
                    f"rocking_curve(monitor, theta, centre_deg={self.angle_deg:.5f},"
                    " shutter=shutter)",
                ),
            ],
        )


@typed_signature
def find_bragg(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    *,
    centre_deg: float = 11.576,
    span_deg: float = 0.2,
    widest_deg: float = 0.8,
    fwhm_mdeg: float = 3.0,
    count_s: float = 0.02,
    shutter: Shutter | None = None,
    recipe_md: Mapping[str, Any] | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[BraggResult]:
    """Find the Bragg angle and leave theta there.

    A coarse scan over `span_deg`, in steps of two thirds of the expected width, finds the peak; if
    nothing stands out of the background, the search goes on outwards on both sides up to
    `widest_deg`. Finer scans around the maximum follow until the step is less than a sixth of the
    width that is measured. In the end theta comes back to the maximum and the intensity must be
    the one that was fitted. If no such peak is found, theta goes back to where it was and the error
    says what was seen.

    Parameters
    ----------
    monitor
        Detector of the diffracted beam.
    theta
        Rotation of the crystal, in degrees.
    centre_deg
        Middle of the search, in degrees.
    span_deg
        Whole range that is searched first, in degrees.
    widest_deg
        Whole range that is searched if nothing is seen there, in degrees; less than twice
        `span_deg` for no wider search. It is cut at the motor's limits.
    fwhm_mdeg
        Expected width of the rocking curve, in millidegrees. A curve less than half as wide may
        be missed; a wider one only costs time.
    count_s
        Time a point, in seconds.
    shutter
        Opened for the search and closed after it; None leaves shutters alone.
    recipe_md
        Plain values of the recipe that the run tells; the default recipe when left out.
    md
        More metadata of the run.

    Returns
    -------
    BraggResult
        The angle, its error, and what was measured on the way.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds (before anything moves), or no peak is found.
    """
    here = "find_bragg"
    check_angle(here, "centre_deg", centre_deg, 90.0)
    check_number(here, "span_deg", span_deg, 0.0, 10.0, hint="in degrees")
    check_number(here, "fwhm_mdeg", fwhm_mdeg, 0.0, 1000.0, hint="in millidegrees")
    check_number(here, "count_s", count_s, 0.0, 600.0, hint="in seconds")
    check_number(here, "widest_deg", widest_deg, -1e-9, 20.0, hint="in degrees")
    steps = max(span_deg, widest_deg) / (1e-3 * _COARSE_STEP_FWHM * fwhm_mdeg)
    if steps > _MOST_POINTS:
        raise BeamlineError(
            f"the search would have {steps:.0f} points, {_MOST_POINTS} are the most",
            where=here,
            hint="span_deg and widest_deg are in degrees, fwhm_mdeg in millidegrees",
        )
    margin_deg = BACKLASH_DEG + 2.0 * _HALF_WINDOW_FWHM * 1e-3 * fwhm_mdeg
    low_deg, high_deg = centre_deg - span_deg / 2.0, centre_deg + span_deg / 2.0
    check_travel(here, theta, low_deg - margin_deg, high_deg + margin_deg)
    recipe = recipe_of(recipe_md, here)
    start = start_document(
        here,
        {
            "centre_deg": centre_deg,
            "span_deg": span_deg,
            "widest_deg": widest_deg,
            "fwhm_mdeg": fwhm_mdeg,
            "count_s": count_s,
        },
        detectors=[monitor],
        motors=[theta],
        dimensions=[theta.name],
        md={**recipe_metadata(recipe), **(md or {})},
    )
    rings = list(_rings(theta, centre_deg, span_deg, widest_deg, margin_deg))
    results: list[BraggResult] = []

    def search() -> MsgGenerator[None]:
        origin_deg = yield from bps.rd(theta, default_value=centre_deg)
        try:
            found = yield from _search(monitor, theta, rings, fwhm_mdeg, count_s)
        except BeamlineError:
            yield from bps.mv(theta, origin_deg)
            raise
        results.append(found)
        if found.points:
            yield from note_bragg(theta, found.angle_deg)

    run = bpp.run_wrapper(say_why(with_shutter_open(search(), shutter)), md=start)
    yield from bpp.stage_wrapper(with_values(run, {monitor.count_time: count_s}), [monitor])
    if results[0].points:
        say(results[0])
    return results[0]


def _rings(
    theta: EpicsMotor, centre_deg: float, span_deg: float, widest_deg: float, margin_deg: float
) -> Iterator[list[tuple[float, float]]]:
    """Middle and half width of what is scanned first, and of what follows if nothing is seen."""
    half_deg = span_deg / 2.0
    yield [(centre_deg, half_deg)]
    try:
        low_deg, high_deg = theta.limits
    except (AttributeError, DisconnectedError):
        low_deg = high_deg = 0.0
    if low_deg >= high_deg:
        low_deg, high_deg = -90.0, 90.0
    low_deg, high_deg = low_deg + margin_deg, high_deg - margin_deg
    while half_deg < widest_deg / 2.0 - 1e-9:
        wider_deg = min(2.0 * half_deg, widest_deg / 2.0)
        sides = (
            (max(centre_deg - wider_deg, low_deg), centre_deg - half_deg),
            (centre_deg + half_deg, min(centre_deg + wider_deg, high_deg)),
        )
        half_deg = wider_deg
        pieces = [((a + b) / 2.0, (b - a) / 2.0) for a, b in sides if b - a > 1e-6]
        if not pieces:
            return
        yield pieces


def _search(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    rings: list[list[tuple[float, float]]],
    fwhm_mdeg: float,
    count_s: float,
) -> MsgGenerator[BraggResult]:
    centre_deg = rings[0][0][0]
    step_deg = _COARSE_STEP_FWHM * 1e-3 * fwhm_mdeg
    scan = ThetaScan.empty()
    points = scans = 0
    for ring in rings:
        here = ThetaScan.empty()
        for middle_deg, half_deg in ring:
            here += yield from scan_theta(monitor, theta, steps_deg(middle_deg, half_deg, step_deg))
            scans += 1
        scan, points = scan + here, points + len(here)
        if not len(here) or _stands_out(scan, count_s):
            break
    low_deg, high_deg = scan.range_deg
    searched_deg = high_deg - low_deg
    background_hz = scan.background_hz
    first, coarse_scans = True, scans
    while True:
        top_deg, width_deg, at_edge = _summit(scan, centre_deg, 1e-3 * fwhm_mdeg, background_hz,
                                              count_s, first=first)  # fmt: skip
        if step_deg < _GOOD_STEP_FWHM * width_deg and not at_edge:
            break
        if scans - coarse_scans == _MOST_SCANS:
            raise BeamlineError(
                f"the maximum near {top_deg:.5f} deg is not a peak: {scans} scans did not get to"
                " its top",
                where="find_bragg",
                hint="look at the scans of this run; the beam may be unstable",
            )
        width_deg = max(width_deg, step_deg)
        step_deg = min(step_deg / 3.0, _FINE_STEP_FWHM * width_deg) if not at_edge else step_deg
        window_deg = _HALF_WINDOW_FWHM * width_deg
        scan = yield from scan_theta(monitor, theta, steps_deg(top_deg, window_deg, step_deg))
        points, scans, first = points + len(scan), scans + 1, False
    if not len(scan):
        yield from approach(theta, centre_deg)
        return BraggResult(centre_deg, np.nan, np.nan, np.nan, np.nan, 0, scans)
    fit = fit_peak(scan.angles_deg, scan.rates_hz, rate_error_hz(scan.rates_hz, count_s))
    yield from approach(theta, fit.centre)
    reading = yield from bps.trigger_and_read([monitor, theta])
    yield from bps.checkpoint()  # a pause while the shutter closes does not count again
    intensity_hz = float(reading[monitor.intensity.name]["value"])
    _believe(fit, intensity_hz, fwhm_mdeg, count_s)
    return BraggResult(
        angle_deg=fit.centre,
        angle_err_deg=fit.centre_err,
        fwhm_mdeg=1e3 * fit.fwhm,
        intensity_hz=intensity_hz,
        background_hz=background_hz,
        points=points + 1,
        scans=scans,
        searched_deg=searched_deg,
    )


def _stands_out(scan: ThetaScan, count_s: float) -> bool:
    return stands_out(float(scan.rates_hz.max()), scan.background_hz, count_s)


def _believe(fit: PeakFit, intensity_hz: float, fwhm_mdeg: float, count_s: float) -> None:
    """Make sure that what was fitted is there, and looks like a rocking curve."""
    expected_hz = fit.amplitude + fit.background
    slack_hz = _SLACK_SIGMAS * float(rate_error_hz(expected_hz, count_s))
    low_hz = _LEAST_RETURN * expected_hz - slack_hz
    if not low_hz <= intensity_hz <= _MOST_RETURN * expected_hz + slack_hz:
        raise BeamlineError(
            f"{intensity_hz:.0f} counts/s with theta back at the maximum of {fit.centre:.5f} deg,"
            f" where the scan had {expected_hz:.0f}",
            where="find_bragg",
            hint="the beam or the goniometer is unstable; look at the ring current, then try again",
        )
    if 1e3 * fit.fwhm > _MOST_TIMES_WIDER * fwhm_mdeg:
        raise BeamlineError(
            f"the peak at {fit.centre:.5f} deg is {1e3 * fit.fwhm:.1f} mdeg wide,"
            f" {fwhm_mdeg:g} are expected",
            where="find_bragg",
            hint="it may be scattering from something else; if not, say so by fwhm_mdeg",
        )
    if not fit.centre_err < 0.25 * fit.fwhm:
        raise BeamlineError(
            f"the angle is known to {1e3 * fit.centre_err:.2f} mdeg only",
            where="find_bragg",
            hint="count longer: count_s",
        )


def _summit(
    scan: ThetaScan,
    centre_deg: float,
    expected_deg: float,
    background_hz: float,
    count_s: float,
    *,
    first: bool,
) -> tuple[float, float, bool]:
    """Angle and width of the highest peak, in degrees, and whether it is at the scan's edge."""
    if not len(scan):  # a summary: nothing is measured, so suppose it is where it should be
        return centre_deg, expected_deg, False
    top = int(np.argmax(scan.rates_hz))
    top_hz = float(scan.rates_hz[top])
    if not stands_out(top_hz, background_hz, count_s):
        low, high = scan.angles_deg.min(), scan.angles_deg.max()
        what = (
            f"nothing stands out from the background of {background_hz:.0f} counts/s between"
            f" {low:.4f} and {high:.4f} deg (highest {top_hz:.0f})"
            if first
            else f"the maximum between {low:.4f} and {high:.4f} deg was not there when looked at"
            " again"
        )
        raise BeamlineError(
            what,
            where="find_bragg",
            hint="is the shutter open and the beam on the crystal? Then try a larger widest_deg,"
            " another centre_deg or a longer count_s",
        )
    width_deg = half_maximum_width(scan.angles_deg, scan.rates_hz, background_hz)
    return float(scan.angles_deg[top]), width_deg, top in (0, len(scan) - 1)
