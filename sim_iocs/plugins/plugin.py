"""What all plugins do: take arrays or not, queue them, count them, pass them on."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np

from sim_iocs.channels import Channels
from sim_iocs.plugins.bus import ArrayBus
from sim_iocs.plugins.frame import Frame
from sim_iocs.records import Record

__all__ = ["Plugin", "describe"]

_log = logging.getLogger("sim_iocs")

_N_DIMENSIONS = 10


def describe(frame: Frame) -> dict[str, Any]:
    """Records that any port sets for an array, by name."""
    sizes = frame.dimensions + (0,) * (_N_DIMENSIONS - len(frame.dimensions))
    seconds = math.floor(frame.epics_s)
    return {
        "NDimensions_RBV": len(frame.dimensions),
        "Dimensions_RBV": np.array(sizes),
        **{f"Dim{axis}SA_RBV": size for axis, size in enumerate(sizes)},
        **{f"ArraySize{axis}_RBV": size for axis, size in enumerate(sizes)},
        "UniqueId_RBV": frame.unique_id,
        "TimeStamp_RBV": frame.epics_s,
        "EpicsTSSec_RBV": seconds,
        "EpicsTSNsec_RBV": round(1e9 * (frame.epics_s - seconds)),
    }


class Plugin(ABC):
    """A plugin on the records of `plugin_records`.

    Parameters
    ----------
    channels
        Its records.
    bus
        Where it gets arrays from, and hands them on to.
    executor
        Thread for what takes long, so that Channel Access stays quick.
    """

    def __init__(self, channels: Channels, bus: ArrayBus, executor: Executor) -> None:
        self.channels = channels
        self.port = channels.get("PortName_RBV")
        self.latest: Frame | None = None
        self._bus = bus
        self._executor = executor
        self._queue: asyncio.Queue[Frame] = asyncio.Queue()
        self._one = asyncio.Lock()
        self._accepted_s = 0.0
        self._counted = (time.monotonic(), 0)
        for record in channels.records():
            if not record.read_only and f"{record.name}_RBV" in channels:
                channels.on_put(record.name, self._echo(record))
        channels.on_put("NDArrayPort", self._connect)
        channels.on_put("NDArrayAddress", self._connect)
        channels.on_put("MaxArrayRate", self._rate_limit)
        channels.on_put("ProcessPlugin", self._again)
        self._listen()

    @property
    def pending(self) -> int:
        """Arrays that wait or are worked on."""
        return self._queue.qsize() + self._one.locked()

    async def run(self) -> None:
        """Work on what is queued, for ever."""
        while True:
            frame = await self._queue.get()
            try:
                await self._work(frame)
            finally:
                self._queue.task_done()
                await self._show_queue()

    async def drained(self) -> None:
        """Wait until nothing is queued."""
        await self._queue.join()

    async def receive(self, frame: Frame) -> None:
        """Take an array, or not: as enabled, as often as asked, as long as there is room."""
        get = self.channels.get
        if not get("EnableCallbacks_RBV"):
            return
        now = time.monotonic()
        if now - self._accepted_s < get("MinCallbackTime_RBV"):
            return
        self._accepted_s = now
        if get("BlockingCallbacks_RBV"):
            await self._work(frame)
        elif self._queue.qsize() >= max(get("QueueSize_RBV"), 1):
            await self.channels.post("DroppedArrays_RBV", get("DroppedArrays_RBV") + 1)
        else:
            self._queue.put_nowait(frame)
            await self._show_queue()

    async def tick(self) -> None:
        """Once a second: how many arrays came."""
        now, count = time.monotonic(), self.channels.get("ArrayCounter_RBV")
        then, before = self._counted
        self._counted = (now, count)
        await self.channels.post("ArrayRate_RBV", round(max(count - before, 0) / (now - then), 2))

    @abstractmethod
    async def process(self, frame: Frame) -> Frame | None:
        """Do what the plugin is for; what it returns is handed on."""

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        """Result of `work`, computed beside Channel Access."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def _work(self, frame: Frame) -> None:
        """Process one array; one at a time, whoever asks."""
        async with self._one:
            began = time.perf_counter()
            self.latest = frame
            try:
                result = await self.process(frame)
            except Exception:
                # The next array may be better; a plugin that is gone would help nobody.
                _log.exception("plugin %s", self.port)
                return
            post = self.channels.post
            await self.channels.post_all(describe(frame))
            await post("DataType_RBV", frame.data_type)
            await post("ColorMode_RBV", 0)
            await post("ExecutionTime_RBV", round(1e3 * (time.perf_counter() - began), 3))
            await post("ArrayCounter_RBV", self.channels.get("ArrayCounter_RBV") + 1)
        if result is not None and self.channels.get("ArrayCallbacks_RBV"):
            await self._bus.publish(self.port, 0, result)

    async def _show_queue(self) -> None:
        used, size = self._queue.qsize(), self.channels.get("QueueSize_RBV")
        await self.channels.post("QueueFree", max(size - used, 0))
        await self.channels.post("QueueUse", used)

    def _listen(self) -> None:
        get = self.channels.get
        self._bus.connect(self.receive, get("NDArrayPort_RBV"), get("NDArrayAddress_RBV"))

    def _echo(self, record: Record) -> Callable[[Any], Awaitable[None]]:
        async def echo(value: Any) -> None:
            await self.channels.post(f"{record.name}_RBV", value)

        return echo

    async def _connect(self, _: Any) -> None:
        for name in ("NDArrayPort", "NDArrayAddress"):
            await self.channels.post(f"{name}_RBV", self.channels.get(name))
        self._listen()

    async def _rate_limit(self, rate_hz: float) -> None:
        least_s = 1.0 / rate_hz if rate_hz > 0 else 0.0
        await self.channels.post("MaxArrayRate_RBV", rate_hz)
        await self.channels.post_all(dict.fromkeys(_MIN_TIME, least_s))

    async def _again(self, value: int) -> None:
        if value and self.latest is not None:
            await self._work(self.latest)


_MIN_TIME = ("MinCallbackTime", "MinCallbackTime_RBV")
