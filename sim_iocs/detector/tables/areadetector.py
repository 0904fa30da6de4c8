"""What every areaDetector driver has and this one hardly uses, so that clients connect."""

from __future__ import annotations

from sim_iocs.detector.tables.labels import DATA_TYPE, NO_YES
from sim_iocs.records import Record, Severity, pair

__all__ = ["AREADETECTOR"]

_FRAME_TYPE = ("Normal", "Background", "FlatField", "DblCorrelation")

_CLOSED_OPEN = ("Closed", "Open")
_OPEN_MINOR: tuple[Severity, ...] = ("NO_ALARM", "MINOR")

AREADETECTOR: list[Record] = [
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
    *pair("SizeX", "longout", 1, "Columns"),
    *pair("SizeY", "longout", 1, "Rows"),
    *pair("ReverseX", "bo", 0, "Mirror columns", labels=NO_YES),
    *pair("ReverseY", "bo", 0, "Mirror rows", labels=NO_YES),
    *pair("Gain", "ao", 1.0, "Gain", precision=3),
    *pair("FrameType", "mbbo", 0, "Type of frame", labels=_FRAME_TYPE),
    *pair("DataType", "mbbo", 2, "Data type", labels=DATA_TYPE),
    *pair("ColorMode", "mbbo", 0, "Colour mode", labels=("Mono",)),
    *pair("Temperature", "ao", 25.0, "Temperature", units="C", precision=1),
    Record("TemperatureActual", "ai", 25.0, "Temperature", units="C", precision=1),
    Record("ReadStatus", "bo", 1, "Read the status"),
    Record("StringToServer_RBV", "text", "", "Latest request", read_only=True),
    Record("StringFromServer_RBV", "text", "", "Latest answer", read_only=True),
    Record("ShutterMode", "mbbo", 0, "Shutter", ("None", "EPICS PV", "Detector output")),
    Record("ShutterMode_RBV", "mbbi", 0, "Shutter", ("None", "EPICS PV", "Camera output")),
    *pair("ShutterControl", "bo", 0, "Move the shutter", labels=("Close", "Open")),
    Record("ShutterStatus_RBV", "bi", 0, "Shutter", _CLOSED_OPEN, severities=_OPEN_MINOR),
    *pair("ShutterOpenDelay", "ao", 0.0, "Time to open", precision=3),
    *pair("ShutterCloseDelay", "ao", 0.0, "Time to close", precision=3),
    Record("ShutterControlEPICS", "bi", 0, "Outside", _CLOSED_OPEN, severities=_OPEN_MINOR),
    Record("ShutterFanout", "fanout", 0, "Shutter"),
    Record("ShutterOpenEPICS", "calcout", 0, "Shutter outside"),
    Record("ShutterCloseEPICS", "calcout", 0, "Shutter outside"),
    Record("ShutterStatusEPICS_RBV", "mbbi", 0, "Outside", _CLOSED_OPEN, severities=_OPEN_MINOR),
]
