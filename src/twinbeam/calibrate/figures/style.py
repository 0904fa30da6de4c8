"""How figures of calibrations look."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["FIT", "INK", "POINT", "QUIET", "new_figure", "style"]

INK = "#1b2a41"
POINT = "#c2410c"
FIT = "#1d4ed8"
QUIET = "#94a3b8"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), dpi=130, layout="constrained", facecolor="white")


def style(axes: Axes, title: str, x: str, y: str) -> None:
    """Title and labels of a plot."""
    axes.set_title(title, loc="left", fontsize=10, color=INK, fontweight="bold")
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    for side in axes.spines.values():
        side.set_color(QUIET)
