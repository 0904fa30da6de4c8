"""Start and stop of an acquisition, as the driver does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.channels import Channels
from sim_iocs.detector.latencies import Latencies
from sim_iocs.detector.measurement_poll import MeasurementPoll
from sim_iocs.detector.port import Port
from sim_iocs.detector.preview_ports import PreviewPorts
from sim_iocs.detector.requests import Requests
from sim_iocs.detector.stream_readers import StreamReaders
from sim_iocs.detector.tables.labels import DETECTOR_STATE
from sim_iocs.serval import Measurement, Reply, Serval

__all__ = ["Acquisition"]

_IDLE, _ACQUIRE, _ERROR = (DETECTOR_STATE.index(name) for name in ("Idle", "Acquire", "Error"))
_IN_USE = "Address already in use"
_PORT_MESSAGE = (
    "Preview TCP port in use (Serval did not release a prior listener). "
    "Restart Serval or change preview ports, then WriteData=1."
)


class Acquisition:
    """State machine behind `Acquire`.

    Parameters
    ----------
    channels
        Records of the driver.
    serval
        Whose measurement the preview is made from.
    requests
        How Serval is asked.
    port
        Where starts and stops wait for their turn.
    latencies
        How long its steps take.
    ports
        Tests the ports of streams before a start.
    readers
        Reads the streams.
    preview
        Awaited with the measurement whenever a preview image is due.
    drained
        Awaited before the busy record is cleared, if that waits for plugins.
    """

    def __init__(
        self,
        channels: Channels,
        serval: Serval,
        requests: Requests,
        port: Port,
        latencies: Latencies,
        *,
        ports: PreviewPorts,
        readers: StreamReaders,
        preview: Callable[[Measurement], Awaitable[None]],
        drained: Callable[[], Awaitable[None]],
    ) -> None:
        self._channels = channels
        self._serval = serval
        self._requests = requests
        self._port = port
        self._latencies = latencies
        self._ports = ports
        self._readers = readers
        self._drained = drained
        self._poll = MeasurementPoll(channels, serval, requests, latencies, preview)
        self._following: asyncio.Task[None] | None = None
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
                await self._stop()
        await self._idle.wait()

    async def abort(self) -> None:
        """Stop a running acquisition, as a write of a new exposure does; the port is ours."""
        if self.acquiring:
            await self._channels.post("Acquire", 0)
            await self._stop()

    async def _busy(self, value: int) -> None:
        for name in ("Acquire", "Acquire_RBV", "AcquireBusyCB"):
            await self._channels.post(name, value)
        if not value and self._channels.get("WaitForPlugins"):
            await self._drained()
        await self._channels.post("AcquireBusy", value)

    # --- start ------------------------------------------------------------------------------

    async def _start(self) -> None:
        post = self._channels.post
        self._idle.clear()
        await self._channels.alarm("Acquire", AlarmSeverity.NO_ALARM, AlarmStatus.NO_ALARM)
        await self._busy(1)
        await post("DetectorState_RBV", _ACQUIRE)
        await post("StatusMessage_RBV", "Starting acquisition...")
        await self._end_what_runs()
        await self._ports.make_free()
        reply = await self._requests.get("/measurement/start")
        if _IN_USE in reply.text:
            await self._ports.make_free(rotate=True)
            reply = await self._requests.get("/measurement/start")
        await self._requests.shown(reply)
        if not reply.ok:
            await self._refused(reply)
            return
        self._following = asyncio.create_task(self._follow(), name="measurement poll")
        await asyncio.sleep(self._latencies.reader_s * self._readers.count)
        self._readers.start()
        await post("StatusMessage_RBV", "Acquisition running")

    async def _end_what_runs(self) -> None:
        """Stop a measurement that somebody else began, or that could not be stopped."""
        for _ in range(2):
            stopped = await self._requests.get("/measurement/stop")
            if stopped.ok:
                await asyncio.sleep(self._latencies.start_s)
            held = await self._requests.get("/measurement")
            if not isinstance(held.body, dict):
                return
            if held.body["Info"]["Status"] in ("DA_IDLE", "DA_STOPPING"):
                return

    async def _refused(self, reply: Reply) -> None:
        """Go on believing that we acquire: `Acquire` stays 1 until 0 is written."""
        message = _PORT_MESSAGE if _IN_USE in reply.text else "Failed to start acquisition"
        await self._channels.post("StatusMessage_RBV", message)
        await self._channels.post("DetectorState_RBV", _IDLE)
        await self._channels.alarm("Acquire", AlarmSeverity.INVALID_ALARM, AlarmStatus.WRITE)

    # --- end --------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Follow the measurement to its natural end, which runs the stop sequence."""
        if not await self._poll.run():
            return
        me = asyncio.current_task()
        async with self._port:
            if self.acquiring and self._following is me:
                self._following = None
                await self._stop(by_itself=True)

    async def _stop(self, *, by_itself: bool = False) -> None:
        """The stop sequence: Serval, half a second, idle, and one last look at the counters."""
        post = self._channels.post
        following, self._following = self._following, None
        if following is not None:
            self._poll.end()
            if not following.done():
                # it may be waiting for the port to run this very sequence, which it then leaves
                await self._poll.ended.wait()
        await self._readers.finish(rest=by_itself)
        reply = await self._requests.get("/measurement/stop")
        if not reply.ok:
            await self._requests.shown(reply)
            await post("StatusMessage_RBV", "Failed to stop acquisition")
            await post("DetectorState_RBV", _ERROR)
            if not by_itself:  # the write itself has set Acquire to 0
                await self._busy(0)
                self._idle.set()
            return
        await asyncio.sleep(self._latencies.stop_s)
        problem = self._serval.measurement.problem if self._serval.measurement else None
        if problem and by_itself:
            await self._requests.shown(Reply(500, problem))
        await post("DetectorState_RBV", _IDLE)
        await post("StatusMessage_RBV", "Acquisition stopped")
        await self._channels.alarm("Acquire", AlarmSeverity.NO_ALARM, AlarmStatus.NO_ALARM)
        await self._busy(0)
        self._idle.set()
        # The driver does this after the put is complete, so counters may still change then.
        await self._poll.last_look()

    async def close(self) -> None:
        """End what runs, without the pauses of a stop."""
        if self._following is not None:
            self._following.cancel()
        await self._readers.finish(rest=False)
        await self._serval.close()
