"""The empty figures of a page; its script fills and colours them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bokeh.models import (
    BoxAnnotation,
    BoxSelectTool,
    ColorBar,
    ColumnDataSource,
    CustomJSTickFormatter,
    HoverTool,
    LinearColorMapper,
    LogColorMapper,
    Range1d,
    Span,
)
from bokeh.palettes import Cividis256, Greys256, Inferno256, Magma256, Viridis256
from bokeh.plotting import figure

__all__ = ["PALETTES", "Figures", "make_figures"]

#: Colour maps that are even to the eye.
PALETTES: Mapping[str, tuple[str, ...]] = {
    "viridis": Viridis256,
    "cividis": Cividis256,
    "inferno": Inferno256,
    "magma": Magma256,
    "grey": Greys256,
}

_CHARTS = {
    "dt": ("Δt = t(idler) − t(signal)  [ns]", "pairs per bin"),
    "detuning": ("pair detuning Δθ  [mdeg]", "pairs per bin"),
    "ring": ("radius  [px]", "photons per ring"),
    "energy": ("energy from ToT  [keV]", "photons per bin"),
    "rates": ("measured time  [s]", "per second"),
    "g2": ("delay τ  [µs]", "g²(τ)"),
    "scan": ("x", "y"),
}
_BARS = {
    "dt": {"prompt": True, "floor": False},
    "detuning": {"prompt": True, "floor": False},
    "ring": {"signal": False, "idler": False},
    "energy": {"all": True, "one": False, "two": False},
}
_LINES = {
    "dt": ("fit",),
    "detuning": ("fit",),
    "rates": ("hits", "photons", "pairs"),
    "g2": ("g2",),
}


@dataclass
class Figures:
    """Models of a page by name.

    Attributes
    ----------
    plots
        Figures of maps and charts.
    sources
        Their data, as ``chart:series``.
    glyphs
        The renderers, by the same names.
    marks
        Rectangles of the region and spans, by figure.
    mappers
        Linear and logarithmic colours of each map.
    bars
        Colour bars of the maps.
    """

    plots: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Any] = field(default_factory=dict)
    glyphs: dict[str, Any] = field(default_factory=dict)
    marks: dict[str, Any] = field(default_factory=dict)
    mappers: dict[str, Any] = field(default_factory=dict)
    bars: dict[str, Any] = field(default_factory=dict)


def make_figures() -> Figures:
    """All figures, empty."""
    made = Figures()
    for name in ("coincidence", "signal", "idler"):
        _add_map(made, name)
    for name in _CHARTS:
        _add_chart(made, name)
    return made


def _figure(name: str, x_label: str, y_label: str, **options: Any) -> Any:
    made = figure(
        name=name,
        sizing_mode="stretch_both",
        toolbar_location=None,
        tools="",
        min_border=4,
        x_axis_label=x_label,
        y_axis_label=y_label,
        outline_line_color=None,
        lod_threshold=None,
        **options,
    )
    for axis in (*made.xaxis, *made.yaxis):
        axis.axis_label_text_font_style = "normal"
        axis.minor_tick_line_color = None
        axis.major_tick_in = 0
        axis.major_tick_out = 4
        axis.axis_label_standoff = 4
        axis.major_label_standoff = 3
    return made


def _add_map(made: Figures, name: str) -> None:
    plot = _figure(name, "x  [px]", "y  [px]", x_range=Range1d(0, 514), y_range=Range1d(0, 514))
    plot.grid.visible = False
    empty = np.zeros((1, 1), np.float32)
    source = ColumnDataSource({"image": [empty], "x": [-0.5], "y": [-0.5], "side": [514.0]})
    colours = {"low": 0.0, "high": 1.0, "palette": Viridis256}
    mappers = {
        "linear": LinearColorMapper(**colours),
        "log": LogColorMapper(**{**colours, "low": 0.5}, nan_color=Viridis256[0]),
    }
    image = plot.image(
        "image", x="x", y="y", dw="side", dh="side", source=source, color_mapper=mappers["linear"]
    )
    circle = ColumnDataSource({"x": [], "y": []})
    ring = plot.line("x", "y", source=circle, line_dash=[2, 5], line_width=1.4, line_alpha=0.75)
    middle = ColumnDataSource({"x": [], "y": []})
    axis = plot.scatter("x", "y", source=middle, marker="cross", size=12, line_width=1.4)
    bar = ColorBar(
        color_mapper=mappers["linear"],
        width=10,
        padding=4,
        margin=0,
        label_standoff=5,
        border_line_color=None,
        bar_line_color=None,
        major_tick_line_color=None,
        title=None,
    )
    plot.add_layout(bar, "right")
    box = BoxAnnotation(
        left=0,
        right=0,
        bottom=0,
        top=0,
        visible=False,
        fill_alpha=0.0,
        line_width=2,
        line_alpha=1.0,
    )
    plot.add_layout(box)
    select = BoxSelectTool(renderers=[], persistent=False)
    select.overlay.fill_alpha = 0.12
    plot.add_tools(
        select,
        HoverTool(
            renderers=[image],
            tooltips=[("x, y", "$x{0} px, $y{0} px"), ("photons", "@image{0.[00]}")],
        ),
    )
    plot.toolbar.active_drag = select
    made.plots[name], made.bars[name], made.marks[name] = plot, bar, box
    made.mappers[name] = mappers
    for key, its_source, glyph in (
        ("image", source, image),
        ("ring", circle, ring),
        ("axis", middle, axis),
    ):
        made.sources[f"{name}:{key}"], made.glyphs[f"{name}:{key}"] = its_source, glyph


def _add_chart(made: Figures, name: str) -> None:
    x_label, y_label = _CHARTS[name]
    options: dict[str, Any] = {"y_axis_type": "log"} if name == "rates" else {}
    plot = _figure(
        name,
        x_label,
        y_label,
        x_range=Range1d(0, 1),
        y_range=Range1d(0.1, 1),
        **options,
    )
    plot.xgrid.visible = False
    plot.yaxis.ticker.desired_num_ticks = 4
    plot.xaxis.ticker.desired_num_ticks = 5
    for series, filled in _BARS.get(name, {}).items():
        source = ColumnDataSource({"left": [], "right": [], "top": []})
        made.sources[f"{name}:{series}"] = source
        if filled:
            glyph = plot.quad(
                left="left", right="right", top="top", bottom=0, source=source, line_color=None
            )
        else:
            glyph = plot.step("left", "top", source=source, mode="after", line_width=2)
        made.glyphs[f"{name}:{series}"] = glyph
    for series in _LINES.get(name, ()):
        source = ColumnDataSource({"x": [], "y": []})
        made.sources[f"{name}:{series}"] = source
        made.glyphs[f"{name}:{series}"] = plot.line("x", "y", source=source, line_width=2)
    if name == "scan":
        plot.yaxis.formatter = CustomJSTickFormatter(code="return window.twinbeam.short(tick)")
        source = ColumnDataSource({"x": [], "y": [], "low": [], "high": []})
        made.sources["scan:fit"] = fit = ColumnDataSource({"x": [], "y": []})
        made.glyphs["scan:fit"] = plot.line("x", "y", source=fit, line_width=2)
        made.sources["scan:points"] = source
        made.glyphs["scan:errors"] = plot.segment("x", "low", "x", "high", source=source)
        made.glyphs["scan:points"] = plot.scatter("x", "y", source=source, size=7, line_width=0)
    if name in ("detuning", "ring"):
        span = Span(dimension="height", line_dash=[2, 5], line_width=1.6, visible=False)
        plot.add_layout(span)
        made.marks[name] = span
    made.plots[name] = plot
