"""The beamline IOC: goniometer, optics, shutter, ring, intensity monitors, and the truth."""

from __future__ import annotations

from sim_iocs.beamline.crystal import Crystal, CrystalDescription
from sim_iocs.beamline.description import BeamlineDescription, MotorDescription, load_beamline
from sim_iocs.beamline.ioc import Beamline, BeamlineSettings, beamline_records
from sim_iocs.beamline.motor import Motor, Stuck
from sim_iocs.beamline.motor_fields import motor_records
from sim_iocs.beamline.storage_ring import StorageRing
from sim_iocs.beamline.world import Truth, World

__all__ = [
    "Beamline",
    "BeamlineDescription",
    "BeamlineSettings",
    "Crystal",
    "CrystalDescription",
    "Motor",
    "MotorDescription",
    "StorageRing",
    "Stuck",
    "Truth",
    "World",
    "beamline_records",
    "load_beamline",
    "motor_records",
]
