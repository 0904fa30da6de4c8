"""Rows of the detector IOC, by topic, with the driver's names, types and enum strings."""

from __future__ import annotations

from sim_iocs.detector.tables.acquisition import ACQUISITION
from sim_iocs.detector.tables.areadetector import AREADETECTOR
from sim_iocs.detector.tables.channels import CHANNELS
from sim_iocs.detector.tables.chips import CHIPS
from sim_iocs.detector.tables.image import IMAGE
from sim_iocs.detector.tables.status import STATUS

__all__ = ["CAM", "IMAGE"]

CAM = [*ACQUISITION, *AREADETECTOR, *CHANNELS, *CHIPS, *STATUS]
