"""The detector of the diffracted beam, which finds and measures the rocking curve."""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO

from twinbeam.devices.deadline import Deadline
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

    def trigger(self) -> Deadline:
        """Count once; the status ends when `intensity` holds the result.

        The status fails with a `BeamlineError` when the count does not end.
        """
        count_time_s = float(self.count_time.get())
        status = Deadline(
            self,
            timeout_s=count_time_s + self.patience_s,
            complaint=lambda: BeamlineError(
                f"a count of {count_time_s:g} s did not end within"
                f" {count_time_s + self.patience_s:g} s",
                where=self.count.setpoint_pvname,
                hint="is the scaler's IOC alive? put 0 to it, then count again",
            ),
        )
        self.count.put(1, use_complete=True, callback=lambda *_, **__: status.finish())
        return status
