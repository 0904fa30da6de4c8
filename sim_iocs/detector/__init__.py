"""The detector IOC: the Timepix3 driver's process variables over a model of its server."""

from __future__ import annotations

from sim_iocs.detector.config import DetectorConfig
from sim_iocs.detector.destination import Destination, RawChannel
from sim_iocs.detector.ioc import Detector, DetectorSettings
from sim_iocs.detector.measurement import Beam, Source
from sim_iocs.detector.serval import Reply, Serval
from sim_iocs.detector.tables import CAM, IMAGE

__all__ = [
    "CAM",
    "IMAGE",
    "Beam",
    "Destination",
    "Detector",
    "DetectorConfig",
    "DetectorSettings",
    "RawChannel",
    "Reply",
    "Serval",
    "Source",
]
