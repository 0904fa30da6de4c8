"""The beamline's instruments, joined by what is true about the beam."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import numpy as np

from sim_iocs.beamline.motor import Motor, MotorSpec, motor_records
from sim_iocs.beamline.world import FULL_CURRENT_MA, Crystal, Monitor, ring_current_ma
from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["Beamline", "BeamlineSettings", "beamline_records"]

_CLOSED, _OPEN = 0, 1
_RING_PERIOD_S = 0.2
_COUNT_STEP_S = 0.01


@dataclass(frozen=True)
class BeamlineSettings:
    """How the beamline starts, and how fast its parts answer."""

    prefix: str = "SIM:"
    seed: int = 1
    theta_start_deg: float = 11.526
    bragg_deg: float = 11.576
    longest_move_s: float = 0.3
    move_tick_s: float = 0.01
    shutter_s: float = 0.1

    @classmethod
    def fast(cls, **values: float | int | str) -> BeamlineSettings:
        """Settings with which everything moves within 20 ms."""
        return cls(longest_move_s=0.02, move_tick_s=0.002, shutter_s=0.005, **values)  # type: ignore[arg-type]


def _motors(settings: BeamlineSettings) -> tuple[MotorSpec, MotorSpec, MotorSpec]:
    return (
        MotorSpec("Gon-theta", settings.theta_start_deg, -5.0, 90.0, "deg", speed=0.5),
        MotorSpec("Gon-x", 0.0, -5.0, 5.0, "mm", speed=5.0, precision=4),
        MotorSpec("Gon-y", 0.0, -5.0, 5.0, "mm", speed=5.0, precision=4),
    )


def beamline_records(settings: BeamlineSettings) -> list[Record]:
    """All rows of the beamline IOC."""
    motors = [record for spec in _motors(settings) for record in motor_records(spec)]
    states = ("Closed", "Open")
    return [
        *motors,
        Record("Sht-Cmd:Opn", "bo", 0, "Open the shutter", ("Done", "Open")),
        Record("Sht-Cmd:Cls", "bo", 0, "Close the shutter", ("Done", "Close")),
        Record("Sht-Sts", "bi", _CLOSED, "Shutter status", states),
        Record("Ring-I", "ai", FULL_CURRENT_MA, "Stored current", units="mA", precision=3),
        Record("Ring-I-SP", "ao", FULL_CURRENT_MA, "Current aimed at", units="mA", precision=1),
        Record("Mon-Time", "ao", 0.1, "Count time", units="s", precision=4),
        Record("Mon-Cnt", "busy", 0, "Count once", ("Done", "Count")),
        Record("Mon-I", "ai", 0.0, "Diffracted intensity", units="cps", precision=1),
        Record("Mon-Cts", "longin", 0, "Counts of the latest counting"),
        Record("World:Detuning_RBV", "ai", 0.0, "Theta above the true Bragg angle", units="deg"),
        Record("World:Flux_RBV", "ai", 0.0, "Beam on the crystal, 1 = full"),
        Record("World:Mosaic_RBV", "ai", 0.0, "Mosaic spread where the beam hits", units="mdeg"),
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
        self.channels = Channels(settings.prefix, beamline_records(settings))
        self.crystal = Crystal(bragg_deg=settings.bragg_deg)
        self.monitor = Monitor()
        self._random = np.random.default_rng([settings.seed, 1])
        self._counting: asyncio.Task[None] | None = None
        self._theta, self._x, self._y = (
            Motor(
                self.channels,
                spec,
                longest_s=settings.longest_move_s,
                tick_s=settings.move_tick_s,
                moved=self.update,
            )
            for spec in _motors(settings)
        )
        self.channels.on_put("Sht-Cmd:Opn", self._open)
        self.channels.on_put("Sht-Cmd:Cls", self._close)
        self.channels.on_put("Ring-I-SP", self._ring)
        self.channels.on_put("Mon-Cnt", self._count)

    async def run(self) -> None:
        """Keep the ring current, and what follows from it, up to date for ever."""
        for motor in (self._theta, self._x, self._y):
            await motor.start()
        while True:
            await self._ring(0.0)
            await asyncio.sleep(_RING_PERIOD_S)

    async def update(self) -> None:
        """Derive what is true about the beam from the state of the instruments."""
        post = self.channels.post
        flux = self.channels.get("Sht-Sts") * self.channels.get("Ring-I") / FULL_CURRENT_MA
        x_mm, y_mm = self._x.dial, self._y.dial
        await post("World:Detuning_RBV", self.crystal.detuning_deg(self._theta.dial, x_mm, y_mm))
        await post("World:Mosaic_RBV", self.crystal.mosaic_at(x_mm, y_mm))
        await post("World:Flux_RBV", flux)

    async def _ring(self, _: float) -> None:
        setpoint_ma = self.channels.get("Ring-I-SP")
        await self.channels.post("Ring-I", ring_current_ma(setpoint_ma, time.time()))
        await self.update()

    async def _open(self, value: int) -> None:
        await self._shutter("Sht-Cmd:Opn", value, _OPEN)

    async def _close(self, value: int) -> None:
        await self._shutter("Sht-Cmd:Cls", value, _CLOSED)

    async def _shutter(self, command: str, value: int, state: int) -> None:
        if value:
            await asyncio.sleep(self.settings.shutter_s)
            await self.channels.post("Sht-Sts", state)
            await self.update()
            await self.channels.post(command, 0)

    async def _count(self, value: int) -> None:
        """Count for the set time; the put completes when `Mon-I` holds the result."""
        if not value:
            return
        if self._counting is None:
            self._counting = asyncio.create_task(self._integrate())
        await asyncio.shield(self._counting)

    async def _integrate(self) -> None:
        """Add up the expected counts while instruments may move, then draw the real number."""
        lasts_s = max(float(self.channels.get("Mon-Time")), 1e-6)
        try:
            expected, last = 0.0, time.monotonic()
            end = last + lasts_s
            while (now := time.monotonic()) < end:
                expected += self._rate_hz() * (now - last)
                last = now
                await asyncio.sleep(min(_COUNT_STEP_S, end - now))
            expected += self._rate_hz() * (end - last)
            counts = int(self._random.poisson(expected))
            await self.channels.post("Mon-Cts", counts)
            await self.channels.post("Mon-I", counts / lasts_s)
        finally:
            self._counting = None
            await self.channels.post("Mon-Cnt", 0)

    def _rate_hz(self) -> float:
        get = self.channels.get
        return self.monitor.rate_hz(
            get("World:Detuning_RBV"), get("World:Mosaic_RBV"), get("World:Flux_RBV")
        )
