"""Configuration of the measurement in Serval, and the records that sum up alarms."""

from __future__ import annotations

from sim_iocs.records import Record, pair

__all__ = ["MEASUREMENT"]

MEASUREMENT: list[Record] = [
    *pair("StemScanWidth", "longout", 1024, "Columns of a scan"),
    *pair("StemScanHeight", "longout", 1024, "Rows of a scan"),
    *pair("StemDwellTime", "ao", 1e-6, "Time a point", units="s"),
    *pair("StemRadiusOuter", "longout", 1024, "Virtual detector, outside"),
    *pair("StemRadiusInner", "longout", 0, "Virtual detector, inside"),
    *pair("TofTdcReference", "stringout", "PN0123, PN0123", "Edges that start"),
    *pair("TofMin", "ao", 0.0, "Start of the window", units="s"),
    *pair("TofMax", "ao", 1e99, "End of the window", units="s"),
    # --- alarms: 1 is bad ---
    Record("FileWriterCalc1", "calcout", 0.0, "A channel is not as set"),
    Record("FileWriterCalc2", "calcout", 0.0, "The histogram is not as set"),
    Record("FileWriterCalc", "calc", 0.0, "Either of them"),
    Record("HotPixelCalc", "calcout", 0.0, "Stats5 sees a hot pixel"),
    Record("TdcCalc", "calcout", 0.0, "Acquiring without TDC events"),
    Record("PelEvtCalc", "calcout", 0.0, "Acquiring without hits"),
    Record("Tpx3StatusCalc", "calcout", 0.0, "Any of these, or no connection"),
    Record("AlarmDisable", "bi", 1, "Watch them", ("AlarmDisabled", "AlarmEnabled"),
           read_only=False, severities=("MINOR", "NO_ALARM")),
    Record("Alarm", "calc", 0.0, "Summary"),
]  # fmt: skip
