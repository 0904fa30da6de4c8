"""The energy scale of the pixels as a map and a histogram."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from twinbeam.calibrate.figures.style import FIT, POINT, new_figure, style
from twinbeam.calibrate.pixel_energy import PixelEnergyCalibration

__all__ = ["draw"]


def draw(result: PixelEnergyCalibration) -> Figure:
    """Scale of every pixel, the distribution of scales and of their errors."""
    figure = new_figure(10.0, 4.2)
    left, right = figure.subplots(1, 2)
    reach = max(3.0 * result.spread, 0.01)
    image = left.imshow(
        result.scale, origin="lower", cmap="RdBu_r", vmin=1.0 - reach, vmax=1.0 + reach
    )
    figure.colorbar(image, ax=left, shrink=0.8)
    style(left, "Energy scale of the pixels", "x [px]", "y [px]")
    seen = result.n > 0
    bins = np.linspace(-2.0 * reach, 2.0 * reach, 121)
    right.hist(result.scale[seen] - 1.0, bins, histtype="step", color=POINT, label="scale - 1")
    right.hist(result.error[seen], bins, histtype="step", color=FIT, label="error")
    right.set_yscale("symlog")
    right.legend(fontsize=8, frameon=False)
    style(
        right,
        f"spread {result.spread:.3f}; all hits {result.before:.3f} → {result.after:.3f}",
        "share of the energy",
        "pixels",
    )
    return figure
