"""Where the lines of the pairs meet."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from twinbeam.calibrate.centre import CentreCalibration
from twinbeam.calibrate.figures.style import FIT, POINT, new_figure, style

__all__ = ["draw"]


def draw(result: CentreCalibration) -> Figure:
    """The centre with its error ellipse, on the contrast where it was scanned."""
    figure = new_figure(5.2, 4.6)
    axes = figure.subplots()
    x, y = result.centre_px
    if result.scan is not None and result.scan_px is not None:
        half = 0.5 * float(result.scan_px[1] - result.scan_px[0])
        low, high = float(result.scan_px[0]) - half, float(result.scan_px[-1]) + half
        image = axes.imshow(
            result.scan, origin="lower", extent=(x + low, x + high, y + low, y + high)
        )
        figure.colorbar(image, ax=axes, shrink=0.8, label="A √(peak/floor)")
    sx, sy = result.errors_px
    mixed = result.correlation * sx * sy
    values, vectors = np.linalg.eigh(np.array([[sx**2, mixed], [mixed, sy**2]]))
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    for n in (1.0, 2.0):
        width, height = 2.0 * n * np.sqrt(np.maximum(values[::-1], 0.0))
        axes.add_patch(Ellipse((x, y), width, height, angle=angle, fill=False, color=FIT))
    axes.plot(x, y, "+", color=POINT, ms=10)
    if result.scan is None:
        axes.set_xlim(x - 6.0 * sx, x + 6.0 * sx)
        axes.set_ylim(y - 6.0 * sy, y + 6.0 * sy)
    style(
        axes,
        f"{result.method}: {x:.3f} ± {sx:.3f}, {y:.3f} ± {sy:.3f} px, {result.n_net:.0f} pairs",
        "x [px]",
        "y [px]",
    )
    return figure
