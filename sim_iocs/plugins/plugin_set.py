"""The plugins that beamlines use, connected as the shipped IOC connects them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from caproto import ChannelData

from sim_iocs.channels import Channels
from sim_iocs.plugins.bus import ArrayBus
from sim_iocs.plugins.file_writer import FileWriter
from sim_iocs.plugins.frame import Frame
from sim_iocs.plugins.plugin import Plugin
from sim_iocs.plugins.region import Region
from sim_iocs.plugins.stats import Stats
from sim_iocs.plugins.std_arrays import StdArrays
from sim_iocs.plugins.tables import (
    SERIES,
    hdf5_records,
    image_records,
    region_records,
    stats_records,
    time_series_records,
)
from sim_iocs.plugins.time_series import TimeSeries
from sim_iocs.records import Record, as_in_database

__all__ = ["PluginSet", "plugin_tables"]

_SIDE = 512
_POINTS = 2048
_TICK_S = 1.0
_SETTLE_S = 0.001
_SHIPPED = ("image1:", "Stats1:", "Stats5:")
_N_STATS, _N_REGIONS = 5, 4


def plugin_tables(driver_port: str, init: str = "shipped") -> dict[str, list[Record]]:
    """Rows of all plugins, by prefix.

    There is no `Pva1:`: its records would need PV Access to be of use. `init` is `shipped` for
    plugins that are on as the init script leaves them (with `image1:`, which is saved as on
    wherever anybody looks at pictures), `bare` for all off, as the records say.
    """

    def on(prefix: str) -> int:
        return int(init == "shipped" and prefix in _SHIPPED)

    tables = {"image1:": image_records("Image1", driver_port, _SIDE**2, on("image1:"))}
    for number in range(1, _N_STATS + 1):
        prefix, port = f"Stats{number}:", f"STATS{number}"
        # the first one sees the driver's arrays, the others those of a region each
        source = driver_port if number == 1 else f"ROI{number - 1}"
        tables[prefix] = stats_records(
            port, source, width=_SIDE, height=_SIDE, points=_POINTS, enabled=on(prefix)
        )
        tables[f"{prefix}TS:"] = time_series_records(f"{port}_TS", port, _POINTS)
    for number in range(1, _N_REGIONS + 1):
        tables[f"ROI{number}:"] = region_records(f"ROI{number}", driver_port)
    tables["HDF1:"] = hdf5_records("FileHDF1", driver_port)
    return {prefix: as_in_database(rows) for prefix, rows in tables.items()}


class PluginSet:
    """All plugins of one driver.

    Parameters
    ----------
    prefix
        First part of all names.
    port
        Name of the driver's port.
    driver
        Records of the driver, for the number of queued arrays.
    init
        `shipped` or `bare`, as for `plugin_tables`.
    """

    def __init__(self, prefix: str, port: str, driver: Channels, init: str = "shipped") -> None:
        self.port = port
        self._driver = driver
        self._bus = ArrayBus()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="plugins")
        tables = plugin_tables(port, init)
        self.channels = {name: Channels(prefix + name, rows) for name, rows in tables.items()}
        self._plugins = [self._make(name) for name in self.channels]

    @property
    def pvdb(self) -> dict[str, ChannelData]:
        """All channels by full name."""
        return {name: c for channels in self.channels.values() for name, c in channels.pvdb.items()}

    @property
    def queued(self) -> int:
        """Arrays that wait in queues, or are worked on."""
        return sum(plugin.pending for plugin in self._plugins)

    async def publish(self, frame: Frame, address: int = 0) -> None:
        """Hand an array of the driver to all plugins that listen to it."""
        await self._bus.publish(self.port, address, frame)
        await self._driver.post("NumQueuedArrays", self.queued)

    async def drained(self) -> None:
        """Wait until all arrays are worked off, those too that plugins hand to each other."""
        while self.queued:
            for plugin in self._plugins:
                await plugin.drained()
            await asyncio.sleep(_SETTLE_S)
        await self._driver.post("NumQueuedArrays", 0)

    async def run(self) -> None:
        """Work for ever."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for plugin in self._plugins:
                    tasks.create_task(plugin.run())
                tasks.create_task(self._tick())
        finally:
            await self._close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            await self._driver.post("NumQueuedArrays", self.queued)
            for plugin in self._plugins:
                await plugin.tick()

    async def _close(self) -> None:
        for plugin in self._plugins:
            if isinstance(plugin, FileWriter):
                await plugin.close()
        self._executor.shutdown()

    def _make(self, name: str) -> Plugin:
        parts = (self.channels[name], self._bus, self._executor)
        if name.endswith(":TS:"):
            place = self.channels[name.removesuffix("TS:")]
            return TimeSeries(*parts, signals=(place, [f"TS{value}" for value in SERIES]))
        kinds: Iterable[tuple[str, type[Plugin]]] = (
            ("image", StdArrays),
            ("Stats", Stats),
            ("ROI", Region),
            ("HDF", FileWriter),
        )
        return next(kind for start, kind in kinds if name.startswith(start))(*parts)
