"""The detector IOC: the Timepix3 driver's process variables over a model of its server."""

from __future__ import annotations

from sim_iocs.detector.ioc import Detector, DetectorSettings
from sim_iocs.detector.tables import CAM

__all__ = ["CAM", "Detector", "DetectorSettings"]
