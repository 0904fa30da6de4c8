"""The storage ring."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignalRO

__all__ = ["RingCurrent"]


class RingCurrent(Device):
    """Stored current in milliamperes; all rates follow it."""

    current = Cpt(EpicsSignalRO, "Real-I", kind="hinted")
    mode = Cpt(EpicsSignalRO, "Mode-Sts", string=True, kind="omitted")
