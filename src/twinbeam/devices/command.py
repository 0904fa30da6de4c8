"""A write whose completion ends a status, also when the connection is lost meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from ophyd import EpicsSignal
from ophyd.ophydobj import OphydObject

from twinbeam.devices.deadline import Deadline
from twinbeam.errors import BeamlineError

__all__ = ["Command", "check_connected"]

_ANSWER_S = 2.0
_POLL_S = 0.1


def check_connected(device: Any) -> None:
    """Make sure that a device is connected.

    Raises
    ------
    BeamlineError
        If it is not.
    """
    if not device.connected:
        raise BeamlineError(
            f"{device.name} is not connected",
            where=device.prefix,
            hint="an IOC may have ended; when it is back the device connects again by itself",
        )


class Command(Deadline):
    """Status that ends when a record has done what a write means.

    A connection that is lost takes the completion with it, and some client libraries tell its
    loss as one. So the value is written again when the connection is back: the IOC may have
    forgotten the first one.

    Parameters
    ----------
    device
        Whose command it is.
    signal
        What is written.
    value
        What is written to it.
    timeout_s
        Time until it counts as failed, in seconds.
    complaint
        Makes the error that says what did not happen; called only then.
    prepare
        Called before the value is written again.
    """

    def __init__(
        self,
        device: OphydObject,
        signal: EpicsSignal,
        value: Any,
        *,
        timeout_s: float,
        complaint: Callable[[], BeamlineError],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._signal = signal
        self._value = value
        self._prepare = prepare
        self._losses = 0
        self._away = False
        super().__init__(device, timeout_s=timeout_s, complaint=lambda: self._told(complaint()))
        token = signal.subscribe(self._connection, event_type=signal.SUB_META, run=False)
        self.add_callback(lambda _: self._unsubscribe(token))
        try:
            self._write()
        except Exception as reason:
            self.fail(self._not_written(reason))

    def _unsubscribe(self, token: int) -> None:
        with contextlib.suppress(KeyError):  # the device was destroyed meanwhile
            self._signal.unsubscribe(token)

    def _told(self, error: BeamlineError) -> BeamlineError:
        if not self._losses:
            return error
        return BeamlineError(
            f"{error.what}; the connection was lost meanwhile", where=error.where, hint=error.hint
        )

    def _not_written(self, reason: Exception) -> BeamlineError:
        error = BeamlineError(
            f"{self._value!r} could not be written: {type(reason).__name__}: {reason}",
            where=self._signal.setpoint_pvname,
            hint="does its IOC run? when it is back the device connects again by itself",
        )
        error.__cause__ = reason
        return error

    def _write(self) -> None:
        turn = self._losses

        def completed(*_: Any, **__: Any) -> None:
            self._start(lambda: self._confirm(turn))

        self._signal.put(self._value, use_complete=True, callback=completed)

    def _confirm(self, turn: int) -> None:
        """End, if the record answers: then it was the record that told the completion."""
        while turn == self._losses and not self.done:
            try:
                self._signal.get(use_monitor=False, timeout=_ANSWER_S)
            except Exception:  # each client library has its own errors
                threading.Event().wait(_POLL_S)
                continue
            if turn == self._losses:
                self.finish()
            return

    def _connection(self, *_: Any, connected: bool = False, **__: Any) -> None:
        if not connected:
            self._losses += not self._away
            self._away = True
        elif self._away and not self.done:
            self._away = False
            self._start(self._again)

    def _again(self) -> None:
        try:
            self._prepare()
            self._write()
        except Exception as reason:
            if self._signal.connected:  # otherwise it is written when it is back
                self.fail(self._not_written(reason))

    @staticmethod
    def _start(work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="command", daemon=True).start()
