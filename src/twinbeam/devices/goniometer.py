"""The goniometer that carries the crystal."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device, EpicsMotor

__all__ = ["Goniometer"]

_LONGEST_MOVE_S = 120.0


class Goniometer(Device):
    """Angle and position of the crystal, as EPICS motor records.

    `theta` is in degrees; `x` and `y`, in millimetres, choose the place on the crystal.
    """

    theta = Cpt(EpicsMotor, "Gon-theta", labels=("motors",), timeout=_LONGEST_MOVE_S)
    x = Cpt(EpicsMotor, "Gon-x", labels=("motors",), timeout=_LONGEST_MOVE_S)
    y = Cpt(EpicsMotor, "Gon-y", labels=("motors",), timeout=_LONGEST_MOVE_S)
