"""Enum strings that several rows share."""

from __future__ import annotations

from sim_iocs.records import Severity

__all__ = [
    "DATA_TYPE",
    "DETECTOR_ALARM",
    "DETECTOR_STATE",
    "DISABLE_ENABLE",
    "DONE_ACQUIRING",
    "FALSE_TRUE",
    "FILE_FORMAT",
    "FILE_MODE",
    "IMAGE_MODE",
    "INTEGRATION",
    "NO_YES",
    "PIPELINE",
    "STREAM",
    "TRIGGER_MODE",
    "TRIGGER_MODE_BEFORE_1_7_1",
    "trigger_modes",
]

NO_YES = ("No", "Yes")
FALSE_TRUE = ("false", "true")
DISABLE_ENABLE = ("Disable", "Enable")
DONE_ACQUIRING = ("Done", "Acquiring")
IMAGE_MODE = ("Single", "Multiple", "Continuous")
TRIGGER_MODE = (
    "PEXSTART_NEXSTOP",
    "NEXSTART_PEXSTOP",
    "PEXSTART_TIMERSTOP",
    "NEXSTART_TIMERSTOP",
    "AUTOTRIGSTART_TIMERSTOP",
    "CONTINUOUS",
    "SOFTWARESTART_TIMERSTOP",
    "SwReSt_SwReSp",
    "FOLLOWING",
)
# Since 1.7.1 the driver names its modes as Serval does, but for number 7.
TRIGGER_MODE_BEFORE_1_7_1 = (
    "PexSt_NexSp",
    "NexSt_PexSp",
    "PexSt_TmrSp",
    "NexSt_TmrSp",
    "AutoTrgSt_TmrSp",
    "Continuous",
    "SwReSt_TmrSp",
    "SwReSt_SwReSp",
)
DETECTOR_STATE = (
    "Idle",
    "Acquire",
    "Readout",
    "Correct",
    "Saving",
    "Aborting",
    "Error",
    "Waiting",
    "Initializing",
    "Disconnected",
    "Aborted",
)
DETECTOR_ALARM: tuple[Severity, ...] = (
    *("NO_ALARM",) * 5,
    "MINOR",
    "MAJOR",
    *("NO_ALARM",) * 2,
    "INVALID",
    "MINOR",
)
# The record holds -1 for Unknown, which a client sees as the state after the last one.
PIPELINE = ("DA_STARTING", "DA_RECORDING", "DA_STOPPING", "DA_IDLE", "Unknown")
# The driver's labels are not in areaDetector's order: number 3 is UInt16, number 5 UInt32.
DATA_TYPE = ("UInt8", "Int8", "UInt16", "Int16", "UInt32", "Int32")
FILE_FORMAT = ("tiff", "pgm", "png", "jsonimage", "jsonhisto")
FILE_MODE = ("count", "tot", "toa", "tof", "count_fb")
INTEGRATION = ("sum", "average", "last")
STREAM = ("file:/", "http://", "tcp://", "unknown")


def trigger_modes(driver: tuple[int, ...]) -> tuple[str, ...]:
    """States of `TriggerMode` in a version of the driver."""
    return TRIGGER_MODE if driver >= (1, 7, 1) else TRIGGER_MODE_BEFORE_1_7_1
