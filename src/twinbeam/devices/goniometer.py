"""The goniometer that carries the crystal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ophyd import Component as Cpt
from ophyd import PseudoPositioner, PseudoSingle, Signal
from ophyd.pseudopos import pseudo_position_argument, real_position_argument
from ophyd.status import MoveStatus

from twinbeam.devices.axis import Axis
from twinbeam.errors import BeamlineError
from twinbeam.physics import bragg_angle_deg

__all__ = ["Detuning", "Goniometer"]

_APPROACH_DEG = 0.005
_LARGEST_DETUNING_DEG = 1.0
_NOMINAL_KEV = 15.0
_LEAST_KEV, _MOST_KEV = 3.1, 200.0  # below that diamond (111) reflects nothing
_SAME = 1e-6


class Detuning(PseudoSingle):
    """Angle of the crystal above its Bragg angle, in degrees; `set` moves theta."""

    def move(
        self,
        pos: float,
        wait: bool = True,
        timeout: float | None = None,
        moved_cb: Callable[..., None] | None = None,
    ) -> MoveStatus:
        """Move theta to the Bragg angle plus `pos`; the status is that of theta.

        Raises
        ------
        BeamlineError
            If no Bragg angle was found yet.
        LimitError
            If theta may not go there.
        """
        self.check_value(pos)
        self._target = pos
        goniometer = self._parent
        angle_deg = goniometer.forward(goniometer.PseudoPosition(pos)).theta
        return goniometer.theta.move(angle_deg, wait=wait, timeout=timeout, moved_cb=moved_cb)

    def stop(self, *, success: bool = False) -> None:
        """Stop theta, and no other axis."""
        self._parent.theta.stop(success=success)

    @property
    def user_offset(self) -> Signal:
        """The Bragg angle that it counts from, which `%wa` lists as the offset."""
        return self._parent.bragg

    @property
    def moving(self) -> bool:
        """Whether theta moves."""
        return bool(self._parent.theta.moving)


class Goniometer(PseudoPositioner):
    """Angles and position of the crystal, as EPICS motor records.

    `theta`, `chi` and `phi` are in degrees; `x`, `y` and `z`, in millimetres, choose the place on
    the crystal. `detuning` is theta above the Bragg angle in `bragg`, which `find_bragg` and
    `rocking_curve` set when they have found it, or the user (``bps.mv(gonio.bragg, 11.5762)``);
    until then `bragg` holds the computed one and `detuning` refuses to move.
    """

    _real = ("theta",)

    theta = Cpt(Axis, "Ax:Th}Mtr", labels=("motors",), approach=_APPROACH_DEG)
    chi = Cpt(Axis, "Ax:Chi}Mtr", labels=("motors",), kind="normal")
    phi = Cpt(Axis, "Ax:Phi}Mtr", labels=("motors",), kind="normal")
    x = Cpt(Axis, "Ax:X}Mtr", labels=("motors",))
    y = Cpt(Axis, "Ax:Y}Mtr", labels=("motors",))
    z = Cpt(Axis, "Ax:Z}Mtr", labels=("motors",), kind="normal")
    detuning = Cpt(
        Detuning,
        limits=(-_LARGEST_DETUNING_DEG, _LARGEST_DETUNING_DEG),
        egu="deg",
        labels=("motors",),
    )
    bragg = Cpt(Signal, value=float(bragg_angle_deg(_NOMINAL_KEV)), kind="config")
    bragg_found = Cpt(Signal, value=0, kind="config")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._following: int | None = None
        self._energy_kev = _NOMINAL_KEV
        self._energy_now: Callable[[], float] | None = None
        super().__init__(*args, **kwargs)
        self.bragg.subscribe(self._bragg_changed, run=False)

    @pseudo_position_argument
    def forward(self, pseudo_pos: Any) -> Any:
        """Theta for a detuning, in degrees.

        Raises
        ------
        BeamlineError
            If no Bragg angle was found yet.
        """
        if not self.bragg_found.get():
            raise BeamlineError(
                "no Bragg angle is known yet, so there is no detuning from it",
                where=self.detuning.name,
                hint=f"run find_bragg, or set {self.name}.bragg to a measured angle in degrees",
            )
        return self.RealPosition(theta=float(self.bragg.get()) + pseudo_pos.detuning)

    @real_position_argument
    def inverse(self, real_pos: Any) -> Any:
        """Detuning for an angle of theta, in degrees."""
        return self.PseudoPosition(detuning=real_pos.theta - float(self.bragg.get()))

    def follow(self, energy_now: Callable[[], float]) -> None:
        """Tell where the photon energy in keV can be asked for; NaN while nobody knows it.

        A Bragg angle that somebody sets belongs to the energy of that moment.
        """
        self._energy_now = energy_now

    def follow_energy(self, energy_kev: float) -> None:
        """Shift the Bragg angle by what Bragg's law says for a new photon energy.

        A change that is none (1e-6 of the energy), or an energy that cannot be reflected, such as
        that of a motor record that has just been started, shifts nothing.
        """
        if not _LEAST_KEV < energy_kev < _MOST_KEV:
            return
        if abs(energy_kev - self._energy_kev) <= _SAME * energy_kev:
            return
        shift = float(bragg_angle_deg(energy_kev)) - float(bragg_angle_deg(self._energy_kev))
        self._energy_kev = energy_kev
        self._following = threading.get_ident()
        try:
            self.bragg.put(float(self.bragg.get()) + shift)
        finally:
            self._following = None

    def _bragg_changed(self, **_: Any) -> None:
        if self._following != threading.get_ident():
            self._note_energy()
            self.bragg_found.put(1)
        self.detuning.sync()
        if self.theta.connected and None not in self._real_cur_pos.values():
            self._update_position()

    def _note_energy(self) -> None:
        if self._energy_now is None:
            return
        energy_kev = self._energy_now()
        if _LEAST_KEV < energy_kev < _MOST_KEV:
            self._energy_kev = energy_kev
