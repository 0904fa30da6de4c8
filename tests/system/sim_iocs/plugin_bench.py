"""Plugins without a network: arrays go in, records are written and read in the same process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.channels import Channels
from sim_iocs.detector.tables import CAM
from sim_iocs.plugins import Frame, PluginSet

_TIMEOUT_S = 60.0


class Bench:
    """All plugins, off until a test switches them on."""

    def __init__(self) -> None:
        self.driver = Channels("x:cam1:", CAM)
        self.plugins = PluginSet("x:", "TPX3", self.driver, "bare")
        self._pvdb = self.plugins.pvdb
        self._number = 0

    async def put(self, plugin: str, **values: Any) -> None:
        """Write as a client does; returns when the puts are complete."""
        for name, value in values.items():
            await self._pvdb[f"x:{plugin}{name}"].write(value)

    def get(self, plugin: str, name: str) -> Any:
        return self.plugins.channels[plugin].get(name)

    async def send(self, *images: NDArray[Any], wait: bool = True) -> None:
        """Hand images of the driver on, and wait until they are worked off."""
        for image in images:
            self._number += 1
            await self.plugins.publish(Frame(image, self._number, 1.7e9 + self._number))
            if wait:
                await self.plugins.drained()


@contextlib.asynccontextmanager
async def _running(bench: Bench) -> AsyncIterator[Bench]:
    task = asyncio.create_task(bench.plugins.run())
    try:
        yield bench
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def on_bench(test: Callable[[Bench], Awaitable[None]]) -> None:
    """Run a coroutine function with the plugins at work; all of it ends with it."""

    async def run() -> None:
        async with _running(Bench()) as bench:
            await asyncio.wait_for(test(bench), _TIMEOUT_S)

    asyncio.run(run())


def picture(seed: int = 1, shape: tuple[int, int] = (512, 512)) -> NDArray[np.uint16]:
    """Counts that differ everywhere."""
    return np.random.default_rng(seed).poisson(20, shape).astype(np.uint16)
