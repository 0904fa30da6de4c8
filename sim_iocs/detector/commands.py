"""Records of the driver that do something once, and those that sum up what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sim_iocs.channels import Channels

__all__ = ["Commands"]

# What these start is no part of the simulation; they only end as they do in the driver.
_ONE_SHOTS = (
    "WriteProcessedHst",
    "WriteProcessedImg",
)
_CHANNELS = ("Raw", "Raw1", "Img", "Img1", "PrvImg", "PrvImg1")
_HOT_COUNTS, _SATURATED_COUNTS = 1_000, 65_534


class Commands:
    """Behaviour of these records.

    Parameters
    ----------
    channels
        Records of the driver.
    hottest
        Gives the greatest value, the mean and the standard deviation of the latest image that
        the plugin `Stats5:` saw.
    period_s
        Time between two looks at what is wrong.
    """

    def __init__(
        self,
        channels: Channels,
        hottest: Callable[[], tuple[float, float, float]],
        period_s: float = 1.0,
    ) -> None:
        self._channels = channels
        self._hottest = hottest
        self._period_s = period_s
        for name in _ONE_SHOTS:
            channels.on_put(name, self._back_to_zero(name))
        for name in ("BPCFilePath", "DACSFilePath"):
            channels.on_put(name, self._calibration_folder(name))

    async def run(self) -> None:
        """Sum up what is wrong, for ever."""
        while True:
            await self._channels.post_all(self._summary())
            await asyncio.sleep(self._period_s)

    def _back_to_zero(self, name: str) -> Callable[[Any], Awaitable[None]]:
        async def command(value: int) -> None:
            if value:
                await self._channels.post(name, 0)

        return command

    def _calibration_folder(self, name: str) -> Callable[[str], Awaitable[None]]:
        async def folder(value: str) -> None:
            if value and not value.endswith("/"):
                value += "/"
            await self._channels.post(f"{name}_RBV", value)
            await self._channels.post(f"{name}Exists_RBV", bool(value) and Path(value).is_dir())

        return folder

    def _summary(self) -> dict[str, float]:
        """Values of the alarm records; 1 is bad."""
        get = self._channels.get

        def differs(channel: str) -> bool:
            return bool(get(f"Write{channel}") != get(f"Write{channel}_RBV"))

        highest, mean, sigma = self._hottest()
        acquiring = get("Acquire_RBV") == 1
        bad = {
            "FileWriterCalc1": any(differs(channel) for channel in _CHANNELS),
            "FileWriterCalc2": differs("PrvHst"),
            "HotPixelCalc": highest > _SATURATED_COUNTS
            or (highest > _HOT_COUNTS and highest > 30 * mean + sigma),
            "TdcCalc": acquiring and get("Tdc1EvtRate_RBV") + get("Tdc2EvtRate_RBV") == 0,
            "PelEvtCalc": acquiring and get("PelEvtRate_RBV") == 0,
        }
        bad["FileWriterCalc"] = bad["FileWriterCalc1"] or bad["FileWriterCalc2"]
        lost = not (get("ServalConnected_RBV") and get("DetConnected_RBV"))
        parts = ("FileWriterCalc", "HotPixelCalc", "TdcCalc", "PelEvtCalc")
        bad["Tpx3StatusCalc"] = lost or any(bad[name] for name in parts)
        bad["Alarm"] = bool(get("AlarmDisable")) and bad["Tpx3StatusCalc"]
        return {name: float(value) for name, value in bad.items()}
