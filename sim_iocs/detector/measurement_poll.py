"""The thread of the driver that follows a measurement: counters, rates, preview."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sim_iocs.channels import Channels
from sim_iocs.detector.latencies import Latencies
from sim_iocs.detector.readbacks import pipeline_state
from sim_iocs.detector.requests import Requests
from sim_iocs.detector.tables.labels import DETECTOR_STATE
from sim_iocs.serval import Measurement, Reply, Serval

__all__ = ["MeasurementPoll"]

_IDLE = DETECTOR_STATE.index("Idle")


class MeasurementPoll:
    """Asks for the measurement again and again.

    Parameters
    ----------
    channels
        Records of the driver.
    serval
        Whose measurement the preview is made from.
    requests
        How Serval is asked.
    latencies
        How often.
    preview
        Awaited with the measurement whenever a preview image is due.
    """

    def __init__(
        self,
        channels: Channels,
        serval: Serval,
        requests: Requests,
        latencies: Latencies,
        preview: Callable[[Measurement], Awaitable[None]],
    ) -> None:
        self._channels = channels
        self._serval = serval
        self._requests = requests
        self._latencies = latencies
        self._preview = preview
        self._wanted = False
        self._next_rates_s = 0.0
        self._next_preview_s = 0.0
        self.ended = asyncio.Event()

    def end(self) -> None:
        """Ask for no more; `ended` is set when the last answer has been shown."""
        self._wanted = False

    async def run(self) -> bool:
        """Follow until the measurement is over, and say whether it was.

        A first answer that is no good ends it, and nothing else happens. Later ones change
        nothing: a lost Serval is asked for ever.
        """
        self.ended.clear()
        self._wanted, self._next_rates_s = True, 0.0
        self._next_preview_s = time.monotonic() + self._preview_period_s()
        try:
            return await self._follow()
        finally:
            self.ended.set()

    async def last_look(self) -> None:
        """Read the counters once more, after the end."""
        reply = await self._requests.get("/measurement")
        if (info := _info(reply)) is not None:
            await self._show(info, rates=True, images=False)

    async def _follow(self) -> bool:
        first = True
        while self._wanted:
            reply = await self._requests.get("/measurement")
            info = _info(reply)
            if info is None and (first or reply.ok):
                what = "Invalid measurement JSON" if reply.ok else "Measurement HTTP error"
                await self._channels.post("StatusMessage_RBV", f"{what}; acquisition stopped")
                await self._channels.post("DetectorState_RBV", _IDLE)
                return False
            first = False
            if info is not None:
                now = time.monotonic()
                rates = now >= self._next_rates_s
                if rates:
                    self._next_rates_s = now + self._latencies.rates_s
                images = bool(self._channels.get("WritePrvImg"))
                await self._show(info, rates=rates, images=images)
                over = info["Status"] == "DA_IDLE"
                await self._show_preview(now, over=over)
                if over:
                    return True
            await asyncio.sleep(self._latencies.measurement_poll_s)
        return False

    def _preview_period_s(self) -> float:
        destination = self._serval.destination
        period_s = destination.preview_period_s if destination else 0.0
        return max(period_s, self._latencies.least_preview_s)

    async def _show_preview(self, now: float, *, over: bool) -> None:
        """Pass the preview on when it is due, and what is left at the end."""
        measurement, destination = self._serval.measurement, self._serval.destination
        if measurement is None or destination is None or not destination.preview:
            return
        if now >= self._next_preview_s or (over and measurement.hit_map):
            self._next_preview_s = now + self._preview_period_s()
            await self._preview(measurement)

    async def _show(self, info: Mapping[str, Any], *, rates: bool, images: bool) -> None:
        """Publish one answer."""
        values: dict[str, Any] = {"FrameCnt_RBV": info["FrameCount"]}
        if images:
            values["NumImagesCounter_RBV"] = info["FrameCount"]
        if rates:
            values |= {
                "StartTime_RBV": info["StartDateTime"],
                "ElapsedTime_RBV": info["ElapsedTime"],
                "TimeLeft_RBV": info["TimeLeft"],
                "PelEvtRate_RBV": info["PixelEventRate"],
                "Tdc1EvtRate_RBV": info["Tdc1EventRate"],
                "Tdc2EvtRate_RBV": info["Tdc2EventRate"],
            }
        values |= {
            "DroppedFrames_RBV": info["DroppedFrames"],
            "Status_RBV": info["Status"],
            "PipelineState_RBV": pipeline_state(info["Status"]),
        }
        await self._channels.post_all(values)


def _info(reply: Reply) -> Mapping[str, Any] | None:
    """What an answer says of the measurement, if it does."""
    if not reply.ok or not isinstance(reply.body, dict):
        return None
    info: Mapping[str, Any] = reply.body["Info"]
    return info
