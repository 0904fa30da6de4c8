"""Rows of NDTimeSeries, which keeps values of successive arrays."""

from __future__ import annotations

from sim_iocs.plugins.tables.base import plugin_records
from sim_iocs.plugins.tables.labels import DONE_ACQUIRING, SECOND_MINOR
from sim_iocs.records import Record, pair

__all__ = ["time_series_records"]


def time_series_records(port: str, source: str, points: int) -> list[Record]:
    """Rows of the plugin, with room for `points` points a series."""

    def array(name: str, doc: str) -> Record:
        return Record(name, "waveform", 0.0, doc, length=points, element="DOUBLE", read_only=True)

    return [
        *plugin_records(port, "NDPluginTimeSeries", source, address=1, enabled=1),
        Record("TSAcquire", "busy", 0, "Start or stop", ("Done", "Acquire"), effect="command"),
        Record("TSAcquiring", "bi", 0, "Running", DONE_ACQUIRING, severities=SECOND_MINOR),
        Record("TSRead", "bo", 1, "Update the arrays", ("Done", "Read"), effect="command"),
        # The driver takes any number; the arrays here end where the records do.
        Record("TSNumPoints", "longout", points, "Points a series", limits=(1, points)),
        Record("TSCurrentPoint", "longin", 0, "Points so far"),
        Record("TSTimePerPointLink", "ao", 0.0, "Helper of the time a point"),
        *pair("TSTimePerPoint", "ao", 0.0, "Time between arrays", precision=3),
        *pair("TSAveragingTime", "ao", 0.1, "Time that is one point", precision=3),
        Record("TSNumAverage", "longin", 1, "Arrays a point"),
        Record("TSElapsedTime", "ai", 0.0, "Time since the start", precision=3),
        *pair("TSAcquireMode", "mbbo", 0, "What comes after the last", labels=_MODES),
        array("TSTimestamp", "Times of the points"),
        array("TSTimeAxis", "Times of the points from the first"),
    ]


_MODES = ("Fixed length", "Circ. buffer")
