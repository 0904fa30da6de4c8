"""Looking at results; nothing below imports it. The page itself is in `twinbeam.view.page`."""

from twinbeam.view.figures import FIGURES, draw_overview, rebin, save_figures
from twinbeam.view.live_plot import plot
from twinbeam.view.looking import Looking, Region
from twinbeam.view.shown import Shown, shown_file, shown_result, shown_scene, shown_stored
from twinbeam.view.shown_scan import ShownScan
from twinbeam.view.sources import FixedSource, Library, LiveSource

__all__ = [
    "FIGURES",
    "FixedSource",
    "Library",
    "LiveSource",
    "Looking",
    "Region",
    "Shown",
    "ShownScan",
    "draw_overview",
    "plot",
    "rebin",
    "save_figures",
    "shown_file",
    "shown_result",
    "shown_scene",
    "shown_stored",
]
