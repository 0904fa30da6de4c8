"""Enum strings that several rows share."""

from __future__ import annotations

__all__ = [
    "DATA_TYPE",
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
# The record holds -1 for Unknown, which a client sees as the state after the last one.
PIPELINE = ("DA_STARTING", "DA_RECORDING", "DA_STOPPING", "DA_IDLE", "Unknown")
# The driver's labels are not in areaDetector's order: number 3 is UInt16, number 5 UInt32.
DATA_TYPE = ("UInt8", "Int8", "UInt16", "Int16", "UInt32", "Int32")
FILE_FORMAT = ("tiff", "pgm", "png", "jsonimage", "jsonhisto")
FILE_MODE = ("count", "tot", "toa", "tof", "count_fb")
INTEGRATION = ("sum", "average", "last")
STREAM = ("file:/", "http://", "tcp://", "unknown")
