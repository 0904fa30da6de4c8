"""The histogram of the pair detuning and its fit."""

from __future__ import annotations

from matplotlib.figure import Figure

from twinbeam.calibrate.detuning import DetuningCalibration
from twinbeam.calibrate.figures.style import FIT, POINT, QUIET, new_figure, style

__all__ = ["draw"]


def draw(result: DetuningCalibration) -> Figure:
    """Prompt pairs, accidentals and the fitted sum."""
    figure = new_figure(6.0, 4.2)
    axes = figure.subplots()
    edges = 1e3 * result.edges_deg
    axes.stairs(result.prompt, edges, fill=True, color=POINT, alpha=0.7, label="prompt")
    axes.stairs(result.accidental, edges, color=QUIET, lw=1.4, label="accidentals")
    label = f"fit, χ²/ndf {result.chi2:.0f}/{result.ndf}"
    axes.plot(0.5 * (edges[1:] + edges[:-1]), result.fitted, color=FIT, lw=1.2, label=label)
    axes.legend(fontsize=8, frameon=False)
    style(
        axes,
        f"{1e3 * result.detuning_deg:.3f} ± {1e3 * result.error_deg:.3f} mdeg, "
        f"σ {1e3 * result.sigma_deg:.3f} ± {1e3 * result.sigma_error_deg:.3f} mdeg",
        "pair detuning [mdeg]",
        "pairs per bin",
    )
    return figure
