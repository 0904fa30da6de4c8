"""Whether the Bragg angle is still where it was, and back to the detuned angle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator
from ophyd import EpicsMotor

from twinbeam.devices import IntensityMonitor
from twinbeam.errors import BeamlineError
from twinbeam.plans._guards import say_why
from twinbeam.plans.moves import note_bragg
from twinbeam.plans.report import say
from twinbeam.plans.rocking import fit_scan
from twinbeam.plans.row import write_row
from twinbeam.plans.theta_scan import scan_theta

__all__ = ["Drift", "check_bragg"]

_POINTS = 15


@dataclass(frozen=True)
class Drift:
    """One look at the Bragg angle during a run.

    Attributes
    ----------
    time_s
        When, in seconds since the epoch.
    bragg_deg, error_deg
        What was found, and its standard error, in degrees; the old angle when nothing was.
    change_mdeg
        Difference from the angle before, in millidegrees; 0 when it was not believed.
    problem
        Why it was not believed; empty when it was.
    """

    time_s: float
    bragg_deg: float
    error_deg: float
    change_mdeg: float
    problem: str = ""


def check_bragg(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    bragg_deg: float,
    *,
    half_width_deg: float,
    count_s: float,
    others: Sequence[Readable] = (),
) -> MsgGenerator[Drift]:
    """Measure a short rocking curve in the open run, stream `bragg`, and judge it.

    Theta is left at the end of the scan. The verdict is written into the stream `drift`. A curve
    that cannot be trusted changes nothing, nor does one that cannot be measured since a device
    fails: the run is worth more than a correction.
    """
    look = _look(
        monitor, theta, bragg_deg, half_width_deg=half_width_deg, count_s=count_s, others=others
    )
    try:
        return (yield from say_why(look))
    except BeamlineError as error:
        say(f"  Bragg angle not corrected: {error}")
        return Drift(time.time(), bragg_deg, np.nan, 0.0, error.what)


def _look(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    bragg_deg: float,
    *,
    half_width_deg: float,
    count_s: float,
    others: Sequence[Readable],
) -> MsgGenerator[Drift]:
    angles_deg = bragg_deg + np.linspace(-half_width_deg, half_width_deg, _POINTS)
    scan = yield from scan_theta(monitor, theta, angles_deg, others=others, stream="bragg")
    found = Drift(time.time(), bragg_deg, np.nan, 0.0, "no points")
    if len(scan):
        try:
            fit = fit_scan(scan, count_s, where="check_bragg")
        except BeamlineError as error:
            found = Drift(time.time(), bragg_deg, np.nan, 0.0, error.what)
        else:
            best = fit.best
            if fit.doubts:
                found = Drift(time.time(), bragg_deg, np.nan, 0.0, "; ".join(fit.doubts))
            else:
                change_mdeg = 1e3 * (best.centre_deg - bragg_deg)
                found = Drift(time.time(), best.centre_deg, best.centre_err_deg, change_mdeg)
                yield from note_bragg(theta, best.centre_deg)
        yield from write_row(
            "drift",
            {
                "bragg_deg": found.bragg_deg,
                "error_deg": found.error_deg,
                "change_mdeg": found.change_mdeg,
                "problem": found.problem,
            },
        )
        say(
            f"  Bragg angle not corrected: {found.problem}"
            if found.problem
            else f"  Bragg angle {found.bragg_deg:.5f} deg, moved by {found.change_mdeg:+.3f} mdeg"
        )
    return found
