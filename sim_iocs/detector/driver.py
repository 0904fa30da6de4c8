"""The areaDetector driver: what it does when a value is written, and what it reads back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.channels import Channels
from sim_iocs.detector.acquisition import ACQUIRE, IDLE, Acquisition
from sim_iocs.detector.config import CONTINUOUS, DetectorConfig
from sim_iocs.detector.destination import Channel, Destination, RawChannel, place_exists
from sim_iocs.detector.health import health
from sim_iocs.detector.latencies import Latencies
from sim_iocs.detector.replies import show_reply
from sim_iocs.detector.serval import Serval
from sim_iocs.detector.tables.labels import PIPELINE, STREAM, TRIGGER_MODE
from sim_iocs.records import Record

__all__ = ["Driver"]

_DEAD_TIME_S = 0.003
# The driver's number 7 has a label shorter than Serval's name.
_SERVAL_MODE = tuple(
    "SOFTWARESTART_SOFTWARESTOP" if label == "SwReSt_SwReSp" else label for label in TRIGGER_MODE
)
_EDGES = ("P0123", "N0123", "PN0123", "P0", "N0", "PN0")


class Driver:
    """Connects the records of `cam1:` with Serval.

    Parameters
    ----------
    channels
        Records of the driver.
    serval
        What it drives.
    acquisition
        What a write to `Acquire` reaches.
    latencies
        How long its steps take.
    """

    def __init__(
        self,
        channels: Channels,
        serval: Serval,
        acquisition: Acquisition,
        latencies: Latencies,
    ) -> None:
        self._channels = channels
        self._serval = serval
        self._acquisition = acquisition
        self._latencies = latencies
        handlers: dict[str, Callable[[Record], Callable[[Any], Awaitable[None]]]] = {
            "none": self._echo,
            "channel": self._echo,
            "config": self._on_config,
            "config_stops_run": self._on_config_that_stops,
            "path": self._on_path,
            "switch": self._on_switch,
        }
        for record in channels.records():
            if not record.read_only and record.effect in handlers:
                channels.on_put(record.name, handlers[record.effect](record))
        channels.on_put("Acquire", acquisition.put)
        channels.on_put("ImageMode", self._image_mode)
        channels.on_put("WriteData", self._write_data)
        channels.on_put("ApplyConfig", self._apply_config)
        channels.on_put("RefreshConnection", self._refresh_connection)
        channels.on_put("Health", self._refresh)
        for record in channels.records():
            if record.name.startswith("CHIP") and record.effect == "command":
                channels.on_put(record.name, self._echo(record))

    async def run(self) -> None:
        """Refresh readbacks every second, and look at the connection every five, for ever."""
        polls = max(round(self._latencies.connection_poll_s / self._latencies.refresh_s), 1)
        count = 0
        while True:
            await self._refresh(0)
            if count % polls == 0:
                await self._channels.post("HttpCode_RBV", 200)
            count += 1
            await asyncio.sleep(self._latencies.refresh_s)

    # --- writes -----------------------------------------------------------------------------

    async def _copy(self, name: str, value: Any) -> None:
        if f"{name}_RBV" in self._channels:
            await self._channels.post(f"{name}_RBV", value)

    def _echo(self, record: Record) -> Callable[[Any], Awaitable[None]]:
        async def echo(value: Any) -> None:
            await self._copy(record.name, value)

        return echo

    def _on_config(self, record: Record) -> Callable[[Any], Awaitable[None]]:
        async def config(value: Any) -> None:
            if record.name == "NumImages" and self._channels.get("ImageMode_RBV") == 0:
                value = 1
            await self._copy(record.name, value)
            await self.push_config()

        return config

    def _on_config_that_stops(self, record: Record) -> Callable[[Any], Awaitable[None]]:
        async def config(value: Any) -> None:
            await self._acquisition.abort()
            await self._copy(record.name, value)
            await self.push_config()

        return config

    async def _image_mode(self, value: int) -> None:
        await self._acquisition.abort()
        await self._copy("ImageMode", value)
        if value == 0:
            await self._copy("NumImages", 1)
            await self.push_config()

    def _on_path(self, record: Record) -> Callable[[Any], Awaitable[None]]:
        async def path(value: str) -> None:
            await self._copy(record.name, value)
            await self.check_path(record.name)

        return path

    async def check_path(self, name: str) -> None:
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

    def _on_switch(self, _: Record) -> Callable[[Any], Awaitable[None]]:
        async def switch(_value: int) -> None:
            await self._read_destination()

        return switch

    async def _write_data(self, _: int) -> None:
        await self.push_destination()

    async def _apply_config(self, value: int) -> None:
        if value:
            await self.push_destination()
            await self._channels.post("ApplyConfig", 0)

    async def _refresh_connection(self, value: int) -> None:
        if value:
            await self._refresh(0)
            await self._channels.post("RefreshConnection", 0)

    # --- pushes -----------------------------------------------------------------------------

    async def push_config(self) -> None:
        """Send the whole detector configuration."""
        get = self._channels.get
        mode = _SERVAL_MODE[get("TriggerMode_RBV")]
        exposure_s = get("AcquireTime_RBV")
        period_s = exposure_s
        if mode != CONTINUOUS:
            period_s = max(get("AcquirePeriod_RBV"), exposure_s + _DEAD_TIME_S)
        reply = self._serval.put_config(
            DetectorConfig(
                trigger_mode=mode,
                exposure_s=exposure_s,
                period_s=period_s,
                n_triggers=get("NumImages_RBV"),
                trigger_delay_s=get("TriggerDelay_RBV"),
                trigger_in=get("TriggerIn_RBV"),
                trigger_out=get("TriggerOut_RBV"),
                bias_v=get("BiasVolt_RBV"),
                bias_on=bool(get("BiasEnbl_RBV")),
                polarity=get("Polarity_RBV"),
                chain_mode=get("ChainMode_RBV"),
                global_time_s=get("GlblTimestampIntvl_RBV"),
                external_clock=bool(get("RefClock_RBV")),
                log_level=get("LogLevel_RBV"),
                clock_80mhz=bool(get("PeriphClk80_RBV")),
                tdc=(_EDGES[get("Tdc0_RBV")], _EDGES[get("Tdc1_RBV")]),
            )
        )
        await show_reply(self._channels, reply)

    async def push_destination(self) -> None:
        """Send all enabled channels; with none enabled nothing is sent and the old ones stay."""
        get = self._channels.get

        def enabled(*names: str) -> tuple[Channel, ...]:
            return tuple(Channel(get(f"{n}FilePath_RBV")) for n in names if get(f"Write{n}"))

        raw = tuple(
            RawChannel(
                get(f"{name}FilePath_RBV"),
                get(f"{name}FileTemplate_RBV"),
                split_frames=bool(get(f"{name}SplitStg_RBV")),
            )
            for name in ("Raw", "Raw1")
            if get(f"Write{name}")
        )
        destination = Destination(
            raw,
            enabled("Img", "Img1"),
            enabled("PrvImg", "PrvImg1"),
            enabled("PrvHst"),
            preview_period_s=get("PrvPeriod_RBV"),
        )
        if destination:
            await show_reply(self._channels, self._serval.put_destination(destination))
        await self._read_destination()

    async def _read_destination(self) -> None:
        """Show which channels Serval holds."""
        held = self._serval.destination or Destination()
        for names, channels in (
            (("Raw", "Raw1"), held.raw),
            (("Img", "Img1"), held.image),
            (("PrvImg", "PrvImg1"), held.preview),
            (("PrvHst",), held.histogram),
        ):
            for position, name in enumerate(names):
                await self._channels.post(f"Write{name}_RBV", position < len(channels))

    # --- readbacks --------------------------------------------------------------------------

    async def _refresh(self, _: int) -> None:
        """Read everything from Serval: what it holds wins over what was written."""
        post, config = self._channels.post, self._serval.config
        mode = _SERVAL_MODE.index(config.trigger_mode)
        values: dict[str, Any] = {
            "ServalConnected_RBV": 1,
            "DetConnected_RBV": 1,
            "DetType_RBV": "Tpx3",
            "AcquireTime_RBV": config.exposure_s,
            "AcquirePeriod_RBV": config.period_s,
            "NumImages_RBV": config.n_triggers,
            "TriggerMode_RBV": mode,
            "TriggerDelay_RBV": config.trigger_delay_s,
            "TriggerIn_RBV": config.trigger_in,
            "TriggerOut_RBV": config.trigger_out,
            "BiasVolt_RBV": config.bias_v,
            "BiasEnbl_RBV": config.bias_on,
            "Polarity_RBV": config.polarity,
            "ChainMode_RBV": config.chain_mode,
            "GlblTimestampIntvl_RBV": config.global_time_s,
            "RefClock_RBV": config.external_clock,
            "LogLevel_RBV": config.log_level,
            "PeriphClk80_RBV": config.clock_80mhz,
            "ExposureTime_RBV": config.exposure_s,
            "TriggerPeriod_RBV": config.period_s,
            "nTriggers_RBV": config.n_triggers,
            "TriggerModeC_RBV": config.trigger_mode,
            "Tdc_RBV": f'["{config.tdc[0]}","{config.tdc[1]}"]',
            "FreeSpace_RBV": self._serval.free_bytes,
            "Status_RBV": self._serval.status,
            "PipelineState_RBV": PIPELINE.index(self._serval.status),
            "DetectorState_RBV": ACQUIRE if self._acquisition.acquiring else IDLE,
            "StatusMessage_RBV": "OK",
            **health(config.bias_v if config.bias_on else 0),
        }
        for name, value in values.items():
            await post(name, value)
