"""Whether the detector may be used now, told whenever that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.devices.guards import Guards

__all__ = ["HealthWatch"]


class HealthWatch:
    """Follows connection, temperatures, humidity and bias through values that come by themselves.

    Parameters
    ----------
    cam
        The driver.
    guards
        Gives the present limits.
    tell
        Called with what is wrong, a text each, whenever one of the values changes.
    """

    def __init__(
        self,
        cam: TimePix3Cam,
        guards: Callable[[], Guards],
        tell: Callable[[list[str]], None],
    ) -> None:
        self._cam = cam
        self._guards = guards
        self._tell = tell
        self._in_turn = threading.RLock()
        self._signals = (
            cam.serval_connected,
            cam.detector_connected,
            cam.temperature,
            cam.fpga_temperature,
            cam.humidity,
            cam.bias_set_v,
            cam.bias_on,
            cam.bias_measured_v,
        )
        for signal in self._signals:
            signal.subscribe(self.look, run=False)
            signal.subscribe(self.look, event_type=signal.SUB_META, run=False)

    def look(self, **_: Any) -> None:
        """Look at all values now; the chips' temperatures are only looked at when staging."""
        # Values and connections are told by several threads; the latest look is to be told last.
        with self._in_turn:
            self._tell(self._problems())

    def _problems(self) -> list[str]:
        # Asking one that is not connected would hold up the values of all others.
        if not all(signal.connected for signal in self._signals):
            return ["the IOC does not answer"]
        cam = self._cam
        try:
            if not cam.serval_connected.get():
                return ["the IOC has lost Serval"]
            if not cam.detector_connected.get():
                return ["Serval does not see the detector"]
            problems = self._guards().problems(cam, chips=False)
        except Exception as error:  # lost just now; each client library has its own errors
            return [f"the IOC does not answer ({type(error).__name__})"]
        return [f"{problem.where} {problem.what}" for problem in problems]
