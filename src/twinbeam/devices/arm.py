"""The arm that carries the detector."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device

from twinbeam.devices.axis import Axis

__all__ = ["DetectorArm"]


class DetectorArm(Device):
    """Where the detector is: `two_theta` in degrees, `x`, `y` and the distance `z` in mm."""

    two_theta = Cpt(Axis, "ES{Arm-Ax:2Th}Mtr", labels=("motors",))
    x = Cpt(Axis, "ES{Det:Tpx3-Ax:X}Mtr", labels=("motors",), kind="normal")
    y = Cpt(Axis, "ES{Det:Tpx3-Ax:Y}Mtr", labels=("motors",), kind="normal")
    z = Cpt(Axis, "ES{Det:Tpx3-Ax:Z}Mtr", labels=("motors",), kind="normal")

    @property
    def distance_m(self) -> float:
        """From the crystal to the sensor, in metres."""
        return 1e-3 * float(self.z.position)
