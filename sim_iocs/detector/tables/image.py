"""The plugin `image1:`, which serves the preview over Channel Access."""

from __future__ import annotations

from sim_iocs.detector.tables.areadetector import ndarray_records
from sim_iocs.detector.tables.labels import DISABLE_ENABLE, NO_YES
from sim_iocs.records import Record, pair

__all__ = ["IMAGE"]

_DATA_TYPE = ("Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32")
_COLOUR = ("Mono", "Bayer", "RGB1", "RGB2", "RGB3", "YUV444", "YUV422", "YUV421")
_SORT = ("Unsorted", "Sorted")

IMAGE: list[Record] = [
    *ndarray_records("IMAGE1"),
    Record("PluginType_RBV", "stringin", "NDPluginStdArrays", "Type of the plugin"),
    *pair("NDArrayPort", "stringout", "TPX3", "Port it listens to"),
    *pair("NDArrayAddress", "longout", 0, "Address it listens to"),
    *pair("EnableCallbacks", "bo", 1, "Take arrays", labels=DISABLE_ENABLE),
    *pair("BlockingCallbacks", "bo", 0, "Hold up the driver", labels=NO_YES),
    *pair("MinCallbackTime", "ao", 0.0, "Least time between arrays", units="s"),
    *pair("MaxByteRate", "ao", 0.0, "Greatest rate, 0 = any", units="bytes/s"),
    Record("MaxArrayRate", "ao", 0.0, "Greatest rate, 0 = any", units="Hz"),
    Record("MaxArrayRate_COUT", "calc", 0.0, "Helper of the greatest rate"),
    Record("MaxArrayRate_RBV", "calc", 0.0, "Greatest rate", units="Hz"),
    *pair("DroppedArrays", "longout", 0, "Arrays lost"),
    *pair("DroppedOutputArrays", "longout", 0, "Arrays not passed on"),
    *pair("DisorderedArrays", "longout", 0, "Arrays out of order"),
    *pair("QueueSize", "longout", 20, "Queue length"),
    Record("QueueFree", "longin", 20, "Free places in the queue"),
    Record("QueueFreeLow", "ao", 0.0, "Warn below"),
    Record("QueueUse", "calc", 0, "Used places in the queue"),
    Record("QueueUseHIGH", "ao", 0.0, "Warn above"),
    Record("QueueUseHIHI", "ao", 0.0, "Alarm above"),
    *pair("NumThreads", "longout", 1, "Threads"),
    Record("MaxThreads_RBV", "longin", 1, "Greatest number of threads"),
    *pair("SortMode", "mbbo", 0, "Sort arrays", labels=_SORT),
    *pair("SortTime", "ao", 0.1, "Time to wait", units="s"),
    *pair("SortSize", "longout", 20, "Length of the sorting queue"),
    Record("SortFree", "longin", 20, "Free places in the sorting queue"),
    Record("SortFreeLow", "ao", 0.0, "Warn below"),
    Record("ExecutionTime_RBV", "ai", 0.0, "Time of the latest array", units="ms"),
    Record("ProcessPlugin", "bo", 0, "Process the latest array again"),
    *pair("DataType", "mbbo", 4, "Type of the pixels", labels=_DATA_TYPE),
    *pair("ColorMode", "mbbo", 0, "Colour mode", labels=_COLOUR),
    Record("ArrayData", "waveform", 0, "Pixels of the preview", length=512 * 512, read_only=True),
]
