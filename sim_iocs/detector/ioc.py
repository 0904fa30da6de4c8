"""The detector IOC: records, driver and Serval joined, with the beam from the beamline IOC."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caproto import ChannelData

from sim_iocs.channels import Channels
from sim_iocs.detector.acquisition import Acquisition
from sim_iocs.detector.beam_link import BeamLink
from sim_iocs.detector.driver import Driver
from sim_iocs.detector.latencies import Latencies
from sim_iocs.detector.measurement import Beam, Measurement, Source
from sim_iocs.detector.serval import Serval
from sim_iocs.detector.tables import CAM, IMAGE
from twinbeam.simulate import Experiment, Playback, SimulationParameters

__all__ = ["Detector", "DetectorSettings"]

_SIDE = 512
_BYTES_A_PIXEL = 4
_BEAM_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class DetectorSettings:
    """How the detector IOC starts."""

    prefix: str = "TPX3-TEST:"
    beamline_prefix: str = "SIM:"
    data_dir: Path = Path()
    seed: int = 1
    fast: bool = False
    pair_rate_hz: float | None = None
    background_rate_hz: float | None = None
    playback: Path | None = None
    init: str = "shipped"


class Detector:
    """Behaviour of the detector IOC.

    Parameters
    ----------
    settings
        How it starts.

    Raises
    ------
    RawDataError
        If the file to play back is not a raw file.
    RecipeError
        If a rate is out of bounds.
    """

    def __init__(self, settings: DetectorSettings) -> None:
        self.settings = settings
        self.cam = Channels(f"{settings.prefix}cam1:", CAM)
        self.image = Channels(f"{settings.prefix}image1:", IMAGE)
        beam = Beam()
        latencies = Latencies.fast() if settings.fast else Latencies()
        self._link = BeamLink(beam, settings.beamline_prefix)
        self._serval = Serval(_source(settings), beam)
        self._acquisition = Acquisition(self.cam, self._serval, latencies, preview=self._preview)
        self._driver = Driver(self.cam, self._serval, self._acquisition, latencies)
        for record in self.image.records():
            if f"{record.name}_RBV" in self.image:
                self.image.on_put(record.name, self._echo_image(record.name))

    @property
    def pvdb(self) -> dict[str, ChannelData]:
        """All channels by full name."""
        return {**self.cam.pvdb, **self.image.pvdb}

    async def ready(self) -> None:
        """Wait for the beam, but not for ever: a detector serves without beamline too."""
        await self._link.connected(_BEAM_TIMEOUT_S)

    async def run(self) -> None:
        """Initialise, then keep readbacks and the beam up to date for ever."""
        await self._initialise()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._driver.run())
                tasks.create_task(self._link.run())
        finally:
            await self._acquisition.close()

    async def _initialise(self) -> None:
        """Values after the start: those of the records, then those of the init script."""
        values: dict[str, Any] = {}
        if self.settings.init == "shipped":
            values = {
                "TriggerMode": 5,
                "ImageMode": 2,
                "NumImages": 1_000_000_000,
                "BiasVolt": 100,
                "BiasEnbl": 1,
                "RawFilePath": f"file:{self.settings.data_dir}",
                "Raw1FilePath": f"file:{self.settings.data_dir}",
                "ImgFilePath": "tcp://listen@localhost:8087",
                "PrvImgFilePath": "tcp://listen@localhost:8089",
                "PrvHstFilePath": "tcp://listen@localhost:8451",
                "PrvPeriod": 1.0,
                "PrvImgQueueSize": 160,
                "WritePrvImg": 1,
            }
        for name, value in values.items():
            await self.cam.post(name, value)
            if name != "WritePrvImg":
                await self.cam.post(f"{name}_RBV", value)
        for record in self.cam.records():
            if record.effect == "path":
                await self._driver.check_path(record.name)
        await self._driver.push_config()
        await self._driver.push_destination()

    def _echo_image(self, name: str) -> Callable[[Any], Any]:
        async def echo(value: Any) -> None:
            await self.image.post(f"{name}_RBV", value)

        return echo

    async def _preview(self, measurement: Measurement) -> None:
        """Pass the hits since the last preview on as an image."""
        image = measurement.hit_map.take()
        now = time.time()
        size = {"ArraySizeX_RBV": _SIDE, "ArraySizeY_RBV": _SIDE}
        size["ArraySize_RBV"] = _SIDE * _SIDE * _BYTES_A_PIXEL
        number = {"UniqueId_RBV": measurement.frames, "TimeStamp_RBV": now}
        for name, value in {**size, **number}.items():
            await self.cam.post(name, value)
        if self.image.label("EnableCallbacks") != "Enable":
            return
        await self.image.post("ArrayData", image)
        counter = self.image.get("ArrayCounter_RBV") + 1
        for name, value in {
            **size,
            **number,
            "NDimensions_RBV": 2,
            "ArraySize0_RBV": _SIDE,
            "ArraySize1_RBV": _SIDE,
            "ArrayCounter_RBV": counter,
        }.items():
            await self.image.post(name, value)


def _source(settings: DetectorSettings) -> Source:
    if settings.playback is not None:
        return Playback(settings.playback)
    given = {
        "pair_rate_hz": settings.pair_rate_hz,
        "background_rate_hz": settings.background_rate_hz,
    }
    rates = {name: value for name, value in given.items() if value is not None}
    parameters = SimulationParameters.from_mapping(rates, where="sim_iocs detector")
    return Experiment(parameters, seed=settings.seed)
