"""Rows that every areaDetector port has, drivers and plugins alike (NDArrayBase)."""

from __future__ import annotations

from typing import Any

from sim_iocs.plugins.tables.labels import (
    COLOUR_MODE,
    DATA_TYPE,
    DISABLE_ENABLE,
    DONE_ACQUIRING,
    NO_YES,
    SECOND_MINOR,
)
from sim_iocs.records import Kind, Record, pair

__all__ = ["ADCORE_VERSION", "ndarray_records"]

ADCORE_VERSION = "3.14.0"

_ATTRIBUTES = (
    "Attributes file OK",
    "File not found",
    "XML syntax error",
    "Macro substitution error",
)
_BAYER = ("RGGB", "GBRG", "GRBG", "BGGR")


def ndarray_records(port: str, version: str = ADCORE_VERSION, xml: int = 256) -> list[Record]:
    """Rows of a port of the given name, with room for `xml` characters of attributes."""
    return [*_identity(port, version), *_acquire(), *_latest(), *_attributes(xml), *_pool()]


def _identity(port: str, version: str) -> list[Record]:
    return [
        Record("PortName_RBV", "stringin", port, "Name of the port"),
        Record("ADCoreVersion_RBV", "stringin", ADCORE_VERSION, "Version of ADCore"),
        Record("DriverVersion_RBV", "stringin", version, "Version of the driver"),
        Record("Manufacturer_RBV", "stringin", "Unknown", "Manufacturer"),
        Record("Model_RBV", "stringin", "Unknown", "Model"),
        Record("SerialNumber_RBV", "stringin", "Unknown", "Serial number"),
        Record("SDKVersion_RBV", "stringin", "Unknown", "Version of the library below"),
        Record("FirmwareVersion_RBV", "stringin", "Unknown", "Version of the firmware"),
        # An asyn record has no value of its own; clients only want it to exist.
        Record("AsynIO", "asyn", 0, "Port access", read_only=False),
    ]


def _acquire() -> list[Record]:
    busy: dict[str, Any] = {"labels": DONE_ACQUIRING, "severities": SECOND_MINOR}
    return [
        Record("Acquire", "bo", 0, "Start or stop", ("Done", "Acquire"), effect="command"),
        Record("Acquire_RBV", "bi", 0, "Driver is acquiring", **busy),
        Record("SetAcquireBusy", "calcout", 0, "Sets the busy record"),
        Record("AcquireBusy", "busy", 0, "Busy until acquisition is done", **busy),
        Record("AcquireBusyCB", "bi", 0, "Busy of the driver alone", **busy),
        Record("ClearAcquireBusy", "calcout", 0, "Clears the busy record"),
        Record("WaitForPlugins", "bo", 0, "Busy until plugins are done too", NO_YES),
    ]


def _latest() -> list[Record]:
    """The latest array: its shape, type and time, and how many there were."""
    parts = [
        record
        for end in ("", "_RBV")
        for axis in range(10)
        for record in (
            Record(f"Dim{axis}SA{end}", "subArray", 0, f"Element {axis} of the dimensions"),
            Record(f"ArraySize{axis}{end}", "longin", 0, f"Size of dimension {axis}"),
        )
    ]
    return [
        *pair("NDimensions", "longout", 0, "Number of dimensions"),
        *pair("Dimensions", "waveform", 0, "Dimensions", length=10),
        *parts,
        Record("ArraySizeX_RBV", "longin", 0, "Width of the latest image"),
        Record("ArraySizeY_RBV", "longin", 0, "Height of the latest image"),
        Record("ArraySizeZ_RBV", "longin", 0, "Depth of the latest image"),
        Record("ArraySize_RBV", "longin", 0, "Bytes of the latest image"),
        *pair("DataType", "mbbo", 0, "Type of the elements", labels=DATA_TYPE),
        *pair("ColorMode", "mbbo", 0, "Colour mode", labels=COLOUR_MODE),
        Record("BayerPattern_RBV", "mbbi", 0, "Bayer pattern", _BAYER),
        Record("Codec_RBV", "stringin", "", "Compression"),
        Record("CompressedSize_RBV", "longin", 0, "Bytes after compression"),
        Record("UniqueId_RBV", "longin", 0, "Number of the latest array"),
        Record("TimeStamp_RBV", "ai", 0.0, "Time of the latest array", precision=3),
        Record("EpicsTSSec_RBV", "longin", 0, "EPICS seconds of the latest array"),
        Record("EpicsTSNsec_RBV", "longin", 0, "EPICS nanoseconds of the latest array"),
        *pair("ArrayCounter", "longout", 0, "Arrays so far"),
        Record("ArrayRate_RBV", "calc", 0.0, "Arrays a second", units="Hz", precision=2),
        _callbacks("ArrayCallbacks", "bo"),
        _callbacks("ArrayCallbacks_RBV", "bi"),
    ]  # fmt: skip


def _callbacks(name: str, kind: Kind) -> Record:
    """Set point and readback alike are in minor alarm while arrays are passed on."""
    return Record(name, kind, 1, "Pass arrays on", DISABLE_ENABLE, severities=SECOND_MINOR)


def _attributes(length: int) -> list[Record]:
    return [
        Record("NDAttributesMacros", "text", "", "Macros of the attributes file"),
        Record("NDAttributesFile", "text", "", "File of attributes", length=length),
        Record(
            "NDAttributesStatus",
            "mbbi",
            1,
            "State of the attributes file",
            _ATTRIBUTES,
            severities=("NO_ALARM", "MINOR", "MAJOR", "MAJOR"),
        ),
    ]


def _pool() -> list[Record]:
    return [
        Record("PoolMaxMem", "ai", 0.0, "Greatest memory, 0 = any", units="MB", precision=1),
        Record("PoolUsedMem", "ai", 0.0, "Memory used", units="MB", precision=1),
        Record("PoolAllocBuffers", "longin", 0, "Buffers allocated"),
        Record("PoolFreeBuffers", "longin", 0, "Buffers free"),
        Record("PoolUsedBuffers", "calc", 0, "Buffers used"),
        Record("PoolPollStats", "bo", 0, "Read the pool"),
        Record("EmptyFreeList", "bo", 0, "Give memory back"),
        Record("PreAllocBuffers", "busy", 0, "Allocate buffers", ("Done", "Allocate")),
        *pair("NumPreAllocBuffers", "longout", 100, "Buffers to allocate"),
        Record("NumQueuedArrays", "longin", 0, "Arrays in queues"),
    ]
