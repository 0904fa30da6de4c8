"""Whether Serval and its detector are there, and what happens when they come back."""

from __future__ import annotations

import asyncio

from sim_iocs.channels import Channels
from sim_iocs.detector.calibration import Calibration
from sim_iocs.detector.port import Port
from sim_iocs.detector.pushes import Pushes
from sim_iocs.detector.readbacks import Readbacks

__all__ = ["Connection"]


class Connection:
    """Looks at the dashboard every few seconds, besides the scan of every second.

    Parameters
    ----------
    channels
        Records of the driver.
    port
        Where pushes wait for their turn.
    readbacks
        Reads the dashboard.
    pushes, calibration
        What is sent when the connection is there again.
    poll_s
        Time between two looks.
    """

    def __init__(
        self,
        channels: Channels,
        port: Port,
        readbacks: Readbacks,
        pushes: Pushes,
        calibration: Calibration,
        poll_s: float,
    ) -> None:
        self._channels = channels
        self._port = port
        self._readbacks = readbacks
        self._pushes = pushes
        self._calibration = calibration
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look for ever; a connection lost and found between two looks goes unnoticed."""
        connected = self._readbacks.connected
        while True:
            await asyncio.sleep(self._poll_s)
            async with self._port:
                await self.look()
                if self._readbacks.connected and not connected:
                    await self.renew()
            connected = self._readbacks.connected

    async def look(self) -> None:
        """Read the dashboard and show the status of the answer."""
        reply = await self._readbacks.dashboard()
        await self._channels.post("HttpCode_RBV", reply.code)

    async def renew(self) -> None:
        """Send everything to a Serval that may have forgotten it, and read it back."""
        await self._pushes.destination()
        await self._pushes.config()
        await self._readbacks.refresh()
        for name in ("BPC", "DACS"):
            if self._channels.get(f"{name}FilePath_RBV"):
                await self._calibration.load(name)
