"""Serval and its detector without EPICS: the model, its data, and a server that speaks HTTP."""

from __future__ import annotations

from sim_iocs.serval.config import DetectorConfig
from sim_iocs.serval.destination import (
    Channel,
    Destination,
    HistogramChannel,
    ImageChannel,
    RawChannel,
    place_exists,
)
from sim_iocs.serval.faults import Faults
from sim_iocs.serval.frames import Triggers
from sim_iocs.serval.measurement import Measurement
from sim_iocs.serval.outputs import OutputSettings
from sim_iocs.serval.playback import Recording
from sim_iocs.serval.reply import NO_ANSWER, Reply
from sim_iocs.serval.rest import Rest
from sim_iocs.serval.serval import Serval
from sim_iocs.serval.source import Beam, Source

__all__ = [
    "NO_ANSWER",
    "Beam",
    "Channel",
    "Destination",
    "DetectorConfig",
    "Faults",
    "HistogramChannel",
    "ImageChannel",
    "Measurement",
    "OutputSettings",
    "RawChannel",
    "Recording",
    "Reply",
    "Rest",
    "Serval",
    "Source",
    "Triggers",
    "place_exists",
]
