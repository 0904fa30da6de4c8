"""ToT peaks and the response curve through them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from twinbeam.calibrate.energy import EnergyCalibration
from twinbeam.calibrate.figures.style import FIT, INK, POINT, new_figure, style
from twinbeam.calibrate.pair_energy import PairEnergyCalibration

__all__ = ["draw"]


def draw(result: EnergyCalibration | PairEnergyCalibration) -> Figure:
    """The peaks with their fits, and ToT against energy with the band of the curve's error."""
    figure = new_figure(10.0, 4.2)
    left, right = figure.subplots(1, 2)
    for energy, peak in zip(result.energies_kev, result.peaks, strict=True):
        height = max(float(peak.histogram.max()), 1.0)
        middle = 0.5 * (peak.edges_ns[1:] + peak.edges_ns[:-1])
        left.stairs(peak.histogram / height, peak.edges_ns, color=POINT, alpha=0.6)
        left.plot(middle, peak.fitted / height, color=FIT, lw=1.0)
        left.annotate(f"{energy:g}", (peak.tot_ns, 1.02), fontsize=7, color=INK, ha="center")
    style(left, "Single hits by energy in keV", "ToT [ns]", "share of the largest bin")
    curve = result.curve
    range_kev = np.linspace(min(result.energies_kev) - 1.0, max(result.energies_kev) + 1.0, 200)
    tot, error = curve.tot_ns(range_kev), curve.tot_error_ns(range_kev)
    right.fill_between(range_kev, tot - error, tot + error, color=FIT, alpha=0.2, lw=0)
    values = ", ".join(
        f"{n} = {v:.4g} ± {e:.2g}"
        for n, v, e in zip("abct", curve.values, curve.errors, strict=True)
    )
    right.plot(range_kev, tot, color=FIT, lw=1.2, label=values)
    right.errorbar(
        result.energies_kev,
        [p.tot_ns for p in result.peaks],
        [p.error_ns for p in result.peaks],
        fmt="o",
        ms=4,
        color=POINT,
    )
    right.legend(fontsize=7, frameon=False)
    style(right, f"χ²/ndf {curve.chi2:.1f}/{curve.ndf}", "energy [keV]", "ToT [ns]")
    return figure
