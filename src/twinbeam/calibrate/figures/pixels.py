"""Bad pixels on the map of hits, and ToT ceilings."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from twinbeam.calibrate.ceilings import CeilingCalibration
from twinbeam.calibrate.figures.style import FIT, POINT, QUIET, new_figure, style
from twinbeam.calibrate.pixels import PixelCalibration, PixelReason

__all__ = ["draw"]


def draw(result: PixelCalibration | CeilingCalibration) -> Figure:
    """Hits and bad pixels, or the ceilings."""
    if isinstance(result, CeilingCalibration):
        return _draw_ceilings(result)
    figure = new_figure(10.0, 4.2)
    left, right = figure.subplots(1, 2)
    top = max(float(np.percentile(result.expected, 99.5)), 1.0)
    left.imshow(result.counts, origin="lower", cmap="gray", vmax=1.5 * top)
    for reason, colour in ((PixelReason.HOT, POINT), (PixelReason.DEAD, FIT)):
        y, x = np.nonzero(result.reason == reason)
        left.plot(x, y, "o", ms=4, mfc="none", mec=colour, label=f"{x.size} {reason.name.lower()}")
    left.legend(fontsize=8, loc="upper right")
    style(left, "Hits per pixel", "x [px]", "y [px]")
    for reason, colour in (
        (PixelReason.GOOD, QUIET),
        (PixelReason.HOT, POINT),
        (PixelReason.DEAD, FIT),
    ):
        chosen = result.reason == reason
        right.loglog(
            result.expected[chosen] + 0.1, result.counts[chosen] + 0.1, ".", ms=2, color=colour
        )
    style(
        right,
        f"at most {result.false_positives:g} false, {result.n_untestable} pixels untestable",
        "hits expected from the neighbours",
        "hits",
    )
    return figure


def _draw_ceilings(result: CeilingCalibration) -> Figure:
    figure = new_figure(10.0, 4.2)
    left, right = figure.subplots(1, 2)
    low, high = np.percentile(result.ceiling_ns, [1.0, 99.0])
    image = left.imshow(result.ceiling_ns, origin="lower", vmin=low, vmax=high)
    figure.colorbar(image, ax=left, shrink=0.8, label="ns")
    style(left, f"ToT that {1.0 - result.quantile:.0%} exceed", "x [px]", "y [px]")
    right.hist(result.ceiling_ns.ravel(), 120, histtype="step", color=POINT, label="ceiling")
    right.legend(fontsize=8, frameon=False)
    style(right, f"spread {result.spread_ns:.1f} ns", "ToT [ns]", "pixels")
    return figure
