"""What a panel shows, as a table to download."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from twinbeam.errors import TwinbeamError
from twinbeam.view.charts import CHARTS
from twinbeam.view.looking import Looking
from twinbeam.view.map_panels import MAPS, cells, map_image
from twinbeam.view.scan_chart import scan_axes, scan_chart
from twinbeam.view.shown import Shown
from twinbeam.view.shown_scan import ShownScan

__all__ = ["PANELS", "panel_csv"]

#: Panels of which there is a table.
PANELS = (*MAPS, *CHARTS)
_UNITS = {"dt": "ns", "detuning": "mdeg", "ring": "px", "energy": "keV", "rates": "s", "g2": "us"}


def panel_csv(shown: Shown | ShownScan, looking: Looking, panel: str) -> str:
    """CSV of a panel with a line of comment that says what it is of.

    Of a map a row for each square that is not zero; of a chart a row for each bin or point.

    Raises
    ------
    TwinbeamError
        If there is no such panel, or the run has nothing of the kind.
    """
    if panel not in PANELS:
        raise TwinbeamError("no such panel", where=panel, hint=f"there are {', '.join(PANELS)}")
    text = io.StringIO()
    if panel == "scan":
        text.write(f"# {shown.name}\n")
        csv.writer(text, lineterminator="\n").writerows(_scan_rows(shown))
        return text.getvalue()
    if isinstance(shown, ShownScan):
        raise TwinbeamError("the run has no photons", where=shown.name, hint="take panel scan")
    text.write(f"# {shown.name}, recipe {shown.result.recipe.hash}, version {shown.version}\n")
    writer = csv.writer(text, lineterminator="\n")
    rows = _map_rows(shown, looking, panel) if panel in MAPS else _chart_rows(shown, looking, panel)
    writer.writerows(rows)
    return text.getvalue()


def _map_rows(shown: Shown, looking: Looking, panel: str) -> list[list[Any]]:
    image, _ = map_image(shown.result, panel, looking)
    size = cells(shown.result, looking) * shown.result.axes.parameters.bin_px
    rows, columns = np.nonzero(image)
    head: list[Any] = ["x_px", "y_px", "photons"]
    middle = 0.5 * (size - 1)  # pixel n reaches from n - 1/2 to n + 1/2
    return [
        head,
        *(
            [column * size + middle, row * size + middle, repr(float(image[row, column]))]
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        ),
    ]


def _scan_rows(shown: Shown | ShownScan) -> list[list[Any]]:
    """Points of a scan with their standard errors where they are known."""
    axes = scan_axes(shown)
    points = scan_chart(shown).get("points")
    if axes is None or points is None:
        return [["x", "y", "y_err"]]
    head: list[Any] = [axes.x_label.replace("  ", " "), axes.y_label.replace("  ", " "), "error"]
    errors = 0.5 * (points["high"] - points["low"])
    columns = (points["x"].tolist(), points["y"].tolist(), errors.tolist())
    return [head, *([repr(x), repr(y), repr(e)] for x, y, e in zip(*columns, strict=True))]


def _chart_rows(shown: Shown, looking: Looking, panel: str) -> list[list[Any]]:
    unit = _UNITS[panel]
    rows: list[list[Any]] = [["series", f"from_{unit}", f"to_{unit}", "value"]]
    for name, series in CHARTS[panel](shown, looking).items():
        low = series["left"] if "left" in series else series["x"]
        high = series["right"] if "right" in series else series["x"]
        value = series.get("top", series.get("y", np.ones(low.size)))
        rows += [
            [name, repr(float(a)), repr(float(b)), repr(float(v))]
            for a, b, v in zip(low, high, value, strict=True)
        ]
    return rows
