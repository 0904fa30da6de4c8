"""The intensity monitor: counts for a set time, gives a rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from sim_iocs.beamline.counting import count
from sim_iocs.beamline.description import CounterDescription
from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["MONITOR_ALIASES", "Monitor", "monitor_records"]

MONITOR_ALIASES = {"Time-SP": "Time", "Count-Cmd": "Cnt", "Rate-I": "I", "Counts-I": "Cts"}


def monitor_records(description: CounterDescription) -> list[Record]:
    """Rows of the monitor."""
    pv = description.pv
    return [
        Record(f"{pv}Time-SP", "ao", 0.1, "Count time", units="s", precision=4),
        Record(f"{pv}Count-Cmd", "busy", 0, "Count once", ("Done", "Count")),
        Record(f"{pv}Rate-I", "ai", 0.0, "Diffracted intensity", units="cps", precision=1),
        Record(f"{pv}Counts-I", "longin", 0, "Counts of the latest counting"),
        Record("SIM:Monitor:Noise", "ao", 0.0, "Relative noise (rms) of the monitor"),
    ]


class Monitor:
    """Counts once for each command; the put completes when the rate is there.

    Parameters
    ----------
    channels
        Where the rows are served.
    description
        Their names.
    rate_hz
        Gives the expected rate at the moment.
    random
        Where counts come from.
    """

    def __init__(
        self,
        channels: Channels,
        description: CounterDescription,
        rate_hz: Callable[[], float],
        random: np.random.Generator,
    ) -> None:
        self._channels = channels
        self._pv = description.pv
        self._rate_hz = rate_hz
        self._random = random
        self._counting: asyncio.Task[None] | None = None
        channels.on_put(f"{self._pv}Count-Cmd", self._count)

    async def _count(self, value: int) -> None:
        if not value:
            if self._counting is not None:
                self._counting.cancel()
            return
        if self._counting is None:
            self._counting = asyncio.create_task(self._integrate())
        await asyncio.wait([self._counting])

    async def _integrate(self) -> None:
        """Count, then publish the result before the end is told."""
        seconds, counts = 0.0, 0
        try:
            lasts_s = float(self._channels.get(f"{self._pv}Time-SP"))
            rates = lambda: np.array([self._rate_hz()])  # noqa: E731
            async for passed_s, counted in count(lasts_s, rates, self._random):
                seconds, counts = passed_s, int(counted[0])
        finally:
            noise = float(self._channels.get("SIM:Monitor:Noise"))
            counts = max(round(counts * (1.0 + noise * self._random.standard_normal())), 0)
            self._counting = None
            await self._channels.post(f"{self._pv}Counts-I", counts)
            await self._channels.post(f"{self._pv}Rate-I", counts / max(seconds, 1e-6))
            await self._channels.post(f"{self._pv}Count-Cmd", 0)
