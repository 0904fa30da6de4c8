"""NDTimeSeries: the values of successive arrays, point by point."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.channels import Channels
from sim_iocs.plugins.frame import Frame
from sim_iocs.plugins.plugin import Plugin

__all__ = ["TimeSeries"]

_FIXED = 0


class TimeSeries(Plugin):
    """Keeps a number of points of several signals.

    Parameters
    ----------
    signals
        Records that hold the series, in the order of the signals, by name.
    """

    def __init__(self, *parts: Any, signals: tuple[Channels, list[str]]) -> None:
        super().__init__(*parts)
        self._place, self._names = signals
        self._idle = asyncio.Event()
        self._idle.set()
        self._started_s = 0.0
        self._points: NDArray[np.float64]
        self._times: NDArray[np.float64]
        self._sum: NDArray[np.float64] | None
        self._next: int
        self._n_summed: int
        self._reset()
        for name, handler in (
            ("TSAcquire", self._acquire),
            ("TSRead", self._read),
            ("TSNumPoints", self._resize),
            ("TSTimePerPoint", self._averaging),
            ("TSAveragingTime", self._averaging),
            ("TSAcquireMode", self._mode),
        ):
            self.channels.on_put(name, handler)

    async def process(self, frame: Frame) -> None:
        """Add one point, or a part of one."""
        if self._idle.is_set():
            return
        self._sum = frame.data if self._sum is None else self._sum + frame.data
        self._n_summed += 1
        if self._n_summed < self.channels.get("TSNumAverage"):
            return
        self._points[:, self._next] = self._sum / self._n_summed
        self._times[self._next] = frame.epics_s
        self._sum, self._n_summed = None, 0
        self._next += 1
        await self.channels.post("TSCurrentPoint", self._next)
        elapsed_s = round(time.monotonic() - self._started_s, 3)
        await self.channels.post("TSElapsedTime", elapsed_s)
        if self._next == self._points.shape[1]:
            if self.channels.get("TSAcquireMode_RBV") == _FIXED:
                await self._end()
            else:
                self._next = 0
                await self.channels.post("TSCurrentPoint", 0)

    async def tick(self) -> None:
        """Once a second: what has come so far."""
        await super().tick()
        if not self._idle.is_set():
            await self._show()

    def _reset(self) -> None:
        n_points = int(self.channels.get("TSNumPoints"))
        self._points = np.zeros((len(self._names), n_points))
        self._times = np.zeros(n_points)
        self._next = 0
        self._sum, self._n_summed = None, 0
        self._started_s = time.monotonic()

    async def _acquire(self, value: int) -> None:
        """Start or stop; the put completes when the series does."""
        if value:
            self._reset()
            await self.channels.post("TSCurrentPoint", 0)
            await self.channels.post("TSAcquiring", 1)
            self._idle.clear()
        elif not self._idle.is_set():
            await self._end()
        await self._idle.wait()

    async def _end(self) -> None:
        await self._show()
        await self.channels.post("TSAcquiring", 0)
        await self.channels.post("TSAcquire", 0)
        self._idle.set()

    async def _show(self) -> None:
        """Update the arrays: the points so far, or all of them, the oldest first."""
        if self.channels.get("TSAcquireMode_RBV") == _FIXED:
            points, times = self._points[:, : self._next], self._times[: self._next]
        else:
            points = np.roll(self._points, -self._next, axis=1)
            times = np.roll(self._times, -self._next)
        for name, series in zip(self._names, points, strict=True):
            await self._place.post(name, series.copy())
        await self.channels.post("TSTimestamp", times.copy())

    async def _read(self, _: int) -> None:
        await self._show()
        await self._axis()

    async def _resize(self, _: int) -> None:
        self._reset()
        await self._axis()

    async def _mode(self, value: int) -> None:
        await self.channels.post("TSAcquireMode_RBV", value)
        await self._resize(0)

    async def _averaging(self, _: float) -> None:
        """Arrays that make a point; without a time an array each one is."""
        get, post = self.channels.get, self.channels.post
        per_array_s, wanted_s = get("TSTimePerPoint"), get("TSAveragingTime")
        number = max(round(wanted_s / per_array_s), 1) if per_array_s > 0 else 1
        await post("TSTimePerPoint_RBV", per_array_s)
        await post("TSAveragingTime_RBV", number * per_array_s if per_array_s > 0 else wanted_s)
        await post("TSNumAverage", number)
        await self._axis()

    async def _axis(self) -> None:
        n_points = len(self._times)
        step_s = self.channels.get("TSAveragingTime_RBV")
        first = 0 if self.channels.get("TSAcquireMode_RBV") == _FIXED else 1 - n_points
        await self.channels.post("TSTimeAxis", step_s * (first + np.arange(n_points)))
