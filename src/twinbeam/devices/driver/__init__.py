"""Every process variable of the areaDetector driver ADTimePix3, in groups by what it is for."""

from __future__ import annotations

from twinbeam.devices.driver.areadetector import Arrays, CameraBase, Memory
from twinbeam.devices.driver.calibration import CalibrationFiles, Mask, PixelConfig
from twinbeam.devices.driver.channels import (
    HistogramChannel,
    ImageChannel,
    PreviewChannel,
    Previews,
    RawChannel,
)
from twinbeam.devices.driver.chip import Chip, ChipDacs, ChipLabels, ChipPixels, SecondBoardChip
from twinbeam.devices.driver.configuration import (
    DetectorConfig,
    Measurement,
    MeasurementConfig,
    MedipixConfig,
)
from twinbeam.devices.driver.parts import Group
from twinbeam.devices.driver.state import (
    Alarms,
    Connection,
    DetectorInfo,
    Health,
    Status,
    Supply,
)
from twinbeam.devices.driver.sums import HistogramSums, ImageSums, PreviewFrames

__all__ = [
    "Alarms",
    "Arrays",
    "CalibrationFiles",
    "CameraBase",
    "Chip",
    "ChipDacs",
    "ChipLabels",
    "ChipPixels",
    "Connection",
    "DetectorConfig",
    "DetectorInfo",
    "Group",
    "Health",
    "HistogramChannel",
    "HistogramSums",
    "ImageChannel",
    "ImageSums",
    "Mask",
    "Measurement",
    "MeasurementConfig",
    "MedipixConfig",
    "Memory",
    "PixelConfig",
    "PreviewChannel",
    "PreviewFrames",
    "Previews",
    "RawChannel",
    "SecondBoardChip",
    "Status",
    "Supply",
]
