"""The slits that shape the beam, the beam stop, and the sample."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignalRO

from twinbeam.devices.axis import Axis

__all__ = ["BeamStop", "SampleStage", "Slits"]


class Slits(Device):
    """Openings and centres of a pair of slits, in millimetres."""

    x_gap = Cpt(Axis, "-Ax:XGap}Mtr", labels=("motors",))
    x_centre = Cpt(Axis, "-Ax:XCtr}Mtr", labels=("motors",), kind="normal")
    y_gap = Cpt(Axis, "-Ax:YGap}Mtr", labels=("motors",))
    y_centre = Cpt(Axis, "-Ax:YCtr}Mtr", labels=("motors",), kind="normal")


class BeamStop(Device):
    """The beam stop in front of the detector, in millimetres, with a diode in it (amperes)."""

    x = Cpt(Axis, "-Ax:X}Mtr", labels=("motors",))
    y = Cpt(Axis, "-Ax:Y}Mtr", labels=("motors",))
    diode = Cpt(EpicsSignalRO, "-Diode}I-I", kind="normal")


class SampleStage(Device):
    """The sample in the signal half, in millimetres."""

    x = Cpt(Axis, "-Ax:X}Mtr", labels=("motors",))
    y = Cpt(Axis, "-Ax:Y}Mtr", labels=("motors",))
