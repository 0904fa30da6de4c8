"""What every areaDetector driver has and this one does not use, so that clients connect."""

from __future__ import annotations

from sim_iocs.detector.tables.labels import DATA_TYPE, DISABLE_ENABLE, NO_YES
from sim_iocs.records import Record, pair

__all__ = ["AREADETECTOR", "ndarray_records"]

_FRAME_TYPE = ("Normal", "Background", "FlatField", "DblCorrelation")
_ATTRIBUTES = (
    "Attributes file OK",
    "File not found",
    "XML syntax error",
    "Macro substitution error",
)
_BAYER = ("RGGB", "GBRG", "GRBG", "BGGR")


def ndarray_records(port: str) -> list[Record]:
    """Rows of NDArrayBase, which the driver and its plugins share."""
    sizes = [
        Record(f"ArraySize{axis}{end}", "longin", 0, f"Size of dimension {axis}")
        for axis in range(10)
        for end in ("", "_RBV")
    ]
    parts = [
        Record(f"Dim{axis}SA{end}", "subArray", 0, f"Element {axis} of the dimensions")
        for axis in range(10)
        for end in ("", "_RBV")
    ]
    return [
        Record("PortName_RBV", "stringin", port, "Name of the port"),
        Record("ADCoreVersion_RBV", "stringin", "3.14.0", "Version of ADCore"),
        Record("DriverVersion_RBV", "stringin", "1.7.2", "Version of the driver"),
        *pair("NDimensions", "longout", 0, "Number of dimensions"),
        *pair("Dimensions", "waveform", 0, "Dimensions", length=10),
        *sizes,
        *parts,
        Record("ArraySizeX_RBV", "longin", 0, "Width of the latest image"),
        Record("ArraySizeY_RBV", "longin", 0, "Height of the latest image"),
        Record("ArraySizeZ_RBV", "longin", 0, "Depth of the latest image"),
        Record("ArraySize_RBV", "longin", 0, "Bytes of the latest image"),
        Record("BayerPattern_RBV", "mbbi", 0, "Bayer pattern", _BAYER),
        Record("Codec_RBV", "stringin", "", "Compression"),
        Record("CompressedSize_RBV", "longin", 0, "Bytes after compression"),
        Record("UniqueId_RBV", "longin", 0, "Frame number of the latest image"),
        Record("TimeStamp_RBV", "ai", 0.0, "Time of the latest image", units="s"),
        Record("EpicsTSSec_RBV", "longin", 0, "EPICS seconds of the latest image"),
        Record("EpicsTSNsec_RBV", "longin", 0, "EPICS nanoseconds of the latest image"),
        *pair("ArrayCounter", "longout", 0, "Arrays passed on"),
        Record("ArrayRate_RBV", "calc", 0.0, "Arrays a second", units="Hz"),
        *pair("ArrayCallbacks", "bo", 1, "Pass arrays on", labels=DISABLE_ENABLE),
        Record("NDAttributesMacros", "text", "", "Macros of the attributes file"),
        Record("NDAttributesFile", "text", "", "File of attributes"),
        Record("NDAttributesStatus", "mbbi", 0, "State of the attributes file", _ATTRIBUTES),
        Record("PoolMaxMem", "ai", 0.0, "Greatest memory, 0 = any", units="MB"),
        Record("PoolUsedMem", "ai", 0.0, "Memory used", units="MB"),
        Record("PoolAllocBuffers", "longin", 0, "Buffers allocated"),
        Record("PoolFreeBuffers", "longin", 0, "Buffers free"),
        Record("PoolUsedBuffers", "calc", 0, "Buffers used"),
        Record("PoolPollStats", "bo", 0, "Read the pool"),
        Record("EmptyFreeList", "bo", 0, "Give memory back"),
        Record("PreAllocBuffers", "busy", 0, "Allocate buffers", ("Done", "Allocate")),
        *pair("NumPreAllocBuffers", "longout", 100, "Buffers to allocate"),
        Record("NumQueuedArrays", "longin", 0, "Arrays in queues"),
        # An asyn record has no value of its own; clients only want it to exist.
        Record("AsynIO", "asyn", 0, "Port access"),
    ]


AREADETECTOR: list[Record] = [
    *ndarray_records("TPX3"),
    Record("Manufacturer_RBV", "stringin", "ASI", "Manufacturer"),
    Record("Model_RBV", "stringin", "TPX3", "Model"),
    # The driver fills the software version in here.
    Record("SerialNumber_RBV", "stringin", "21052719", "Serial number"),
    Record("SDKVersion_RBV", "stringin", "4.1.5", "Version of Serval"),
    Record("FirmwareVersion_RBV", "stringin", "25102015", "Version of the firmware"),
    Record("MaxSizeX_RBV", "longin", 512, "Width of the sensor", units="px"),
    Record("MaxSizeY_RBV", "longin", 512, "Height of the sensor", units="px"),
    *pair("BinX", "longout", 1, "Binning in x"),
    *pair("BinY", "longout", 1, "Binning in y"),
    *pair("MinX", "longout", 0, "First column"),
    *pair("MinY", "longout", 0, "First row"),
    *pair("SizeX", "longout", 512, "Columns"),
    *pair("SizeY", "longout", 512, "Rows"),
    *pair("ReverseX", "bo", 0, "Mirror columns", labels=NO_YES),
    *pair("ReverseY", "bo", 0, "Mirror rows", labels=NO_YES),
    *pair("Gain", "ao", 1.0, "Gain"),
    *pair("FrameType", "mbbo", 0, "Type of frame", labels=_FRAME_TYPE),
    *pair("DataType", "mbbo", 2, "Data type", labels=DATA_TYPE),
    *pair("ColorMode", "mbbo", 0, "Colour mode", labels=("Mono",)),
    *pair("Temperature", "ao", 25.0, "Temperature", units="C"),
    Record("TemperatureActual", "ai", 25.0, "Temperature", units="C"),
    Record("ReadStatus", "bo", 1, "Read the status"),
    Record("StringToServer_RBV", "text", "", "Latest request", read_only=True),
    Record("StringFromServer_RBV", "text", "", "Latest answer", read_only=True),
    Record("ShutterMode", "mbbo", 0, "Shutter", ("None", "EPICS PV", "Detector output")),
    Record("ShutterMode_RBV", "mbbi", 0, "Shutter", ("None", "EPICS PV", "Camera output")),
    *pair("ShutterControl", "bo", 0, "Move the shutter", labels=("Close", "Open")),
    Record("ShutterStatus_RBV", "bi", 0, "Shutter", ("Closed", "Open")),
    *pair("ShutterOpenDelay", "ao", 0.0, "Time to open", units="s"),
    *pair("ShutterCloseDelay", "ao", 0.0, "Time to close", units="s"),
    Record("ShutterControlEPICS", "bi", 0, "Shutter outside", ("Closed", "Open")),
    Record("ShutterFanout", "fanout", 0, "Shutter"),
    Record("ShutterOpenEPICS", "calcout", 0, "Shutter outside"),
    Record("ShutterCloseEPICS", "calcout", 0, "Shutter outside"),
    Record("ShutterStatusEPICS_RBV", "mbbi", 0, "Shutter outside", ("Closed", "Open")),
]
