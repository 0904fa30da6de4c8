"""Looking at results; nothing below imports it."""

from twinbeam.view.figures import FIGURES, draw_overview, rebin, save_figures

__all__ = ["FIGURES", "draw_overview", "rebin", "save_figures"]
