"""A motor record: moves that take time, limits, stop, offset and direction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["Motor", "MotorSpec", "motor_records"]

_STOP_FIELDS = ("STOP",)
_PULSE_S = 0.002


@dataclass(frozen=True)
class MotorSpec:
    """What sets one motor apart from another."""

    name: str
    position: float
    low: float
    high: float
    units: str
    speed: float
    precision: int = 5
    resolution: float = 1e-6


def motor_records(spec: MotorSpec) -> list[Record]:
    """Rows of the fields that clients of a motor record use; `VAL` is the record itself too."""
    name, units, start = spec.name, spec.units, spec.position

    def field(suffix: str, kind: str, value: object, doc: str, **more: object) -> Record:
        return Record(f"{name}.{suffix}", kind, value, doc, **more)  # type: ignore[arg-type]

    def number(suffix: str, value: float, doc: str, read_only: bool = False) -> Record:
        return field(
            suffix, "ao", value, doc, units=units, precision=spec.precision, read_only=read_only
        )

    def flag(suffix: str, value: int, doc: str, read_only: bool = True) -> Record:
        return field(suffix, "longout", value, doc, read_only=read_only)

    return [
        Record(name, "ao", start, "Position, set point", units=units, precision=spec.precision),
        number("RBV", start, "Position, readback", read_only=True),
        number("DVAL", start, "Dial position, set point", read_only=True),
        number("DRBV", start, "Dial position, readback", read_only=True),
        flag("RRBV", round(start / spec.resolution), "Steps, readback"),
        flag("DMOV", 1, "Done moving"),
        flag("MOVN", 0, "Moving"),
        flag("TDIR", 1, "Direction of the last travel"),
        flag("STOP", 0, "Stop", read_only=False),
        field("SPMG", "mbbo", 3, "Stop, pause, move, go", labels=("Stop", "Pause", "Move", "Go")),
        number("TWV", 0.1, "Tweak step"),
        flag("TWF", 0, "Tweak forward", read_only=False),
        flag("TWR", 0, "Tweak backward", read_only=False),
        flag("HOMF", 0, "Home forward", read_only=False),
        flag("HOMR", 0, "Home backward", read_only=False),
        number("HLM", spec.high, "High limit"),
        number("LLM", spec.low, "Low limit"),
        flag("HLS", 0, "At the high limit switch"),
        flag("LLS", 0, "At the low limit switch"),
        flag("LVIO", 0, "Limit violation"),
        flag("MISS", 0, "Ran out of retries"),
        flag("MSTA", 2, "Motor status"),
        number("VELO", spec.speed, "Speed, units a second"),
        number("VBAS", 0.0, "Base speed"),
        number("VMAX", spec.speed, "Greatest speed"),
        number("ACCL", 0.01, "Seconds to full speed"),
        number("OFF", 0.0, "User offset"),
        field("DIR", "mbbo", 0, "User direction", labels=("Pos", "Neg")),
        field("FOFF", "mbbo", 0, "Offset freeze switch", labels=("Variable", "Frozen")),
        field("SET", "mbbo", 0, "Set or use", labels=("Use", "Set")),
        number("MRES", spec.resolution, "Step size"),
        number("RDBD", spec.resolution, "Retry deadband"),
        number("BDST", 0.0, "Backlash distance"),
        flag("RTRY", 0, "Retries", read_only=False),
        field("EGU", "stringout", units, "Units", read_only=True),
        flag("PREC", spec.precision, "Digits shown"),
        field("DESC", "stringout", f"simulated {name}", "Description"),
        field("RTYP", "stringin", "motor", "Record type"),
    ]


class Motor:
    """Behaviour of one motor record.

    Parameters
    ----------
    channels
        Where the rows of `motor_records` are served.
    spec
        The same description they were made from.
    longest_s
        Time no move takes longer than, in seconds.
    tick_s
        Time between two readbacks during a move, in seconds.
    moved
        Awaited after each change of position.
    """

    def __init__(
        self,
        channels: Channels,
        spec: MotorSpec,
        *,
        longest_s: float,
        tick_s: float,
        moved: Callable[[], Awaitable[None]],
    ) -> None:
        self.spec = spec
        self._channels = channels
        self._longest_s = longest_s
        self._tick_s = tick_s
        self._moved = moved
        self._dial = spec.position
        self._target = spec.position
        self._mover: asyncio.Task[None] | None = None
        name = spec.name
        channels.on_put(name, self._put)
        channels.on_put(f"{name}.STOP", self._stop)
        channels.on_put(f"{name}.OFF", self._redefine)
        channels.on_put(f"{name}.DIR", self._redefine)
        channels.on_put(f"{name}.HLM", self._limits)
        channels.on_put(f"{name}.LLM", self._limits)
        for field, sign in (("TWF", 1.0), ("TWR", -1.0)):
            channels.on_put(f"{name}.{field}", self._tweak(field, sign))
        for field in ("HOMF", "HOMR"):
            channels.on_put(f"{name}.{field}", self._home(field))

    @property
    def dial(self) -> float:
        """Where the motor really stands, whatever offset and direction the user chose."""
        return self._dial

    async def start(self) -> None:
        """Publish the limits with the position, as clients expect them."""
        await self._limits(0.0)

    def _get(self, field: str) -> float:
        return float(self._channels.get(f"{self.spec.name}.{field}"))

    async def _post(self, field: str, value: object) -> None:
        await self._channels.post(f"{self.spec.name}.{field}", value)

    def _sign(self) -> float:
        return -1.0 if self._get("DIR") else 1.0

    def _user(self, dial: float) -> float:
        return self._sign() * dial + self._get("OFF")

    async def _limits(self, _: float) -> None:
        await self._channels.limits(self.spec.name, self._get("LLM"), self._get("HLM"))

    async def _redefine(self, _: float) -> None:
        await self._channels.post(self.spec.name, self._user(self._target))
        await self._publish()

    async def _publish(self) -> None:
        await self._post("RBV", self._user(self._dial))
        await self._post("DRBV", self._dial)
        await self._post("RRBV", round(self._dial / self.spec.resolution))
        await self._moved()

    async def _put(self, value: float) -> None:
        """Move to `value` and return when the motor stands; the put completes then."""
        name = self.spec.name
        if self._get("SET"):
            await self._post("OFF", value - self._sign() * self._dial)
            await self._publish()
            return
        if not self._get("LLM") <= value <= self._get("HLM"):
            await self._post("LVIO", 1)
            await self._channels.post(name, self._user(self._target))
            await self._channels.alarm(name, AlarmSeverity.MAJOR_ALARM, AlarmStatus.HWLIMIT)
            return
        await self._post("LVIO", 0)
        await self._channels.alarm(name, AlarmSeverity.NO_ALARM, AlarmStatus.NO_ALARM)
        step = self.spec.resolution
        steps = round(self._sign() * (value - self._get("OFF")) / step)
        self._target = round(steps * step, 9)
        await self._post("DVAL", self._target)
        if self._mover is None:
            self._mover = asyncio.create_task(self._move())
        await asyncio.shield(self._mover)

    async def _move(self) -> None:
        """Travel until the newest target is reached."""
        try:
            await self._post("DMOV", 0)
            await self._post("MOVN", 1)
            await asyncio.sleep(_PULSE_S)
            while self._dial != self._target:
                await self._travel(self._target)
        finally:
            self._mover = None
            await self._publish()
            await self._post("MOVN", 0)
            await self._post("DMOV", 1)

    async def _travel(self, target: float) -> None:
        """Go straight to `target`, unless it changes on the way."""
        origin, started = self._dial, time.monotonic()
        distance = abs(target - origin)
        await self._post("TDIR", int(target > origin))
        lasts_s = distance / max(self._get("VELO"), 1e-9) + self._get("ACCL")
        lasts_s = min(lasts_s, self._longest_s)
        while target == self._target:
            part = (time.monotonic() - started) / lasts_s if lasts_s > 0 else 1.0
            if part >= 1.0:
                self._dial = target
                return
            self._dial = origin + part * (target - origin)
            await self._publish()
            await asyncio.sleep(self._tick_s)

    async def _stop(self, value: float) -> None:
        if value:
            self._target = self._dial
            await self._channels.post(self.spec.name, self._user(self._dial))
            await self._post("DVAL", self._dial)
            await self._post("STOP", 0)

    def _tweak(self, field: str, sign: float) -> Callable[[float], Awaitable[None]]:
        async def tweak(value: float) -> None:
            if value:
                await self._post(field, 0)
                goal = self._user(self._target) + sign * self._get("TWV")
                await self._channels.post(self.spec.name, goal)
                await self._put(goal)

        return tweak

    def _home(self, field: str) -> Callable[[float], Awaitable[None]]:
        async def home(value: float) -> None:
            if value:
                await self._post(field, 0)
                await self._channels.post(self.spec.name, self._user(0.0))
                await self._put(self._user(0.0))

        return home
