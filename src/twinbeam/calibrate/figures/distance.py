"""ToT along the radius and the distance that explains it."""

from __future__ import annotations

from matplotlib.figure import Figure

from twinbeam.calibrate.distance import DistanceCalibration
from twinbeam.calibrate.figures.style import FIT, INK, POINT, new_figure, style

__all__ = ["draw"]


def draw(result: DistanceCalibration) -> Figure:
    """The points with the fit; the value alone where it comes from the radii."""
    figure = new_figure(6.0, 4.2)
    axes = figure.subplots()
    if result.radius_px is not None and result.tot_ns is not None and result.fitted_ns is not None:
        axes.errorbar(
            result.radius_px, result.tot_ns, result.tot_error_ns, fmt="o", ms=4, color=POINT
        )
        label = f"fit, χ²/ndf {result.chi2:.1f}/{result.ndf}"
        axes.plot(result.radius_px, result.fitted_ns, color=FIT, lw=1.2, label=label)
        axes.legend(fontsize=8, frameon=False)
    else:
        centre, error = 1e3 * result.distance_m, 1e3 * result.error_m
        axes.errorbar([centre], [0.0], xerr=[error], fmt="o", color=POINT, capsize=4)
        axes.axvspan(
            centre - 1e3 * result.statistical_m,
            centre + 1e3 * result.statistical_m,
            color=FIT,
            alpha=0.15,
        )
        axes.set_yticks([])
        note = "bar: all errors, band: the pairs alone"
        axes.text(0.02, 0.95, note, transform=axes.transAxes, fontsize=8, color=INK)
    style(
        axes,
        f"{result.method}: {1e3 * result.distance_m:.2f} ± {1e3 * result.error_m:.2f} mm at "
        f"{1e3 * result.known.value_deg:.2f} mdeg",
        "radius [px]" if result.radius_px is not None else "distance [mm]",
        "ToT of photons of pairs [ns]" if result.radius_px is not None else "",
    )
    return figure
