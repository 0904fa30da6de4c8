"""A result as pictures: the Δt histogram, the coincidence map, the twin images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs import OPPOSITE
from twinbeam.physics import ring_radius_px
from twinbeam.pipeline import Result, check_result, dt_fit

__all__ = ["FIGURES", "OVERVIEW_INCHES", "draw_overview", "rebin", "save_figures"]

#: File names `save_figures` writes, without the folder.
FIGURES = ("dt_histogram.png", "coincidence_map.png", "twin_images.png", "overview.png")

#: Width and height of the overview.
OVERVIEW_INCHES = (12.5, 7.4)

_CELL_PX = 6  # images are shown in squares of about this many pixels a side
_INK = "#1b2a41"
_PROMPT = "#c2410c"
_FLOOR = "#475569"
_CMAP = "magma"


def rebin(image: NDArray[Any], size: int) -> NDArray[Any]:
    """Sum blocks of `size` × `size` pixels; a border that does not fill a block is padded."""
    pad = [(0, -n % size) for n in image.shape]
    padded = np.pad(image, pad)
    rows, columns = (n // size for n in padded.shape)
    return padded.reshape(rows, size, columns, size).sum(axis=(1, 3))


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=130, layout="constrained", facecolor="white")


def _style(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=_INK, fontweight="bold")
    axes.tick_params(labelsize=9, colors=_INK)
    for side in axes.spines.values():
        side.set_color("#94a3b8")


def _draw_dt(axes: Any, result: Result) -> None:
    edges = result.axes.dt_ns
    mid = 0.5 * (edges[1:] + edges[:-1])
    floor = result.arrays["dt_accidental"] / result.estimate.replicas
    axes.stairs(result.arrays["dt"], edges, fill=True, color=_PROMPT, alpha=0.85, label="prompt")
    axes.stairs(floor, edges, color=_FLOOR, lw=1.4, label="accidentals (whole turns)")
    fit = dt_fit(result)
    if fit is not None:
        x = np.linspace(edges[0], edges[-1], 600)
        y = fit.amplitude * np.exp(-0.5 * ((x - fit.centre) / fit.sigma) ** 2)
        axes.plot(
            x,
            y + np.interp(x, mid, floor),
            color=_INK,
            lw=1.1,
            label=f"fit, σ = {fit.sigma:.1f} ns",
        )
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Δt = t(idler) - t(signal)  [ns]", fontsize=9, color=_INK)
    axes.set_ylabel(f"pairs per {edges[1] - edges[0]:.2f} ns", fontsize=9, color=_INK)
    axes.legend(fontsize=8, frameon=False)
    _style(axes, "Time difference")


def _draw_map(figure: Any, axes: Any, result: Result, name: str, title: str, view: Any) -> None:
    geometry = result.recipe.geometry
    side = result.axes.side_px
    edges = result.axes.image_px
    bins = max(1, round(_CELL_PX / result.axes.parameters.bin_px))
    cell = bins * result.axes.parameters.bin_px
    image = rebin(result.arrays[name], bins)
    first, last = edges[0], edges[0] + image.shape[0] * cell
    drawn = axes.imshow(
        image,
        origin="lower",
        extent=(first, last, first, last),
        cmap=_CMAP,
        interpolation="nearest",
        vmin=0,
        vmax=max(1.0, float(np.percentile(image[image > 0], 99.5)) if image.any() else 1.0),
    )
    radius = ring_radius_px(
        geometry.detuning_deg, geometry.bragg_deg, geometry.distance_m, geometry.pixel_um
    )
    phi = np.linspace(0.0, 2.0 * np.pi, 400)
    cx, cy = geometry.centre_px
    axes.plot(
        cx + radius * np.cos(phi),
        cy + radius * np.sin(phi),
        ":",
        color="#e2e8f0",
        lw=0.8,
        alpha=0.7,
    )
    axes.plot(cx, cy, "+", color="#e2e8f0", ms=7, mew=0.9)
    x0, x1, y0, y1 = view
    axes.set_xlim(x0 * side, x1 * side)
    axes.set_ylim(y0 * side, y1 * side)
    axes.set_xlabel("x  [px]", fontsize=9, color=_INK)
    axes.set_ylabel("y  [px]", fontsize=9, color=_INK)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.85, pad=0.02)
    bar.set_label(f"photons per {cell} × {cell} px", fontsize=8, color=_INK)
    bar.ax.tick_params(labelsize=8, colors=_INK)
    _style(axes, title)


def _views(result: Result) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Parts of the detector that hold the signal and the idler region; all of it for masks."""
    pairing = result.recipe.pairing
    if pairing.regions is not None:
        return (0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)
    cx, cy = (c / result.axes.side_px for c in result.recipe.geometry.centre_px)

    def part(region: str) -> tuple[float, ...]:
        return (
            cx if "right" in region else 0.0,
            cx if "left" in region else 1.0,
            cy if "top" in region else 0.0,
            cy if "bottom" in region else 1.0,
        )

    return part(pairing.signal_half), part(OPPOSITE[pairing.signal_half])


def draw_overview(result: Result, title: str = "", *, figure: Any = None) -> Any:
    """One figure with everything: time difference, coincidence map, both twin images.

    Parameters
    ----------
    result
        What is drawn.
    title
        Stands before the numbers at the top.
    figure
        An empty Matplotlib figure to draw in, as one in a window; a new one when left out.

    Raises
    ------
    TwinbeamError
        If `result` is none, as `live.result` before the first run.
    """
    check_result(result, "draw_overview")
    if figure is None:
        figure = _figure(*OVERVIEW_INCHES)
    grid = figure.subplot_mosaic([["map", "signal"], ["dt", "idler"]], width_ratios=[1.0, 1.45])
    signal, idler = _views(result)
    _draw_dt(grid["dt"], result)
    _draw_map(figure, grid["map"], result, "coincidence", "Coincidence map", (0.0, 1.0, 0.0, 1.0))
    _draw_map(figure, grid["signal"], result, "signal", "Signal image (sample side)", signal)
    _draw_map(figure, grid["idler"], result, "idler", "Idler image (never met the sample)", idler)
    e = result.estimate
    figure.suptitle(
        f"{title + '   ' if title else ''}{e.net:,.0f} ± {e.net_err:,.0f} photon pairs in "
        f"{result.duration_s:.0f} s, accidentals {e.accidental:.2f}",
        fontsize=12,
        color=_INK,
        x=0.01,
        ha="left",
    )
    return figure


def save_figures(result: Result, folder: str | Path, title: str = "") -> Sequence[Path]:
    """Write all figures as PNG and return their paths.

    Raises
    ------
    TwinbeamError
        If `result` is none, as `live.result` before the first run.
    """
    check_result(result, "save_figures")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    signal, idler = _views(result)
    dt = _figure(7.0, 4.2)
    _draw_dt(dt.subplots(), result)
    coincidence = _figure(6.4, 5.4)
    _draw_map(
        coincidence,
        coincidence.subplots(),
        result,
        "coincidence",
        "Coincidence map",
        (0.0, 1.0, 0.0, 1.0),
    )
    twins = _figure(7.6, 8.2)
    above, below = twins.subplots(2, 1)
    _draw_map(twins, above, result, "signal", "Signal image (sample side)", signal)
    _draw_map(twins, below, result, "idler", "Idler image (never met the sample)", idler)
    paths = []
    for name, figure in zip(
        FIGURES, (dt, coincidence, twins, draw_overview(result, title)), strict=True
    ):
        paths.append(folder / name)
        figure.savefig(paths[-1])
    return paths
