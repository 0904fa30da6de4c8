"""The beamline's instruments, joined by what is true about the beam."""

from __future__ import annotations

import asyncio
import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim_iocs.beamline.description import BeamlineDescription, load_beamline
from sim_iocs.beamline.faults import fault_records, obey_faults
from sim_iocs.beamline.filters import Filters, filter_records
from sim_iocs.beamline.monitor import MONITOR_ALIASES, Monitor, monitor_records
from sim_iocs.beamline.motor import Motor
from sim_iocs.beamline.motor_fields import motor_records
from sim_iocs.beamline.readings import (
    RING_ALIASES,
    pair_readings,
    reading_records,
    ring_readings,
    temperature_readings,
    truth_readings,
)
from sim_iocs.beamline.scaler import Scaler, scaler_records
from sim_iocs.beamline.shutter import SHUTTER_ALIASES, Shutter, shutter_records
from sim_iocs.beamline.storage_ring import StorageRing
from sim_iocs.beamline.world import Truth, World
from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["Beamline", "BeamlineSettings", "beamline_records"]

_PERIOD_S = 0.2
_SCALER_NAMES = {2: "monitor", 3: "I0", 4: "diode"}
_COUNTS_PER_AMPERE = 1e12  # of the converters in front of the scaler: 1 Hz is 1 pA


@dataclass(frozen=True)
class BeamlineSettings:
    """How the beamline starts, and how fast its parts answer."""

    prefix: str = "SIM:"
    seed: int = 1
    theta_start_deg: float | None = None
    file: Path | None = None
    longest_move_s: float = 0.3
    move_tick_s: float = 0.01
    shutter_s: float = 0.1
    filters_s: float = 0.2

    @classmethod
    def fast(cls, **values: Any) -> BeamlineSettings:
        """Settings with which everything moves within 20 ms."""
        quick = {"longest_move_s": 0.02, "move_tick_s": 0.002, "shutter_s": 0.005}
        return cls(**{**quick, "filters_s": 0.005, **values})

    def describe(self) -> BeamlineDescription:
        """The beamline of the file, with theta where it is to start.

        Raises
        ------
        RecipeError
            If the file says something that cannot be.
        """
        description = load_beamline(self.file)
        if self.theta_start_deg is None:
            return description
        return description.starting_at(theta=self.theta_start_deg)


def beamline_records(settings: BeamlineSettings) -> list[Record]:
    """All rows of the beamline IOC."""
    description = settings.describe()
    return _rows(description, World(description, settings.seed))


def _rows(d: BeamlineDescription, world: World) -> list[Record]:
    return [
        *(row for motor in d.motors.values() for row in motor_records(motor)),
        *fault_records(d.motors),
        *shutter_records(d.shutter),
        *filter_records(d.filters),
        *monitor_records(d.monitor),
        *scaler_records(d.scaler, _SCALER_NAMES),
        *reading_records(d, world),
    ]


class Beamline:
    """Behaviour of the beamline IOC.

    Parameters
    ----------
    settings
        How it starts and how fast it is.
    """

    def __init__(self, settings: BeamlineSettings) -> None:
        self.settings = settings
        self.description = d = settings.describe()
        self.world = World(d, settings.seed)
        self.channels = channels = Channels(settings.prefix, _rows(d, self.world))
        self.ring = StorageRing(d.ring)
        self._drift_mdeg = 0.0
        self._tables: asyncio.Task[Any] | None = None
        self._motors = {
            role: Motor(
                channels,
                motor,
                longest_s=settings.longest_move_s,
                tick_s=settings.move_tick_s,
                moved=self.update,
            )
            for role, motor in d.motors.items()
        }
        obey_faults(channels, self._motors)
        self._shutter = Shutter(channels, d.shutter, takes_s=settings.shutter_s, moved=self.update)
        self._filters = Filters(
            channels,
            d.filters,
            energy_kev=lambda: self._motors["energy"].axis,
            takes_s=settings.filters_s,
            moved=self.update,
        )
        self._truth = self._look()
        random = np.random.default_rng([settings.seed, 1])
        Monitor(channels, d.monitor, lambda: self.world.monitor_hz(self._truth), random)
        Scaler(channels, d.scaler, self._scaler_rates, random)
        channels.on_put(f"{d.ring.pv}Top-SP", self._aim)
        channels.on_put("SIM:Dump", self._dump)
        channels.on_put("SIM:Refill", self._refill)

    @property
    def pvdb(self) -> dict[str, Any]:
        """Channels by their full names, as a server takes them; second names included."""
        served: dict[str, Any] = dict(self.channels.pvdb)
        prefix, d = self.settings.prefix, self.description
        second = {motor.pv: motor.alias for motor in d.motors.values() if motor.alias}
        for each, names in (
            (d.shutter, SHUTTER_ALIASES),
            (d.monitor, MONITOR_ALIASES),
            (d.ring, RING_ALIASES),
        ):
            if each.alias:
                second |= {each.pv + name: each.alias + short for name, short in names.items()}
        for record in self.channels.records():
            first, dot, field = record.name.partition(".")
            if first in second:
                served[f"{prefix}{second[first]}{dot}{field}"] = served[prefix + record.name]
        return served

    async def run(self) -> None:
        """Keep the ring, and what follows from it, up to date for ever."""
        for motor in self._motors.values():
            await motor.start()
        # the tables are wanted as soon as the shutter opens; READY need not wait for them
        self._tables = asyncio.create_task(asyncio.to_thread(importlib.import_module, "xraydb"))
        last = time.monotonic()
        pairs_of: Truth | None = None
        while True:
            now = time.monotonic()
            self._drift_mdeg += float(self.channels.get("SIM:Drift")) * (now - last) / 3600.0
            self.ring.advance(now - last)
            last = now
            await self._show(temperature_readings(self.description, time.time()))
            await self._ring_changed()
            if self._truth != pairs_of:
                pairs_of = self._truth
                pairs = await asyncio.to_thread(self.world.pairs, pairs_of)
                await self._show(pair_readings(pairs))
            await asyncio.sleep(_PERIOD_S)

    async def update(self) -> None:
        """Derive what is true about the beam from the state of the instruments."""
        self._truth = self._look()
        await self._show(truth_readings(self._truth, self.world))
        await self._filters.show()

    def _look(self) -> Truth:
        return self.world.truth(
            {role: motor.axis for role, motor in self._motors.items()},
            current=self.ring.current_ma / max(self.description.ring.current_ma, 1e-9),
            shutter_open=self._shutter.is_open,
            foils=self._filters.foils,
            drift_mdeg=self._drift_mdeg,
        )

    async def _show(self, values: Any) -> None:
        for name, value in values.items():
            await self.channels.post(name, value)

    async def _ring_changed(self) -> None:
        await self._show(ring_readings(self.description, self.ring.current_ma, self.ring.mode))
        await self.update()

    async def _aim(self, current_ma: float) -> None:
        self.ring.aim_at(current_ma)
        await self._ring_changed()

    async def _dump(self, value: int) -> None:
        if value:
            self.ring.dump()
            await self._ring_changed()
            await self.channels.post("SIM:Dump", 0)

    async def _refill(self, value: int) -> None:
        if value:
            self.ring.refill()
            await self._ring_changed()
            await self.channels.post("SIM:Refill", 0)

    def _scaler_rates(self) -> dict[int, float]:
        get, d = self.channels.get, self.description
        return {
            2: self.world.monitor_hz(self._truth),
            3: _COUNTS_PER_AMPERE * get(f"{d.ion_chamber.pv}I-I"),
            4: _COUNTS_PER_AMPERE * get(f"{d.diode.pv}I-I"),
        }
