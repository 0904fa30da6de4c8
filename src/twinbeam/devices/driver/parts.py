"""What the groups of the driver's process variables are made of."""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO
from ophyd import FormattedComponent as FCpt
from ophyd.areadetector.base import EpicsSignalWithRBV

from twinbeam.devices.connect import connect

__all__ = ["Group", "action", "array", "readback", "setting", "switch", "value"]

_CONNECT_S = 10.0


class Group(Device):
    """Process variables that belong together, each of which connects when it is first used.

    A session that never asks for them pays nothing. `read` and its companions connect all that
    they need at once, and name every one that does not answer, such as those that came with a
    later release of the driver.
    """

    def read(self) -> Any:
        """Values of all parts that are not commands or arrays."""
        self._connect(config_only=False)
        return super().read()

    def describe(self) -> Any:
        """Types of what `read` gives."""
        self._connect(config_only=False)
        return super().describe()

    def read_configuration(self) -> Any:
        """Values of the parts that a run's configuration records."""
        self._connect(config_only=True)
        return super().read_configuration()

    def describe_configuration(self) -> Any:
        """Types of what `read_configuration` gives."""
        self._connect(config_only=True)
        return super().describe_configuration()

    def _connect(self, *, config_only: bool) -> None:
        wanted = self.configuration_attrs if config_only else self.read_attrs
        self.connect_parts(*(name for name in wanted if name in self.component_names))

    def connect_parts(self, *names: str, timeout_s: float = _CONNECT_S) -> None:
        """Connect some parts at once.

        Raises
        ------
        BeamlineError
            Naming every one that does not answer.
        """
        # Otherwise each part is waited for in turn.
        self.lazy_wait_for_connection = False
        try:
            parts = [getattr(self, name) for name in names]
        finally:
            del self.lazy_wait_for_connection
        new = [part for part in parts if not part.connected and not isinstance(part, Group)]
        if new:
            connect(*new, timeout_s=timeout_s)


def readback(suffix: str, *, string: bool = False, kind: str = "normal") -> Cpt:
    """A record that only tells."""
    return Cpt(EpicsSignalRO, suffix, string=string, lazy=True, kind=kind)


def setting(suffix: str, *, string: bool = False, kind: str = "normal") -> Cpt:
    """A set point `suffix` with its readback `suffix_RBV`; a put ends when the driver has it."""
    return Cpt(EpicsSignalWithRBV, suffix, string=string, put_complete=True, lazy=True, kind=kind)


def value(suffix: str, *, string: bool = False, kind: str = "normal") -> Cpt:
    """A record that is written and read back under one name."""
    return Cpt(EpicsSignal, suffix, string=string, put_complete=True, lazy=True, kind=kind)


def action(suffix: str, *, string: bool = False) -> Cpt:
    """A record that does something when it is written; nobody waits for its completion."""
    return Cpt(EpicsSignal, suffix, string=string, lazy=True, kind="omitted")


def array(suffix: str) -> Cpt:
    """Many numbers, which are fetched only when they are asked for."""
    return Cpt(EpicsSignalRO, suffix, auto_monitor=False, lazy=True, kind="omitted")


def switch(name: str) -> FCpt:
    """A set point with readback whose full name is a format of the group's attributes."""
    return FCpt(EpicsSignalWithRBV, name, put_complete=True, lazy=True, kind="normal")
