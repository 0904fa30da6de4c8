"""Enum strings that the rows of several plugins share, and the alarms of states."""

from __future__ import annotations

from sim_iocs.records import Severity

__all__ = [
    "COLOUR_MODE",
    "DATA_TYPE",
    "DATA_TYPE_OUT",
    "DISABLE_ENABLE",
    "DONE_ACQUIRING",
    "FIRST_MAJOR",
    "NO_YES",
    "OFF_ON",
    "SECOND_MAJOR",
    "SECOND_MINOR",
]

NO_YES = ("No", "Yes")
OFF_ON = ("Off", "On")
DISABLE_ENABLE = ("Disable", "Enable")
DONE_ACQUIRING = ("Done", "Acquiring")
DATA_TYPE = (
    "Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float32", "Float64",
)  # fmt: skip
DATA_TYPE_OUT = (*DATA_TYPE, "Automatic")
COLOUR_MODE = ("Mono", "Bayer", "RGB1", "RGB2", "RGB3", "YUV444", "YUV422", "YUV421")

# In areaDetector much of what is switched on is a minor alarm, so that screens show it.
SECOND_MINOR: tuple[Severity, ...] = ("NO_ALARM", "MINOR")
SECOND_MAJOR: tuple[Severity, ...] = ("NO_ALARM", "MAJOR")
FIRST_MAJOR: tuple[Severity, ...] = ("MAJOR", "NO_ALARM")
