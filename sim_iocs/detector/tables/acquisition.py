"""Acquisition and detector configuration."""

from __future__ import annotations

from sim_iocs.detector.tables.labels import (
    DETECTOR_ALARM,
    DETECTOR_STATE,
    FALSE_TRUE,
    IMAGE_MODE,
    PIPELINE,
    TRIGGER_MODE,
)
from sim_iocs.records import Record, pair

__all__ = ["ACQUISITION"]

_SELECT = tuple("0123456")
_EDGES = ("P0123", "N0123", "PN0123", "P0", "N0", "PN0")
_TURNS = ("UP", "RIGHT", "DOWN", "LEFT")

ACQUISITION: list[Record] = [
    *pair("AcquireTime", "ao", 1.0, "Exposure", units="s", precision=3, effect="config_stops_run"),
    *pair(
        "AcquirePeriod",
        "ao",
        0.0,
        "Frame period",
        units="s",
        precision=3,
        effect="config_stops_run",
    ),
    *pair("NumImages", "longout", 1, "Frames a run", effect="config"),
    *pair("NumExposures", "longout", 1, "Exposures a frame, not used"),
    *pair("ImageMode", "mbbo", 2, "0 forces one frame", labels=IMAGE_MODE, effect="command"),
    *pair("TriggerMode", "mbbo", 0, "Trigger mode", labels=TRIGGER_MODE, effect="config"),
    *pair("TriggerDelay", "ao", 0.0, "Delay", units="s", effect="config_stops_run"),
    *pair("TriggerIn", "mbbo", 0, "Trigger input", labels=_SELECT, effect="config"),
    *pair("TriggerOut", "mbbo", 0, "Trigger output", labels=_SELECT, effect="config"),
    *pair("BiasVolt", "longout", 0, "Bias voltage", units="V", effect="config"),
    *pair("BiasEnbl", "bo", 0, "Bias on", labels=FALSE_TRUE, effect="config"),
    *pair(
        "Polarity", "bo", 0, "Charge collected", labels=("Positive", "Negative"), effect="config"
    ),
    *pair("ChainMode", "mbbo", 0, "Role", labels=("NONE", "LEADER", "FOLLOWER"), effect="config"),
    *pair(
        "GlblTimestampIntvl",
        "ao",
        0.0,
        "Interval of global time words, 0 = none",
        units="s",
        effect="config_stops_run",
    ),
    *pair("RefClock", "bo", 0, "External clock", labels=FALSE_TRUE, effect="config"),
    *pair("LogLevel", "mbbo", 0, "Log level", labels=("0", "1", "2"), effect="config"),
    *pair("PeriphClk80", "bo", 0, "80 MHz clock, sent with the next", labels=FALSE_TRUE),
    *pair("Tdc0", "mbbo", 0, "Edges of TDC 1, sent with the next", labels=_EDGES),
    *pair("Tdc1", "mbbo", 0, "Edges of TDC 2, sent with the next", labels=_EDGES),
    *pair(
        "DetOrient",
        "mbbo",
        0,
        "Orientation of the layout",
        labels=_TURNS + tuple(f"{turn}_MIRRORED" for turn in _TURNS),
    ),
    Record("ExposureTime_RBV", "ai", 0.0, "Exposure in Serval", units="s"),
    Record("TriggerPeriod_RBV", "ai", 0.0, "Trigger period in Serval", units="s"),
    Record("nTriggers_RBV", "longin", 0, "Triggers in Serval"),
    Record("TriggerModeC_RBV", "stringin", "", "Trigger mode in Serval"),
    Record("Tdc_RBV", "stringin", "", "TDC configuration in Serval"),
    Record("Fan1PWM_RBV", "longin", 100, "Fan 1 set value", units="%"),
    Record("Fan2PWM_RBV", "longin", 100, "Fan 2 set value", units="%"),
    Record(
        "DetectorState_RBV",
        "mbbi",
        0,
        "State of the driver",
        DETECTOR_STATE,
        severities=DETECTOR_ALARM,
    ),
    Record("StatusMessage_RBV", "text", "", "What the driver does", read_only=True),
    Record("NumImagesCounter_RBV", "longin", 0, "Frames, while the preview is on"),
    Record("NumExposuresCounter_RBV", "longin", 0, "Exposures, not used"),
    Record("TimeRemaining_RBV", "ai", 0.0, "Time remaining, not used"),
    Record("PelEvtRate_RBV", "longin", 0, "Pixel hit rate", units="events/s"),
    Record("Tdc1EvtRate_RBV", "longin", 0, "TDC 1 rate", units="events/s"),
    Record("Tdc2EvtRate_RBV", "longin", 0, "TDC 2 rate", units="events/s"),
    Record("StartTime_RBV", "int64in", 0, "Start, Unix epoch", units="ms"),
    Record("ElapsedTime_RBV", "ai", 0.0, "Time since the start", units="s"),
    Record("TimeLeft_RBV", "ai", 0.0, "Time to the end", units="s"),
    Record("FrameCnt_RBV", "longin", 0, "Frames finished"),
    Record("DroppedFrames_RBV", "longin", 0, "Frames lost"),
    Record("Status_RBV", "stringin", "", "Measurement status in Serval"),
    Record(
        "PipelineState_RBV", "mbbi", 4, "Measurement status as a number", PIPELINE, since="1.7.1"
    ),
]
