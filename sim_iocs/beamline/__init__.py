"""The beamline IOC: goniometer, shutter, ring current, intensity monitor, and the truth."""

from __future__ import annotations

from sim_iocs.beamline.ioc import Beamline, BeamlineSettings, beamline_records
from sim_iocs.beamline.motor import Motor, MotorSpec, motor_records
from sim_iocs.beamline.world import Crystal, Monitor, ring_current_ma

__all__ = [
    "Beamline",
    "BeamlineSettings",
    "Crystal",
    "Monitor",
    "Motor",
    "MotorSpec",
    "beamline_records",
    "motor_records",
    "ring_current_ma",
]
