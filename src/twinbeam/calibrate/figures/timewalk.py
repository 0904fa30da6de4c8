"""The delay of the smaller hit against its ToT, and both forms of the walk."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from twinbeam.calibrate.figures.style import FIT, INK, POINT, QUIET, new_figure, style
from twinbeam.calibrate.timewalk import WalkCalibration

__all__ = ["draw"]


def draw(result: WalkCalibration) -> Figure:
    """Delays with the walk of the larger hit added back, and the pulls of both fits."""
    figure = new_figure(10.0, 4.2)
    left, right = figure.subplots(1, 2)
    cells = result.cells
    best = result.best
    added = cells.late_ns + best.walk_ns(cells.large_ns, result.response)
    left.errorbar(
        cells.small_ns, added, cells.error_ns, fmt="o", ms=3, lw=0.7, color=POINT, alpha=0.6
    )
    tot = np.linspace(max(cells.small_ns.min() - 10.0, 1.0), cells.large_ns.max(), 300)
    for fit, colour in ((result.exponential, FIT), (result.pole, INK)):
        if fit is None:
            continue
        values = ", ".join(
            f"{v:.4g} ± {e:.2g}" for v, e in zip(fit.values, fit.errors, strict=True)
        )
        label = f"{fit.form}: {values}, χ²/ndf {fit.chi2:.0f}/{fit.ndf}"
        left.plot(tot, fit.walk_ns(tot, result.response), color=colour, lw=1.2, label=label)
        pull = fit.walk_ns(cells.small_ns, result.response)
        pull = (
            cells.late_ns - pull + fit.walk_ns(cells.large_ns, result.response)
        ) / cells.error_ns
        right.plot(cells.small_ns, pull, ".", color=colour, alpha=0.6, label=fit.form)
    left.legend(fontsize=7, frameon=False)
    right.axhline(0.0, color=QUIET, lw=0.8)
    right.set_ylim(-8.0, 8.0)
    style(
        left,
        f"Timewalk from {cells.used} shared photons",
        "ToT of the smaller hit [ns]",
        "delay [ns]",
    )
    style(right, "Pulls", "ToT of the smaller hit [ns]", "(data - fit) / error")
    return figure
