"""A status that fails by itself, with words of ours, when nothing ends it in time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from ophyd.ophydobj import OphydObject
from ophyd.status import DeviceStatus
from ophyd.utils import InvalidState

from twinbeam.errors import BeamlineError

__all__ = ["Deadline"]


class Deadline(DeviceStatus):
    """Status of one action with a time limit.

    Parameters
    ----------
    device
        Whose action it is.
    timeout_s
        Time until it counts as failed, in seconds.
    complaint
        Makes the error that says what did not happen; called only then.
    """

    def __init__(
        self, device: OphydObject, *, timeout_s: float, complaint: Callable[[], BeamlineError]
    ) -> None:
        super().__init__(device, call_stop_on_failure=False)
        self._complaint = complaint
        self._timer = threading.Timer(timeout_s, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def finish(self) -> None:
        """End well; does nothing if it has ended already."""
        with contextlib.suppress(InvalidState):
            self.set_finished()

    def fail(self, error: BeamlineError) -> None:
        """End badly; does nothing if it has ended already."""
        with contextlib.suppress(InvalidState):
            self.set_exception(error)

    def _expire(self) -> None:
        try:
            error = self._complaint()
        except Exception as why:  # what it would say is asked of somebody who does not answer
            error = BeamlineError(
                f"not done in time, and does not answer: {type(why).__name__}",
                where=self.device.name,
                hint="does its IOC run? when it is back the device connects again by itself",
            )
            error.__cause__ = why
        self.fail(error)

    def _settled(self) -> None:
        self._timer.cancel()
        super()._settled()
