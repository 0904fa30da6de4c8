"""The areaDetector driver: what it does when a value is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sim_iocs.channels import Channels
from sim_iocs.detector.acquisition import Acquisition
from sim_iocs.detector.calibration import Calibration
from sim_iocs.detector.connection import Connection
from sim_iocs.detector.latencies import Latencies
from sim_iocs.detector.masks import Masks
from sim_iocs.detector.measurement_records import MEASUREMENT_RECORDS, measurement_config_of
from sim_iocs.detector.paths import Paths
from sim_iocs.detector.pixel_check import PixelCheck
from sim_iocs.detector.port import Port
from sim_iocs.detector.preview_ports import PreviewPorts
from sim_iocs.detector.pushes import Pushes
from sim_iocs.detector.readbacks import Readbacks
from sim_iocs.detector.requests import Requests
from sim_iocs.detector.stream_readers import StreamReaders
from sim_iocs.plugins import PluginSet
from sim_iocs.records import Record
from sim_iocs.serval import Measurement, Rest, Serval

__all__ = ["Driver"]

Handler = Callable[[Any], Awaitable[None]]


class Driver:
    """Connects the records of `cam1:` with Serval.

    Parameters
    ----------
    channels
        Records of the driver.
    serval
        What it drives.
    latencies
        How long its steps take.
    plugins
        Who gets arrays.
    preview
        Awaited with the measurement whenever a preview image is due.
    """

    def __init__(
        self,
        channels: Channels,
        serval: Serval,
        latencies: Latencies,
        plugins: PluginSet,
        *,
        preview: Callable[[Measurement], Awaitable[None]],
    ) -> None:
        self._channels = channels
        self._latencies = latencies
        self._port = Port()
        self._requests = Requests(channels, Rest(serval))
        self._pushes = Pushes(channels, self._requests)
        self._paths = Paths(channels)
        self._acquisition = Acquisition(
            channels,
            serval,
            self._requests,
            self._port,
            latencies,
            ports=PreviewPorts(channels, self._pushes, self._paths),
            readers=StreamReaders(channels, plugins),
            preview=preview,
            drained=plugins.drained,
        )
        self._readbacks = Readbacks(channels, self._requests, lambda: self._acquisition.acquiring)
        self._take_writes()
        self._calibration = Calibration(channels, self._requests, self._port)
        rest = (channels, self._requests, self._port, lambda: self._calibration.file("BPC"))
        self._pixel_check = PixelCheck(*rest)
        self._masks = Masks(*rest, latencies.sequence_s)
        self._connection = Connection(
            channels,
            self._port,
            self._readbacks,
            self._pushes,
            self._calibration,
            latencies.connection_poll_s,
        )

    async def initialise(self) -> None:
        """Send what the records hold after the start."""
        await self._paths.check_all()
        await self._pushes.config()
        await self._pushes.destination()
        await self._readbacks.refresh()

    async def run(self) -> None:
        """Refresh readbacks every second and look at the connection every five, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._scan())
            tasks.create_task(self._connection.run())

    async def close(self) -> None:
        """End what runs."""
        await self._acquisition.close()

    async def _scan(self) -> None:
        while True:
            async with self._port:
                await self._readbacks.refresh()
            await asyncio.sleep(self._latencies.refresh_s)

    # --- writes -----------------------------------------------------------------------------

    def _take_writes(self) -> None:
        kinds: dict[str, Callable[[Record], Handler]] = {
            "none": self._echo,
            "channel": self._echo,
            "config": self._on_config,
            "config_stops_run": self._on_config_that_stops,
            "path": self._on_path,
            "switch": self._on_switch,
        }
        for record in self._channels.records():
            if not record.read_only and record.effect in kinds:
                self._on_put(record.name, kinds[record.effect](record))
        self._on_put("ImageMode", self._image_mode)
        self._on_put("WriteData", self._write_data)
        self._on_put("ApplyConfig", self._apply_config)
        self._on_put("RefreshConnection", self._refresh_connection)
        self._on_put("Health", self._health)
        for name in MEASUREMENT_RECORDS:
            self._on_put(name, self._on_measurement_config(name))
        # waits for its turn by itself, and goes on waiting when others have theirs
        self._channels.on_put("Acquire", self._acquisition.put)

    def _on_put(self, name: str, handler: Handler) -> None:
        self._channels.on_put(name, self._port.serial(handler))

    async def _copy(self, name: str, value: Any) -> None:
        if f"{name}_RBV" in self._channels:
            await self._channels.post(f"{name}_RBV", value)

    def _echo(self, record: Record) -> Handler:
        async def echo(value: Any) -> None:
            await self._copy(record.name, value)

        return echo

    def _on_config(self, record: Record) -> Handler:
        async def config(value: Any) -> None:
            if record.name == "NumImages" and self._channels.get("ImageMode_RBV") == 0:
                value = 1
            await self._copy(record.name, value)
            await self._pushes.config()

        return config

    def _on_config_that_stops(self, record: Record) -> Handler:
        async def config(value: Any) -> None:
            await self._acquisition.abort()
            await self._copy(record.name, value)
            await self._pushes.config()

        return config

    async def _image_mode(self, value: int) -> None:
        await self._acquisition.abort()
        await self._copy("ImageMode", value)
        if value == 0:
            await self._copy("NumImages", 1)
            await self._pushes.config()

    def _on_path(self, record: Record) -> Handler:
        async def path(value: str) -> None:
            await self._copy(record.name, value)
            await self._paths.check(record.name)

        return path

    def _on_switch(self, _: Record) -> Handler:
        async def switch(_value: int) -> None:
            await self._pushes.read_destination()

        return switch

    async def _write_data(self, _: int) -> None:
        await self._pushes.destination()

    async def _apply_config(self, value: int) -> None:
        if value:
            await self._pushes.destination()
            await self._channels.post("ApplyConfig", 0)

    async def _refresh_connection(self, value: int) -> None:
        if value:
            await self._connection.look()
            await self._readbacks.refresh()
            await self._channels.post("RefreshConnection", 0)

    async def _health(self, _: int) -> None:
        await self._readbacks.refresh()

    def _on_measurement_config(self, name: str) -> Handler:
        async def config(value: Any) -> None:
            await self._copy(name, value)
            values = measurement_config_of(name, value)
            reply = await self._requests.put("/measurement/config", values)
            await self._requests.shown(reply)

        return config
