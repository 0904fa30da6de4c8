"""The curve of a scan as a chart: of a run that scans, or of the runs of a detuning scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.live.showcase import Moment
from twinbeam.view.curve import Axes, Peak, peak_of
from twinbeam.view.shown import Shown
from twinbeam.view.shown_scan import ShownScan

__all__ = ["DETUNING", "scan_axes", "scan_chart", "scan_peak", "scan_points"]

Point = tuple[float, float, float]

#: Axes of a detuning scan whose steps are runs of their own.
DETUNING = Axes("detuning", "pairs", "detuning  [mdeg]", "pairs per second")


def scan_axes(shown: Shown | ShownScan) -> Axes | None:
    """What is scanned against what; None when there is no scan."""
    if isinstance(shown, Shown) and shown.steps:
        return DETUNING
    return shown.story.axes if shown.story is not None else None


def scan_points(shown: Shown | ShownScan) -> Sequence[Point]:
    """x, y and standard error of y of the points there are; empty without a scan."""
    if isinstance(shown, Shown) and shown.steps:
        past = [_point(step.detuning_deg, step.moment) for step in shown.steps]
        now = shown.moments[-1:] or ()
        detuning_deg = float(shown.result.recipe.geometry.detuning_deg)
        return [*past, *(_point(detuning_deg, moment) for moment in now)]
    return shown.story.points if shown.story is not None else ()


def _point(detuning_deg: float, moment: Moment) -> Point:
    seconds = moment.seconds if moment.seconds > 0.0 else np.nan
    return 1e3 * detuning_deg, moment.net / seconds, moment.net_err / seconds


def scan_peak(shown: Shown | ShownScan) -> Peak | None:
    """The peak in a scan of an angle; None where none stands out."""
    if isinstance(shown, Shown) and shown.steps:
        return None
    axes = scan_axes(shown)
    if axes is None or axes.per or shown.story is None:
        return None
    return peak_of(shown.story.points)


def scan_chart(shown: Shown | ShownScan) -> dict[str, dict[str, NDArray[Any]]]:
    """Points with their errors, and the fitted peak; empty when the run is no scan."""
    points = scan_points(shown)
    if scan_axes(shown) is None or not points:
        return {}
    x, y, error = np.array(sorted(points), dtype=np.float64).T
    error = np.nan_to_num(error)
    chart = {"points": {"x": x, "y": y, "low": y - error, "high": y + error}}
    peak = scan_peak(shown)
    if peak is not None:
        chart["fit"] = {"x": peak.x, "y": peak.y}
    return chart
