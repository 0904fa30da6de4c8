"""NDStats: statistics of each array, and the values that a time series is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim_iocs.plugins.frame import Frame
from sim_iocs.plugins.plugin import Plugin
from sim_iocs.plugins.statistics import basic, centroid, histogram, lines
from sim_iocs.plugins.tables import VALUES

__all__ = ["SERIES_ADDRESS", "Stats"]

SERIES_ADDRESS = 1


class Stats(Plugin):
    """Computes what is switched on, and hands the values on at address 1."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        for name in ("Reset", "Reset1", "Reset2"):
            self.channels.on_put(name, self._reset)

    async def process(self, frame: Frame) -> Frame:
        """Publish the statistics of an image."""
        get = self.channels.get
        names = ("BgdWidth", "CentroidThreshold", "CursorX", "CursorY", "HistSize", "HistMin")
        settings = {name: get(f"{name}_RBV") for name in (*names, "HistMax")}
        wanted = {
            name: bool(get(f"Compute{name}_RBV"))
            for name in ("Statistics", "Centroid", "Profiles", "Histogram")
        }
        values = await self.in_thread(lambda: _compute(frame.data, wanted, settings))
        height, width = np.atleast_2d(frame.data).shape
        values |= {"ProfileSizeX_RBV": width, "ProfileSizeY_RBV": height}
        values |= {"MaxSizeX": width, "MaxSizeY": height}
        await self.channels.post_all(values)
        now = [get(f"{name}_RBV") for name in VALUES]
        series = Frame(np.array([*now, frame.epics_s]), frame.unique_id, frame.time_s)
        await self._bus.publish(self.port, SERIES_ADDRESS, series)
        return frame

    async def _reset(self, _: int) -> None:
        await self.channels.post_all({f"{name}_RBV": 0.0 for name in VALUES})


def _compute(
    data: np.ndarray, wanted: dict[str, bool], settings: dict[str, float]
) -> dict[str, Any]:
    """Records of the statistics that are wanted, by name."""
    values: dict[str, Any] = {}
    x = y = 0.0
    if wanted["Statistics"]:
        values |= _readbacks(basic(data, int(settings["BgdWidth"])))
    if wanted["Centroid"]:
        found = centroid(data, settings["CentroidThreshold"])
        values |= _readbacks(found.values)
        names = ("AverageX", "AverageY", "ThresholdX", "ThresholdY")
        profiles = zip(names, found.profiles, strict=True)
        values |= {f"Profile{name}_RBV": profile for name, profile in profiles}
        x, y = found.values["CentroidX"] + 0.5, found.values["CentroidY"] + 0.5
    if wanted["Profiles"]:
        cursor = (settings["CursorX"], settings["CursorY"])
        for name, (column, row) in {"Centroid": (x, y), "Cursor": cursor}.items():
            along = lines(data, column, row)
            values |= {f"Profile{name}X_RBV": along[0], f"Profile{name}Y_RBV": along[1]}
        column = min(max(int(cursor[0]), 0), len(along[0]) - 1)
        values["CursorVal"] = float(along[0][column])
    if wanted["Histogram"]:
        hist = histogram(data, int(settings["HistSize"]), settings["HistMin"], settings["HistMax"])
        values |= {"Histogram_RBV": hist.counts, "HistogramX_RBV": hist.centres}
        values |= {"HistBelow_RBV": hist.below, "HistAbove_RBV": hist.above}
        values["HistEntropy_RBV"] = hist.entropy
    return values


def _readbacks(values: dict[str, float]) -> dict[str, float]:
    return {f"{name}_RBV": value for name, value in values.items()}
