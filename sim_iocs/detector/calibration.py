"""Calibration files, thresholds of the chips, and how the detector stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sim_iocs.channels import Channels
from sim_iocs.detector.chip_records import THRESHOLDS
from sim_iocs.detector.port import Port
from sim_iocs.detector.requests import Requests

__all__ = ["Calibration"]

_FORMATS = {"BPC": "pixelconfig", "DACS": "dacs"}
_TURNS = (None, "right", "half", "left")
_N_CHIPS = 8


class Calibration:
    """Behaviour of these records.

    Parameters
    ----------
    channels
        Records of the driver.
    requests
        How Serval is asked.
    port
        Where writes wait for their turn.
    """

    def __init__(self, channels: Channels, requests: Requests, port: Port) -> None:
        self._channels = channels
        self._requests = requests
        self._port = port
        for name in _FORMATS:
            channels.on_put(f"Write{name}File", self._on_write(name))
        for chip in range(_N_CHIPS):
            for record, dac in THRESHOLDS.items():
                handler = self._on_threshold(chip, f"CHIP{chip}_{record}", dac)
                channels.on_put(f"CHIP{chip}_{record}", port.serial(handler))
        channels.on_put("DetOrient", port.serial(self._orient))

    def file(self, name: str) -> str:
        """Path of the file, on Serval's host; `name` is BPC or DACS."""
        get = self._channels.get
        return f"{get(f'{name}FilePath_RBV')}{get(f'{name}FileName_RBV')}"

    async def load(self, name: str) -> None:
        """Have Serval load the file of `name`, BPC or DACS."""
        path = self.file(name)
        reply = await self._requests.get("/config/load", format=_FORMATS[name], file=path)
        await self._requests.shown(reply)

    def _on_write(self, name: str) -> Callable[[int], Awaitable[None]]:
        free = asyncio.Event()

        async def write(value: int) -> None:
            if not value:
                free.set()
                return
            free.clear()
            async with self._port:
                await self.load(name)
            # the driver never sets the record back: a put with completion does not return
            await free.wait()

        return write

    def _on_threshold(self, chip: int, record: str, dac: str) -> Callable[[int], Awaitable[None]]:
        async def threshold(value: int) -> None:
            await self._channels.post(f"{record}_RBV", value)
            path = f"/detector/chips/{chip}/dacs"
            held = await self._requests.get(path)
            if held.ok and isinstance(held.body, dict):
                held = await self._requests.put(path, {**held.body, dac: value})
            await self._requests.shown(held)

        return threshold

    async def _orient(self, value: int) -> None:
        await self._channels.post("DetOrient_RBV", value)
        mirrored, quarter = divmod(value, len(_TURNS))
        query: dict[str, Any] = {"reset": "true"}
        if mirrored:
            query["flip"] = "horizontal"
        reply = await self._requests.get("/detector/layout/rotate", **query)
        if reply.ok and (turn := _TURNS[quarter]) is not None:
            reply = await self._requests.get("/detector/layout/rotate", direction=turn)
        await self._requests.shown(reply)
