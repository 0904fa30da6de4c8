"""The monochromator."""

from __future__ import annotations

import math
from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignalRO
from ophyd.signal import AttributeSignal

from twinbeam.devices.axis import Axis
from twinbeam.devices.goniometer import Goniometer
from twinbeam.physics import bragg_angle_deg

__all__ = ["Monochromator"]


class Monochromator(Device):
    """Photon energy, and the Bragg angles that belong to it.

    Parameters
    ----------
    kev_per_unit
        What one unit of the energy motor is in keV; 0.001 if it is in eV.
    """

    energy = Cpt(Axis, "-Ax:Energy}Mtr", labels=("motors",))
    bragg = Cpt(EpicsSignalRO, "}Bragg-I", kind="normal")
    crystal_bragg = Cpt(AttributeSignal, attr="crystal_bragg_deg", write_access=False)

    def __init__(self, *args: Any, kev_per_unit: float = 1.0, **kwargs: Any) -> None:
        self.kev_per_unit = kev_per_unit
        self._told_kev = math.nan
        self._standing = False
        super().__init__(*args, **kwargs)

    @property
    def energy_kev(self) -> float:
        """Present photon energy in keV."""
        return self.kev_per_unit * float(self.energy.position)

    @property
    def crystal_bragg_deg(self) -> float:
        """Bragg angle of the diamond (111) at this energy, computed, in degrees."""
        return float(bragg_angle_deg(self.energy_kev))

    def lead(self, goniometer: Goniometer) -> None:
        """Let the Bragg angle of a goniometer follow the energy.

        It follows when a move has ended, whoever began it, and when the energy is found elsewhere:
        at the beginning of a session, or after the motor's IOC was started again.
        """

        def follow(**_: Any) -> None:
            goniometer.follow_energy(self._told_kev)

        def at(value: float, **_: Any) -> None:
            self._told_kev = self.kev_per_unit * float(value)
            if self._standing:
                follow()

        def done(value: int, **_: Any) -> None:
            self._standing = value == 1
            if self._standing:
                follow()

        goniometer.follow(lambda: self._told_kev)
        # Before the status of the move ends, so that the next message knows the new angle.
        self.energy.subscribe(follow, event_type=self.energy.SUB_DONE, run=False)
        # What is told is kept: at a connection the other channels of the motor come later, and
        # nothing is told again once they have.
        self.energy.user_readback.subscribe(at)
        self.energy.motor_done_move.subscribe(done)
