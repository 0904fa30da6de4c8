"""Rows of NDROI, which cuts out, bins and scales."""

from __future__ import annotations

from sim_iocs.plugins.tables.base import plugin_records
from sim_iocs.plugins.tables.labels import DATA_TYPE_OUT, DISABLE_ENABLE, NO_YES, SECOND_MINOR
from sim_iocs.records import Record, pair

__all__ = ["region_records"]

_ALL = 1_000_000


def region_records(port: str, source: str, enabled: int = 0) -> list[Record]:
    """Rows of the plugin."""
    return [
        *plugin_records(port, "NDPluginROI", source, enabled=enabled),
        *pair("Name", "stringout", "", "Name of the region"),
        *(record for axis in "XYZ" for record in _axis(axis)),
        *_switch("EnableScale", 0, "Divide by the scale"),
        *pair("Scale", "ao", 1.0, "Divisor"),
        *pair("DataTypeOut", "mbbo", 10, "Type of the result", labels=DATA_TYPE_OUT),
        Record("MaxX", "longin", 0, "Columns of the latest array"),
        Record("SetXHOPR", "dfanout", 0, "Hands it on"),
        Record("MaxY", "longin", 0, "Rows of the latest array"),
        Record("SetYHOPR", "dfanout", 0, "Hands it on"),
        *_switch("CollapseDims", 0, "Leave out dimensions of size 1"),
    ]


def _switch(name: str, value: int, doc: str) -> tuple[Record, Record]:
    return pair(name, "bo", value, doc, labels=DISABLE_ENABLE, severities=SECOND_MINOR)


def _axis(axis: str) -> list[Record]:
    return [
        *pair(f"Bin{axis}", "longout", 1, "Pixels added up"),
        *pair(f"Min{axis}", "longout", 0, "First pixel"),
        *pair(f"Size{axis}", "longout", _ALL, "Pixels"),
        *pair(f"AutoSize{axis}", "bo", 0, "Take all pixels", labels=NO_YES),
        Record(f"MaxSize{axis}_RBV", "longin", 0, "Pixels of the latest array"),
        *pair(f"Reverse{axis}", "bo", 0, "Mirror", labels=NO_YES),
        *_switch(f"Enable{axis}", 1, "Cut out in this dimension"),
    ]
