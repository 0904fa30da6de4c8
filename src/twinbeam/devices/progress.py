"""Status of an acquisition, with progress for bars in the terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from ophyd.ophydobj import OphydObject
from ophyd.status import DeviceStatus
from ophyd.utils import InvalidState

__all__ = ["FrameProgress"]


class FrameProgress(DeviceStatus):
    """Ends once, well or badly, and tells its watchers how many frames there are meanwhile.

    Parameters
    ----------
    device
        The detector.
    num_frames
        Frames of the whole acquisition.
    """

    def __init__(self, device: OphydObject, num_frames: int) -> None:
        # The acquisition stops the detector itself, before the status ends.
        super().__init__(device, call_stop_on_failure=False)
        self._num_frames = num_frames
        self._began_s = time.time()

    def watch(self, func: Callable[..., Any]) -> None:
        """Call `func` with keyword arguments whenever there is progress."""
        self._watchers.append(func)

    def report(self, frames: int) -> None:
        """Tell the watchers how many frames have ended."""
        for watcher in list(self._watchers):
            watcher(
                name=self.device.name,
                current=frames,
                initial=0,
                target=self._num_frames,
                unit="frames",
                precision=0,
                fraction=1.0 - frames / self._num_frames,
                time_elapsed=time.time() - self._began_s,
            )

    def end(self, error: Exception | None) -> None:
        """End with an error, or well if it is None; later calls do nothing."""
        with contextlib.suppress(InvalidState):
            if error is None:
                self.set_finished()
            else:
                self.set_exception(error)
