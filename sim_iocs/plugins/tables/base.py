"""Rows that every plugin has (NDPluginBase)."""

from __future__ import annotations

from sim_iocs.plugins.tables.labels import DISABLE_ENABLE, NO_YES, SECOND_MINOR
from sim_iocs.plugins.tables.ndarray import ndarray_records
from sim_iocs.records import Record, pair

__all__ = ["plugin_records"]

_SORT = ("Unsorted", "Sorted")


def plugin_records(
    port: str, kind: str, source: str, *, address: int = 0, enabled: int = 0, xml: int = 256
) -> list[Record]:
    """Rows of a plugin.

    Parameters
    ----------
    port
        Name of its own port.
    kind
        What `PluginType_RBV` says.
    source, address
        Port and address whose arrays it takes at the start.
    enabled
        Whether it takes arrays at the start.
    xml
        Longest text of attributes.
    """
    return [
        *ndarray_records(port, xml=xml),
        Record("PluginType_RBV", "stringin", kind, "Type of the plugin"),
        *pair("NDArrayPort", "stringout", source, "Port whose arrays it takes"),
        *pair("NDArrayAddress", "longout", address, "Address of that port"),
        *pair(
            "EnableCallbacks",
            "bo",
            enabled,
            "Take arrays",
            labels=DISABLE_ENABLE,
            severities=SECOND_MINOR,
        ),
        *pair("BlockingCallbacks", "bo", 0, "Hold up the sender", labels=NO_YES),
        *pair(
            "MinCallbackTime",
            "ao",
            0.0,
            "Least time between arrays",
            units="s",
            precision=3,
            limits=(0.0, 1e9),
        ),
        Record("MaxArrayRate", "ao", 0.0, "Greatest rate, 0 = any", units="Hz", precision=3),
        Record("MaxArrayRate_COUT", "calcout", 0.0, "Helper of the greatest rate"),
        Record("MaxArrayRate_RBV", "calc", 0.0, "Greatest rate", units="Hz", precision=3),
        # The unit is the driver's own slip.
        *pair("MaxByteRate", "ao", 0.0, "Greatest rate of bytes, 0 = any", units="s", precision=3),
        Record("ExecutionTime_RBV", "ai", 0.0, "Time for the latest", units="ms", precision=3),
        Record("ProcessPlugin", "bo", 1, "Process the latest array again", effect="command"),
        *pair("DroppedArrays", "longout", 0, "Arrays lost"),
        *pair("DroppedOutputArrays", "longout", 0, "Arrays not passed on"),
        *pair("DisorderedArrays", "longout", 0, "Arrays out of order"),
        *pair("QueueSize", "longout", 20, "Length of the queue"),
        Record("QueueFree", "longin", 20, "Free places in the queue"),
        Record("QueueFreeLow", "calcout", 0.0, "Warn below"),
        Record("QueueUse", "calc", 0, "Used places in the queue"),
        Record("QueueUseHIGH", "calcout", 0.0, "Warn above"),
        Record("QueueUseHIHI", "calcout", 0.0, "Alarm above"),
        *pair("NumThreads", "longout", 1, "Threads"),
        Record("MaxThreads_RBV", "longin", 5, "Greatest number of threads"),
        *pair("SortMode", "mbbo", 0, "Sort arrays", labels=_SORT),
        *pair("SortTime", "ao", 0.1, "Time to wait", precision=3),
        *pair("SortSize", "longout", 20, "Length of the sorting queue"),
        Record("SortFree", "longin", 20, "Free places in the sorting queue"),
        Record("SortFreeLow", "calcout", 0.0, "Warn below"),
    ]
