"""The detector IOC: records, driver and Serval joined, with the beam from the beamline IOC."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caproto import ChannelData

from sim_iocs.channels import Channels
from sim_iocs.detector.arrays import pass_on_preview
from sim_iocs.detector.beam_link import BeamLink
from sim_iocs.detector.commands import Commands
from sim_iocs.detector.driver import Driver
from sim_iocs.detector.faults import FaultRecords
from sim_iocs.detector.latencies import Latencies
from sim_iocs.detector.sample import sample_of
from sim_iocs.detector.tables import absent, cam_records, shipped
from sim_iocs.drivers import DRIVERS
from sim_iocs.plugins import PluginSet
from sim_iocs.serval import Beam, Faults, Measurement, OutputSettings, Serval
from sim_iocs.serval.command import make_source
from twinbeam.errors import RecipeError

__all__ = ["Detector", "DetectorSettings"]

_PORT = "TPX3"
_SIDE = 512


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
    loop: bool = False
    init: str = "shipped"
    driver: str = DRIVERS[0]
    tdc_rate_hz: float = 0.0
    trigger_hz: float = 0.0
    complete_after_s: float = 0.0
    faults: tuple[tuple[str, str], ...] = ()
    beamline_file: Path | None = None
    sample: tuple[tuple[str, Any], ...] = ()
    beam_timeout_s: float = 5.0


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
        If a rate is out of bounds, a fault has no such value, or the sample cannot be.
    """

    def __init__(self, settings: DetectorSettings) -> None:
        self.settings = settings
        driver = settings.driver
        self.cam = Channels(f"{settings.prefix}cam1:", cam_records(driver), absent(driver))
        self.plugins = PluginSet(settings.prefix, _PORT, self.cam, settings.init)
        self.faults = Faults()
        beam = Beam()
        latencies = Latencies.fast() if settings.fast else Latencies()
        source = make_source(
            seed=settings.seed,
            pair_rate_hz=settings.pair_rate_hz,
            background_rate_hz=settings.background_rate_hz,
            tdc_rate_hz=settings.tdc_rate_hz,
            playback=settings.playback,
            loop=settings.loop,
            where="sim_iocs detector",
            **sample_of(settings.beamline_file, dict(settings.sample)),
        )
        self._link = BeamLink(beam, settings.beamline_prefix, source)
        outputs = OutputSettings(complete_after_s=settings.complete_after_s)
        self._serval = Serval(
            source, beam, self.faults, settings=outputs, edges_hz=settings.trigger_hz
        )
        self._fault_records = FaultRecords(settings.prefix, self._serval)
        for name, value in settings.faults:
            try:
                self._fault_records.set(name, value)
            except ValueError as error:
                raise RecipeError(f"{name}: {error}", where="--fault") from None
        self._commands = Commands(self.cam, self._hottest, latencies.refresh_s)
        self._driver = Driver(
            self.cam, self._serval, latencies, self.plugins, preview=self._preview
        )

    @property
    def pvdb(self) -> dict[str, ChannelData]:
        """All channels by full name."""
        return {**self.cam.pvdb, **self.plugins.pvdb, **self._fault_records.channels.pvdb}

    async def ready(self) -> None:
        """Wait for the beam, but not for ever: a detector serves without beamline too."""
        await self._link.connected(self.settings.beam_timeout_s)
        self._serval.prepare()

    async def run(self) -> None:
        """Initialise, then keep readbacks and the beam up to date for ever."""
        await self._initialise()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._driver.run())
                tasks.create_task(self._link.run())
                tasks.create_task(self.plugins.run())
                tasks.create_task(self._commands.run())
                tasks.create_task(self._fault_records.run())
        finally:
            await self._driver.close()

    async def _initialise(self) -> None:
        """Values after the start: those of the records, then those of the init script."""
        values: dict[str, Any] = {}
        if self.settings.init == "shipped":
            values = shipped(str(self.settings.data_dir))
        for name, value in values.items():
            await self.cam.post(name, value)
            if not name.startswith("Write"):
                await self.cam.post(f"{name}_RBV", value)
        await self._driver.initialise()

    def _hottest(self) -> tuple[float, float, float]:
        get = self.plugins.channels["Stats5:"].get
        return get("MaxValue_RBV"), get("MeanValue_RBV"), get("Sigma_RBV")

    async def _preview(self, measurement: Measurement) -> None:
        """Pass the hits since the last preview on as an image."""
        await pass_on_preview(
            self.cam,
            self.plugins,
            measurement.hit_map.take().reshape(_SIDE, _SIDE),
            number=measurement.frames,
            elapsed_s=measurement.elapsed_s,
        )
