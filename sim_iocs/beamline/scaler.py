"""A scaler record: thirty-two counters, of which the first is the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import numpy as np

from sim_iocs.beamline.counting import count
from sim_iocs.beamline.description import CounterDescription
from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["Scaler", "scaler_records"]

_CLOCK_HZ = 1e7
_CHANNELS = 32


def scaler_records(description: CounterDescription, names: Mapping[int, str]) -> list[Record]:
    """Rows of the scaler; `names` are those of the channels from 2 on that count something."""
    pv = description.pv
    rows = [
        Record(f"{pv}.CNT", "busy", 0, "Count", ("Done", "Count")),
        Record(f"{pv}.CONT", "mbbo", 0, "Count mode", ("OneShot", "AutoCount")),
        Record(f"{pv}.TP", "ao", 1.0, "Count time", units="s", precision=4),
        Record(f"{pv}.TP1", "ao", 1.0, "Count time of auto-count", units="s", precision=4),
        Record(f"{pv}.T", "ai", 0.0, "Time counted", units="s", precision=4),
        Record(f"{pv}.FREQ", "ao", _CLOCK_HZ, "Frequency of the clock", units="Hz"),
        Record(f"{pv}.DLY", "ao", 0.0, "Delay in seconds"),
        Record(f"{pv}.DLY1", "ao", 0.0, "Delay of auto-count in seconds"),
        Record(f"{pv}.RATE", "ao", 10.0, "Updates a second while it counts"),
        Record(f"{pv}.RAT1", "ao", 10.0, "Updates a second in auto-count"),
        Record(f"{pv}.NCH", "longin", _CHANNELS, "Number of channels"),
        Record(f"{pv}.EGU", "stringout", "counts", "Units"),
        Record(f"{pv}.RTYP", "stringin", "scaler", "Record type"),
        Record(pv, "ai", 0.0, "Scaler"),
    ]
    for n in range(1, _CHANNELS + 1):
        name = "clock" if n == 1 else names.get(n, "")
        rows += [
            Record(f"{pv}.S{n}", "ai", 0.0, f"Counts of channel {n}", precision=0),
            Record(f"{pv}.NM{n}", "stringout", name, f"Name of channel {n}"),
            Record(f"{pv}.PR{n}", "ao", 0.0, f"Preset of channel {n}", precision=0),
            Record(f"{pv}.G{n}", "mbbo", int(n == 1), "Gate", ("N", "Y")),
        ]
    return rows


class Scaler:
    """Counts for `TP` seconds after `CNT`; the put completes at the end.

    Parameters
    ----------
    channels
        Where the rows are served.
    description
        Its name.
    rates_hz
        Gives the expected rates of some channels at the moment, by number.
    random
        Where counts come from.
    """

    def __init__(
        self,
        channels: Channels,
        description: CounterDescription,
        rates_hz: Callable[[], Mapping[int, float]],
        random: np.random.Generator,
    ) -> None:
        self._channels = channels
        self._pv = description.pv
        self._rates_hz = rates_hz
        self._random = random
        self._counting: asyncio.Task[None] | None = None
        channels.on_put(f"{self._pv}.CNT", self._count)

    async def _count(self, value: int) -> None:
        if not value:
            if self._counting is not None:
                self._counting.cancel()
            return
        if self._counting is None:
            self._counting = asyncio.create_task(self._integrate())
        await asyncio.wait([self._counting])

    async def _integrate(self) -> None:
        get, pv = self._channels.get, self._pv
        numbers = list(self._rates_hz())
        lasts_s, every_s = float(get(f"{pv}.TP")), 1.0 / max(float(get(f"{pv}.RATE")), 0.1)
        seconds, counts, shown_s = 0.0, np.zeros(len(numbers), np.int64), 0.0
        try:
            async for seconds, counts in count(
                lasts_s, lambda: np.array(list(self._rates_hz().values())), self._random
            ):
                if seconds - shown_s >= every_s:
                    shown_s = seconds
                    await self._show(seconds, numbers, counts)
        finally:
            self._counting = None
            await self._show(seconds, numbers, counts)
            await self._channels.post(f"{pv}.CNT", 0)

    async def _show(self, seconds: float, numbers: list[int], counts: np.ndarray) -> None:
        post, pv = self._channels.post, self._pv
        await post(f"{pv}.T", seconds)
        await post(f"{pv}.S1", round(seconds * _CLOCK_HZ))
        for number, value in zip(numbers, counts, strict=True):
            await post(f"{pv}.S{number}", float(value))
