"""What the driver sends to Serval: the configuration at once, the channels on command."""

from __future__ import annotations

from sim_iocs.channels import Channels
from sim_iocs.detector.config_json import config_of_records
from sim_iocs.detector.destination_records import destination_of_records, switches_of_destination
from sim_iocs.detector.requests import Requests

__all__ = ["Pushes"]

_NOT_SET = 409


class Pushes:
    """The two separate pushes.

    Parameters
    ----------
    channels
        Records of the driver.
    requests
        How Serval is asked.
    """

    def __init__(self, channels: Channels, requests: Requests) -> None:
        self._channels = channels
        self._requests = requests

    async def config(self) -> None:
        """Send the whole detector configuration, with what Serval has in what we do not know."""
        held = await self._requests.get("/detector/config")
        if not held.ok or not isinstance(held.body, dict):
            await self._requests.shown(held)
            return
        values = {**held.body, **config_of_records(self._channels.get)}
        await self._requests.shown(await self._requests.put("/detector/config", values))

    async def destination(self) -> None:
        """Send all enabled channels; with none enabled nothing is sent and the old ones stay."""
        values = destination_of_records(self._channels.get)
        if values:
            reply = await self._requests.put("/server/destination", values)
            await self._requests.shown(reply)
        await self.read_destination()

    async def read_destination(self) -> None:
        """Show which channels Serval holds."""
        reply = await self._requests.get("/server/destination")
        if not reply.ok and reply.code != _NOT_SET:
            await self._requests.shown(reply)
            return
        await self._channels.post_all(switches_of_destination(reply.body or {}))
