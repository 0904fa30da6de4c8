"""The photon shutter."""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO

from twinbeam.devices.deadline import Deadline
from twinbeam.errors import BeamlineError

__all__ = ["Shutter"]


class Shutter(Device):
    """Opens and closes by `set("open")` and `set("closed")`; `status` reads "Open" or "Closed".

    Parameters
    ----------
    timeout_s
        Time in which the status must follow a command, in seconds.
    """

    status = Cpt(EpicsSignalRO, "Pos-Sts", string=True, auto_monitor=True, kind="normal")
    open_command = Cpt(EpicsSignal, "Cmd:Opn-Cmd", kind="omitted")
    close_command = Cpt(EpicsSignal, "Cmd:Cls-Cmd", kind="omitted")

    def __init__(self, *args: Any, timeout_s: float = 10.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_s = timeout_s
        self._newest: tuple[str, Deadline] | None = None

    def check_value(self, value: str) -> None:
        """Make sure that `value` is a state of the shutter.

        Raises
        ------
        BeamlineError
            If it is not.
        """
        if str(value).strip().lower() not in ("open", "closed"):
            raise BeamlineError(
                f"a shutter cannot be set to {value!r}", where=self.name, hint='"open" or "closed"'
            )

    def set(self, value: str) -> Deadline:
        """Open or close.

        Parameters
        ----------
        value
            "open" or "closed", in any case.

        Returns
        -------
        Deadline
            Ends when the status says so, or fails with a `BeamlineError`.
        """
        self.check_value(value)
        wanted = str(value).strip().lower()
        command = self.open_command if wanted == "open" else self.close_command
        status = Deadline(
            self,
            timeout_s=self.timeout_s,
            complaint=lambda: BeamlineError(
                f"still {self.status.get()!r} {self.timeout_s:g} s after the command to be"
                f" {wanted}",
                where=self.status.pvname,
                hint=f"{command.pvname} may be refused by an interlock; is the hutch searched?",
            ),
        )

        # A shutter on its way still shows the state it leaves, which may be the one wanted now.
        before = None
        if self._newest is not None and self._newest[0] != wanted and not self._newest[1].done:
            before = self._newest[1]
        self._newest = (wanted, status)

        def follow(*_: Any, value: Any = None, **__: Any) -> None:
            if str(value).lower() == wanted and (before is None or before.done):
                status.finish()

        token = self.status.subscribe(follow, run=False)
        status.add_callback(lambda _: self.status.unsubscribe(token))
        command.put(1)
        if before is None:
            follow(value=self.status.get())
        else:
            before.add_callback(lambda _: follow(value=self.status.get()))
        return status
