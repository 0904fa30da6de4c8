"""The steps between double columns, chip by chip."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from twinbeam.calibrate.columns import ColumnCalibration
from twinbeam.calibrate.figures.style import FIT, POINT, QUIET, new_figure, style

__all__ = ["draw"]


def draw(result: ColumnCalibration) -> Figure:
    """Measured steps with errors, and the offsets that explain them."""
    figure = new_figure(10.0, 8.0)
    offsets = result.offsets_ticks()
    marked = {(s.chip, s.border) for s in result.significant_steps()}
    rows = figure.subplots(result.step.shape[0], 1, sharex=True, squeeze=False)
    for chip, axes in enumerate(rows[:, 0]):
        border = np.arange(result.step.shape[1])
        seen = np.isfinite(result.step[chip]) & (result.n[chip] >= 3)
        chosen = np.array([(chip, int(b)) in marked for b in border])
        for which, colour, alpha in ((seen & ~chosen, QUIET, 0.8), (seen & chosen, POINT, 1.0)):
            axes.errorbar(
                border[which] + 0.5,
                result.step[chip][which],
                result.error[chip][which],
                fmt="o",
                ms=3,
                lw=0.8,
                color=colour,
                alpha=alpha,
            )
        axes.step(np.arange(offsets.shape[1]), offsets[chip], where="mid", color=FIT, lw=1.2)
        found = ", ".join(
            f"{r.first}–{r.last}: {r.ticks:+.1f} ± {r.error:.1f}"
            for r in result.ranges
            if r.chip == chip
        )
        style(axes, f"chip {chip}   late columns: {found or 'none'}", "", "ticks")
        axes.set_ylim(-30.0, 30.0)
    axes.set_xlabel("double column (points: step at a border, line: offset)", fontsize=9)
    figure.suptitle(
        f"{result.n_used} neighbouring hits across borders, noise {result.noise_ticks:.1f} ticks; "
        f"16-phase borders {result.phase_step:+.2f} ± {result.phase_error:.2f}, "
        f"others {result.other_step:+.2f} ± {result.other_error:.2f} ticks",
        fontsize=9,
    )
    return figure
