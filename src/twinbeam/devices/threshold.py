"""Thresholds of all chips, moved together."""

from __future__ import annotations

import contextlib
from typing import Any

from ophyd import Component as Cpt
from ophyd.signal import AttributeSignal, InternalSignal
from ophyd.status import DeviceStatus

from twinbeam.devices.complaint import detector_error
from twinbeam.devices.uploads import Upload
from twinbeam.errors import BeamlineError

__all__ = ["ThresholdShift"]

_STEPS = range(512)  # of the fine converter


class ThresholdShift(Upload):
    """How many steps of the fine converter the thresholds stand above where they were found.

    Equalised chips have thresholds of their own, so they are moved together: 0 is where they stood
    when this was first asked after a start or after voltages were loaded; a positive shift is
    farther from the noise. In the driver's records (`CHIPn_Vth_fine`) the number gets smaller then.
    """

    loaded = Cpt(InternalSignal, value="", kind="omitted")
    #: The shift as the chips have it.
    shift = Cpt(AttributeSignal, attr="steps", write_access=False, kind="hinted")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._found: list[int] = []

    @property
    def steps(self) -> float:
        """The shift, from the first chip."""
        return float(self._zero()[0] - self._now()[0])

    def check_value(self, value: object) -> None:
        """Make sure that all thresholds can be moved so far.

        Raises
        ------
        BeamlineError
            If it is no whole number, or a converter has no such setting.
        """
        steps = _whole(self.name, value)
        for number, found in enumerate(self._zero()):
            if found - steps not in _STEPS:
                raise BeamlineError(
                    f"a shift of {steps} would set chip {number} to {found - steps}",
                    where=self.name,
                    hint=f"its converter has 0 to {_STEPS[-1]}, and it was found at {found}",
                )

    def set(self, value: object) -> DeviceStatus:
        """Move the thresholds of all chips to a shift.

        Raises
        ------
        BeamlineError
            If there is no such setting.
        """
        self.check_value(value)
        steps = _whole(self.name, value)
        return self._begin(lambda: self._shift(steps))

    def forget(self) -> None:
        """Count from where the thresholds stand next time, as after other voltages were loaded."""
        self._found = []

    def _connect(self) -> None:
        super()._connect()
        for chip in self.cam.recorded_chips():
            chip.dacs.connect_parts("threshold_fine", timeout_s=self.timeout_s)

    def _zero(self) -> list[int]:
        if not self._found:
            self._found = self._now()
        return self._found

    def _now(self) -> list[int]:
        chips = self.cam.recorded_chips()
        return [int(chip.threshold_fine.get(use_monitor=False)) for chip in chips]

    def _shift(self, steps: int) -> str:
        before = self._now()
        try:
            self._move([found - steps for found in self._zero()])
        except BaseException:
            with contextlib.suppress(Exception):
                self._link.renew()
                self._move(before)
            raise
        return str(steps)

    def _move(self, wanted: list[int]) -> None:
        for chip, value in zip(self.cam.recorded_chips(), wanted, strict=True):
            self._write(chip.dacs.threshold_fine, value)
        if not self._until(lambda: self._now() == wanted):
            raise detector_error(
                self.cam,
                f"thresholds are {self._now()}, not {wanted}",
                pv=self.cam.recorded_chips()[0].threshold_fine.pvname,
                hint="Serval may have refused them; see what it says",
            )


def _whole(name: str, value: object) -> int:
    try:
        steps = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        steps = 0.5
    if not steps.is_integer():
        raise BeamlineError(
            f"{value!r} is no whole number of steps", where=name, hint="give one such as -20"
        )
    return int(steps)
