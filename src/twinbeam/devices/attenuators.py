"""The attenuators."""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO

from twinbeam.devices.command import Command, check_connected
from twinbeam.errors import BeamlineError

__all__ = ["Attenuators"]


class Attenuators(Device):
    """Foils in the beam; `set(0.01)` puts in those that come closest to that transmission.

    Parameters
    ----------
    timeout_s
        Time in which the foils must have moved, in seconds.
    """

    # Not watched: a value from a monitor may be older than the end of the move.
    transmission = Cpt(EpicsSignalRO, "}Trans-I", auto_monitor=False, kind="hinted")
    wanted = Cpt(EpicsSignal, "}Trans-SP", put_complete=True, kind="config")
    moving_status = Cpt(EpicsSignalRO, "}Moving-Sts", string=True, kind="omitted")

    def __init__(self, *args: Any, timeout_s: float = 20.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_s = timeout_s

    def check_value(self, value: float) -> None:
        """Make sure that `value` is a transmission.

        Raises
        ------
        BeamlineError
            If it is not above 0 and at most 1.
        """
        if not 0.0 < float(value) <= 1.0:
            raise BeamlineError(
                f"a transmission is above 0 and at most 1, not {value!r}", where=self.name
            )

    def set(self, value: float) -> Command:
        """Put the foils in that let `value` of the beam pass, as nearly as there are foils.

        The status ends when they stand and `transmission` holds what they let pass; it fails with
        a `BeamlineError` when that takes too long. When the connection is lost meanwhile, the
        foils are commanded again as soon as it is back.

        Raises
        ------
        BeamlineError
            If `value` is no transmission, or the attenuators are not connected.
        """
        self.check_value(value)
        check_connected(self)
        return Command(
            self,
            self.wanted,
            float(value),
            timeout_s=self.timeout_s,
            complaint=lambda: BeamlineError(
                f"the foils were not in place {self.timeout_s:g} s after the command"
                f" ({self.moving_status.name} is {self.moving_status.get()!r})",
                where=self.wanted.setpoint_pvname,
                hint="is the filter's IOC alive, and is there compressed air?",
            ),
        )
