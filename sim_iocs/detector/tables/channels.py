"""Output channels of Serval: raw files, images, previews, the histogram."""

from __future__ import annotations

from sim_iocs.detector.tables.labels import (
    FALSE_TRUE,
    FILE_FORMAT,
    FILE_MODE,
    INTEGRATION,
    NO_YES,
    STREAM,
)
from sim_iocs.records import Record, pair

__all__ = ["CHANNELS"]


def _switch(channel: str) -> tuple[Record, Record]:
    return pair(f"Write{channel}", "bo", 0, "Write it", labels=FALSE_TRUE, effect="switch")


def _place(channel: str) -> list[Record]:
    """Where a channel goes."""
    return [
        *pair(f"{channel}FilePath", "text", "", "file:/folder, http:// or tcp://", effect="path"),
        Record(
            f"{channel}FilePathExists_RBV",
            "bi",
            0,
            "The place exists",
            NO_YES,
            severities=("MAJOR", "NO_ALARM"),
        ),
        *pair(f"{channel}FileTemplate", "text", "", "Name before 6 digits", effect="channel"),
    ]


def _raw(channel: str) -> list[Record]:
    split = ("single_file", "frame")
    return [
        *_switch(channel),
        *_place(channel),
        *pair(f"{channel}SplitStg", "mbbo", 0, "Files a run", labels=split, effect="channel"),
        *pair(f"{channel}QueueSize", "longout", 16384, "Queue length", effect="channel"),
        Record(f"{channel}Stream", "mbbi", 3, "Kind of place", STREAM),
    ]


def _image(channel: str, limit: str, queue: int) -> list[Record]:
    """A channel of images; `limit` is the irregular name of the disk limit switch."""
    return [
        *_switch(channel),
        *_place(channel),
        *pair(f"{channel}FileFmt", "mbbo", 0, "Format", labels=FILE_FORMAT, effect="channel"),
        *pair(f"{channel}FileMode", "mbbo", 0, "Value", labels=FILE_MODE, effect="channel"),
        *pair(f"{channel}IntgSize", "longout", 1, "Frames added up", effect="channel"),
        *pair(f"{channel}IntgMode", "mbbo", 0, "How", labels=INTEGRATION, effect="channel"),
        *pair(limit, "bo", 0, "Stop at the disk limit", labels=FALSE_TRUE, effect="channel"),
        *pair(f"{channel}QueueSize", "longout", queue, "Queue length", effect="channel"),
        *_thresholds(channel),
    ]


def _thresholds(channel: str) -> list[Record]:
    """Counters of a Medipix3 that a channel shows; histograms have none."""
    if channel == "PrvHst":
        return []
    return [*pair(f"{channel}Ths", "text", "", "Thresholds", effect="channel", since="1.7.0")]


CHANNELS: list[Record] = [
    *_raw("Raw"),
    *_raw("Raw1"),
    *_image("Img", "ImgStpOnDskLim", 1024),
    *_image("Img1", "Img1StpOnDskLim", 1024),
    *_image("PrvImg", "PrvStpOnDskLim", 16),
    *_image("PrvImg1", "Prv1StpOnDskLim", 16),
    *_image("PrvHst", "PrvHstStpOnDskLim", 1024),
    *pair("PrvPeriod", "ao", 0.2, "Preview period", units="s", precision=3, effect="channel"),
    *pair(
        "PrvSmplgMode",
        "mbbo",
        0,
        "Preview sampling",
        labels=("skipOnFrame", "skipOnPeriod"),
        effect="channel",
    ),
    *pair("PrvHstNumBins", "longout", 1, "Histogram bins", effect="channel"),
    *pair("PrvHstBinWidth", "ao", 1.0, "Bin width", units="s", precision=9, effect="channel"),
    *pair("PrvHstOffset", "ao", 0.0, "First bin", units="s", precision=9, effect="channel"),
    Record("WriteData", "bo", 0, "Send the channels to Serval", NO_YES, effect="command"),
    Record("ApplyConfig", "bo", 0, "Send them, then 0 again", NO_YES, effect="command"),
]
