"""Rows of NDStats: statistics, centroid, profiles, histogram, and their time series."""

from __future__ import annotations

from sim_iocs.plugins.tables.base import plugin_records
from sim_iocs.plugins.tables.labels import NO_YES, SECOND_MINOR
from sim_iocs.records import Record, pair

__all__ = ["PROFILES", "SERIES", "VALUES", "stats_records"]

_BASIC = ("MinValue", "MinX", "MinY", "MaxValue", "MaxX", "MaxY", "MeanValue", "Sigma", "Total")
_CENTROID = (
    "CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY", "SkewX", "SkewY",
    "KurtosisX", "KurtosisY", "Eccentricity", "Orientation",
)  # fmt: skip
VALUES = (*_BASIC, "Net", *_CENTROID)
"""What there is of each array, in the order of the time series."""
SERIES = (*VALUES, "Timestamp")
PROFILES = tuple(
    f"Profile{what}{axis}" for what in ("Average", "Threshold", "Centroid", "Cursor")
    for axis in "XY"
)  # fmt: skip
_DIGITS = dict.fromkeys(("Sigma", "CentroidX", "CentroidY", "SigmaX", "SigmaY"), 1)
_DIGITS |= dict.fromkeys(_CENTROID[5:], 3)


def stats_records(
    port: str, source: str, *, width: int, height: int, points: int, enabled: int = 0
) -> list[Record]:
    """Rows of the plugin for arrays of at most `width` by `height`, with series of `points`."""
    return [
        *plugin_records(port, "NDPluginStats", source, enabled=enabled),
        *(record for name in VALUES for record in _value(name)),
        *_switch("ComputeStatistics", 1),
        *pair("BgdWidth", "longout", 1, "Pixels at the border that are background"),
        *_switch("ComputeCentroid", 0),
        *pair("CentroidThreshold", "ao", 1.0, "Least value that counts"),
        *(_array(f"TS{name}", points, f"Time series of {name}") for name in SERIES),
        *_switch("ComputeProfiles", 0),
        Record("ProfileSizeX_RBV", "longin", 0, "Columns"),
        Record("ProfileSizeY_RBV", "longin", 0, "Rows"),
        *pair("CursorX", "longout", 256, "Column of the cursor"),
        *pair("CursorY", "longout", 256, "Row of the cursor"),
        Record("CursorVal", "ai", 0.0, "Value at the cursor", precision=1),
        *(
            _array(f"{name}_RBV", width if name.endswith("X") else height, "Profile")
            for name in PROFILES
        ),
        *_histogram(),
        Record("MaxSizeX", "longin", 0, "Greatest column of the cursor"),
        Record("SetXHOPR", "dfanout", 0, "Hands it on"),
        Record("MaxSizeY", "longin", 0, "Greatest row of the cursor"),
        Record("SetYHOPR", "dfanout", 0, "Hands it on"),
        *(Record(f"Reset{end}", "sseq", 0, "Set all to zero") for end in ("", "1", "2")),
    ]


def _value(name: str) -> tuple[Record, Record]:
    digits = _DIGITS.get(name, 6)
    setpoint = "SigmaValue" if name == "Sigma" else name
    return (
        Record(setpoint, "ao", 0.0, "Start value"),
        Record(f"{name}_RBV", "ai", 0.0, "Of the latest array", precision=digits),
    )


def _switch(name: str, value: int) -> tuple[Record, Record]:
    return pair(name, "bo", value, "Compute it", labels=NO_YES, severities=SECOND_MINOR)


def _array(name: str, length: int, doc: str) -> Record:
    return Record(name, "waveform", 0.0, doc, length=length, element="DOUBLE", read_only=True)


def _histogram() -> list[Record]:
    bins = 256
    return [
        *_switch("ComputeHistogram", 0),
        *pair("HistSize", "longout", bins, "Bins", limits=(1, bins)),
        *pair("HistMin", "ao", 0.0, "Centre of the first bin"),
        *pair("HistMax", "ao", 255.0, "Centre of the last bin"),
        *pair("HistBelow", "longout", 0, "Elements below"),
        *pair("HistAbove", "longout", 0, "Elements above"),
        Record("HistEntropy", "ao", 0.0, "Start value"),
        Record("HistEntropy_RBV", "ai", 0.0, "Entropy", precision=3),
        _array("Histogram_RBV", bins, "Elements in each bin"),
        _array("HistogramX_RBV", bins, "Centres of the bins"),
    ]
