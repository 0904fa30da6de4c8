"""The detector of the diffracted beam, which finds and measures the rocking curve."""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO

from twinbeam.devices.command import Command, check_connected
from twinbeam.errors import BeamlineError

__all__ = ["IntensityMonitor"]


class IntensityMonitor(Device):
    """Counts for `count_time` seconds at each trigger; `intensity` is in counts per second.

    Parameters
    ----------
    patience_s
        Time beyond `count_time` after which a count has failed, in seconds.
    """

    count_time = Cpt(EpicsSignal, "Time-SP", put_complete=True, kind="config")
    count = Cpt(EpicsSignal, "Count-Cmd", put_complete=True, kind="omitted")
    # Not watched: a value from a monitor may be older than the end of the count.
    intensity = Cpt(EpicsSignalRO, "Rate-I", auto_monitor=False, kind="hinted")

    def __init__(self, *args: Any, patience_s: float = 10.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patience_s = patience_s

    def trigger(self) -> Command:
        """Count once; the status ends when `intensity` holds the result.

        The status fails with a `BeamlineError` when the count does not end. When the connection is
        lost meanwhile, it counts again as soon as it is back.

        Raises
        ------
        BeamlineError
            If the monitor is not connected, or does not answer.
        """
        check_connected(self)
        try:
            count_time_s = float(self.count_time.get())
        except Exception as reason:  # each client library has its own errors
            raise BeamlineError(
                f"does not answer: {type(reason).__name__}",
                where=self.count_time.pvname,
                hint="does its IOC run? when it is back the device connects again by itself",
            ) from reason
        return Command(
            self,
            self.count,
            1,
            timeout_s=count_time_s + self.patience_s,
            complaint=lambda: BeamlineError(
                f"a count of {count_time_s:g} s did not end within"
                f" {count_time_s + self.patience_s:g} s",
                where=self.count.setpoint_pvname,
                hint="is the scaler's IOC alive? put 0 to it, then count again",
            ),
            # an IOC that was started again has forgotten it
            prepare=lambda: self.count_time.put(count_time_s, wait=True),
        )
