"""The ion chamber in front of the crystal."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignalRO

__all__ = ["IonChamber"]


class IonChamber(Device):
    """Current of the ion chamber in amperes; it follows the flux on the crystal."""

    current = Cpt(EpicsSignalRO, "I-I", auto_monitor=False, kind="hinted")
