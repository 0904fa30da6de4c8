"""Start, poll and stop of an acquisition, as the driver does it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.channels import Channels
from sim_iocs.detector.latencies import Latencies
from sim_iocs.detector.measurement import Measurement
from sim_iocs.detector.replies import show_reply
from sim_iocs.detector.serval import Reply, Serval
from sim_iocs.detector.tables.labels import DETECTOR_STATE, PIPELINE

__all__ = ["Acquisition"]

IDLE, ACQUIRE, ERROR = (DETECTOR_STATE.index(name) for name in ("Idle", "Acquire", "Error"))


class Acquisition:
    """State machine behind `Acquire`.

    Parameters
    ----------
    channels
        Records of the driver.
    serval
        What it drives.
    latencies
        How long its steps take.
    preview
        Awaited with the measurement whenever a preview image is due.
    """

    def __init__(
        self,
        channels: Channels,
        serval: Serval,
        latencies: Latencies,
        *,
        preview: Callable[[Measurement], Awaitable[None]],
    ) -> None:
        self._channels = channels
        self._serval = serval
        self._latencies = latencies
        self._preview = preview
        self._polling: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        # The port thread does one thing at a time.
        self._port = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def acquiring(self) -> bool:
        """Whether the driver believes that it acquires; also after a refused start."""
        return not self._idle.is_set()

    async def put(self, value: int) -> None:
        """Handle a write to `Acquire`; returns when the acquisition it concerns is over."""
        async with self._port:
            if value and not self.acquiring:
                await self._start()
            elif not value and self.acquiring:
                await self._stop("Acquisition stopped")
        await self._idle.wait()

    async def abort(self) -> None:
        """Stop a running acquisition, as a write of a new exposure does."""
        async with self._port:
            if self.acquiring:
                await self._channels.post("Acquire", 0)
                await self._stop("Acquisition stopped")

    async def _busy(self, value: int) -> None:
        for name in ("Acquire", "Acquire_RBV", "AcquireBusy", "AcquireBusyCB"):
            await self._channels.post(name, value)

    async def _start(self) -> None:
        post = self._channels.post
        self._idle.clear()
        await self._channels.alarm("Acquire", AlarmSeverity.NO_ALARM, AlarmStatus.NO_ALARM)
        await self._busy(1)
        await post("DetectorState_RBV", ACQUIRE)
        await post("StatusMessage_RBV", "Starting acquisition...")
        await asyncio.sleep(self._latencies.start_s)
        reply = self._serval.start()
        await show_reply(self._channels, reply)
        if not reply.ok:
            # The driver goes on believing that it acquires: Acquire stays 1 until 0 is written.
            await post("StatusMessage_RBV", "Failed to start acquisition")
            await post("DetectorState_RBV", IDLE)
            await self._channels.alarm("Acquire", AlarmSeverity.INVALID_ALARM, AlarmStatus.WRITE)
            return
        measurement = self._serval.measurement
        assert measurement is not None
        self._polling = asyncio.create_task(self._poll(measurement), name="measurement poll")
        await asyncio.sleep(self._latencies.reader_s * self._n_readers())
        await post("StatusMessage_RBV", "Acquisition running")

    def _n_readers(self) -> int:
        destination = self._serval.destination
        if destination is None:
            return 0
        return sum(c.streams for c in (*destination.preview, *destination.image))

    async def _poll(self, measurement: Measurement) -> None:
        """Follow the measurement; its natural end runs the stop sequence."""
        destination = self._serval.destination
        previews = destination is not None and bool(destination.preview)
        period_s = max(
            destination.preview_period_s if destination else 0.0, self._latencies.least_preview_s
        )
        next_preview = time.monotonic() + period_s
        next_rates = 0.0
        while measurement.status != "DA_IDLE":
            now = time.monotonic()
            rates = now >= next_rates
            if rates:
                next_rates = now + self._latencies.rates_s
            await self._show(measurement, rates=rates, previews=previews)
            if previews and now >= next_preview:
                next_preview = now + period_s
                await self._preview(measurement)
            await asyncio.sleep(self._latencies.measurement_poll_s)
        if previews and measurement.hit_map:
            await self._preview(measurement)
        self._ending = asyncio.create_task(self._natural_end(measurement), name="natural end")

    async def _natural_end(self, measurement: Measurement) -> None:
        async with self._port:
            if self.acquiring and self._serval.measurement is measurement:
                if measurement.problem:
                    await show_reply(self._channels, Reply(500, measurement.problem))
                await self._stop("Acquisition stopped")

    async def _show(self, measurement: Measurement, *, rates: bool, previews: bool) -> None:
        """Publish one answer of `/measurement`."""
        post = self._channels.post
        await post("FrameCnt_RBV", measurement.frames)
        if previews:
            await post("NumImagesCounter_RBV", measurement.frames)
        if rates:
            await post("StartTime_RBV", round(1e3 * measurement.started_s))
            await post("ElapsedTime_RBV", round(measurement.elapsed_s, 6))
            await post("TimeLeft_RBV", round(measurement.time_left_s, 6))
            await post("PelEvtRate_RBV", round(measurement.hit_rate_hz))
        await post("Status_RBV", measurement.status)
        await post("PipelineState_RBV", PIPELINE.index(measurement.status))

    async def _stop(self, message: str) -> None:
        """The stop sequence: Serval, half a second, idle, and one last look at the counters."""
        post = self._channels.post
        polling, self._polling = self._polling, None
        await self._serval.stop()
        if polling is not None:
            await polling
        await asyncio.sleep(self._latencies.stop_s)
        await post("DetectorState_RBV", IDLE)
        await post("StatusMessage_RBV", message)
        await self._channels.alarm("Acquire", AlarmSeverity.NO_ALARM, AlarmStatus.NO_ALARM)
        await self._busy(0)
        self._idle.set()
        # The driver does this after the put is complete, so counters may still change then.
        if (measurement := self._serval.measurement) is not None:
            await self._show(measurement, rates=True, previews=False)

    async def close(self) -> None:
        """End what runs, without the pauses of a stop."""
        if self._polling is not None:
            self._polling.cancel()
        await self._serval.close()
