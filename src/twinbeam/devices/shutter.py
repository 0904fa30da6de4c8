"""The photon shutter."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal

from twinbeam.devices.command import check_connected
from twinbeam.devices.deadline import Deadline
from twinbeam.devices.words import Words
from twinbeam.errors import BeamlineError

__all__ = ["Shutter"]

_LOOK_S = 0.5
_ANSWER_S = 2.0


class Shutter(Device):
    """Opens and closes by `set("open")` and `set("closed")`; `status` reads "Open" or "Closed".

    Parameters
    ----------
    timeout_s
        Time in which the status must follow a command, in seconds.
    """

    status = Cpt(Words, "Pos-Sts", auto_monitor=True, kind="normal")
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

        Raises
        ------
        BeamlineError
            If `value` is neither, or the shutter is not connected.
        """
        self.check_value(value)
        check_connected(self)
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
        lost = threading.Event()
        try:
            command.put(1)
        except Exception:  # the connection was lost just now; each client library has its errors
            lost.set()
        threading.Thread(
            target=self._follow,
            args=(wanted, status, before, command, lost),
            name="shutter",
            daemon=True,
        ).start()
        return status

    def _follow(
        self,
        wanted: str,
        status: Deadline,
        before: Deadline | None,
        command: EpicsSignal,
        lost: threading.Event,
    ) -> None:
        """Wait for the state, and repeat a command that a lost connection took along.

        States are told when they change, however short they last. Now and then it asks as well, for
        a connection that has just come back still shows the state of before.
        """
        look = threading.Event()

        def told(*_: Any, value: Any = None, **__: Any) -> None:
            if str(value).lower() == wanted and (before is None or before.done):
                status.finish()

        def connection(*_: Any, connected: bool = False, **__: Any) -> None:
            if not connected:
                lost.set()

        tokens = (
            (self.status, self.status.subscribe(told, run=False)),
            (command, command.subscribe(connection, event_type=command.SUB_META, run=False)),
        )
        for each in (status, before):
            if each is not None:
                each.add_callback(lambda _: look.set())
        while not status.done:
            look.clear()
            try:
                if lost.is_set() and self._newest is not None and self._newest[1] is status:
                    lost.clear()
                    command.put(1)
                if before is None or before.done:
                    shown = self.status.get(use_monitor=False, timeout=_ANSWER_S)
                    if str(shown).lower() == wanted:
                        status.finish()
            except Exception:  # away
                if not command.connected:
                    lost.set()
            if not status.done:
                look.wait(_LOOK_S)
        for signal, token in tokens:
            with contextlib.suppress(KeyError):  # the device was destroyed meanwhile
                signal.unsubscribe(token)
