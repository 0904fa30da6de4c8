"""Places of the output channels, as the driver's host sees them."""

from __future__ import annotations

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.channels import Channels
from sim_iocs.detector.tables.labels import STREAM
from sim_iocs.serval import place_exists

__all__ = ["Paths"]


class Paths:
    """Says of each place whether it exists, and of what kind it is.

    Parameters
    ----------
    channels
        Records of the driver.
    """

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def check(self, name: str) -> None:
        """Update what is known about the place in `name`, such as `RawFilePath`."""
        place = self._channels.get(f"{name}_RBV")
        exists = place_exists(place)
        await self._channels.post(f"{name}Exists_RBV", exists)
        await self._channels.alarm(
            f"{name}Exists_RBV",
            AlarmSeverity.NO_ALARM if exists else AlarmSeverity.MAJOR_ALARM,
            AlarmStatus.NO_ALARM if exists else AlarmStatus.STATE,
        )
        stream = name.replace("FilePath", "Stream")
        if stream in self._channels:
            kinds = [n for n, start in enumerate(STREAM[:3]) if place.startswith(start)]
            await self._channels.post(stream, kinds[0] if kinds else 3)

    async def check_all(self) -> None:
        """Look at every place."""
        for record in self._channels.records():
            if record.effect == "path":
                await self.check(record.name)
