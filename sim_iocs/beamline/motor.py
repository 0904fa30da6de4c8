"""A motor record: moves that take time, limits, stop, backlash, offset and direction."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from enum import IntEnum

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.beamline.description import MotorDescription
from sim_iocs.beamline.motor_alarms import MotorAlarms
from sim_iocs.beamline.motor_scales import MotorScales
from sim_iocs.beamline.travel import Travel
from sim_iocs.channels import Channels

__all__ = ["Motor", "Stuck"]

_PULSE_S = 0.002


class Stuck(IntEnum):
    """How a motor is stuck: not, or the controller notices, or it says nothing for ever."""

    NO = 0
    STALLS = 1
    HANGS = 2


class Motor:
    """Behaviour of one motor record.

    Parameters
    ----------
    channels
        Where the rows of `motor_records` are served.
    description
        The same description they were made from.
    longest_s
        Time no move takes longer than, in seconds.
    tick_s
        Time between two readbacks during a move, in seconds.
    moved
        Awaited after each change of position.

    Attributes
    ----------
    stuck
        Whether it moves at all.
    slowness
        How many times longer moves take.
    """

    def __init__(
        self,
        channels: Channels,
        description: MotorDescription,
        *,
        longest_s: float,
        tick_s: float,
        moved: Callable[[], Awaitable[None]],
    ) -> None:
        self.description = description
        self.stuck = Stuck.NO
        self.slowness = 1.0
        self._channels = channels
        self._name = description.pv
        self._longest_s = longest_s
        self._tick_s = tick_s
        self._moved = moved
        self._dial = self._axis = self._target = description.start
        self._mover: asyncio.Task[None] | None = None
        self._jogging = False
        self._scales = MotorScales(channels, description)
        self._alarms = MotorAlarms(channels, description)
        for field, handler in {
            "": self._put,
            "DVAL": self._put_dial,
            "RVAL": lambda steps: self._put_dial(steps * description.resolution),
            "RLV": self._put_relative,
            "STOP": self._stop,
            "SPMG": self._mode,
            "OFF": self._redefine,
            "DIR": self._redefine,
            "HLM": self._scales.user_limits,
            "LLM": self._scales.user_limits,
            "DHLM": self._scales.dial_limits,
            "DLLM": self._scales.dial_limits,
            "TWF": self._tweak("TWF", 1.0),
            "TWR": self._tweak("TWR", -1.0),
            "JOGF": self._jog("JOGF", 1.0),
            "JOGR": self._jog("JOGR", -1.0),
            "HOMF": self._home("HOMF"),
            "HOMR": self._home("HOMR"),
            "VELO": self._speed,
            "STUP": self._status_update,
        }.items():
            channels.on_put(f"{self._name}.{field}" if field else self._name, handler)

    @property
    def dial(self) -> float:
        """What the encoder reads, whatever offset and direction the user chose."""
        return self._dial

    @property
    def axis(self) -> float:
        """Where the axis really stands: after a move down it lags behind by the play."""
        return self._axis

    async def start(self) -> None:
        """Publish the limits with the position, as clients expect them."""
        await self._scales.user_limits(0.0)

    def _get(self, field: str) -> float:
        return float(self._channels.get(f"{self._name}.{field}"))

    async def _post(self, field: str, value: object) -> None:
        await self._channels.post(f"{self._name}.{field}" if field else self._name, value)

    async def _show_target(self) -> None:
        await self._post("", self._scales.user(self._target))
        await self._post("DVAL", self._target)
        await self._post("RVAL", round(self._target / self.description.resolution))

    async def _publish(self) -> None:
        steps = round(self._dial / self.description.resolution)
        for field, value in {
            "RBV": self._scales.user(self._dial),
            "DRBV": self._dial,
            "RRBV": steps,
            "REP": steps,
            "DIFF": self._target - self._dial,
            "RDIF": round((self._target - self._dial) / self.description.resolution),
            "ATHM": int(abs(self._dial - self.description.home) < self._get("RDBD")),
        }.items():
            await self._post(field, value)
        await self._moved()

    def _go_to(self, dial: float) -> None:
        """The encoder reads `dial` now; the axis follows as far as the play lets it."""
        self._dial = dial
        self._axis = min(max(self._axis, dial), dial + self.description.play)

    async def _put(self, value: float) -> None:
        """Move to `value` and return when the motor stands; the put completes then."""
        if self._get("SET"):
            await self._set_position(value)
            return
        if not self._get("LLM") <= value <= self._get("HLM"):
            await self._post("LVIO", 1)
            await self._show_target()
            return
        await self._post("LVIO", 0)
        step = self.description.resolution
        self._target = round(round(self._scales.dial(value) / step) * step, 9)
        await self._show_target()
        if self._get("SPMG") < 2:
            return
        await self._set_off()

    async def _put_dial(self, dial: float) -> None:
        value = self._scales.user(dial)
        await self._post("", value)
        await self._put(value)

    async def _put_relative(self, way: float) -> None:
        await self._post("RLV", 0.0)
        value = self._scales.user(self._target) + way
        await self._post("", value)
        await self._put(value)

    async def _set_off(self) -> None:
        if self._mover is None:
            self._mover = asyncio.create_task(self._move())
        await asyncio.shield(self._mover)

    async def _move(self) -> None:
        """Travel until the newest target is reached."""
        try:
            await self._alarms.clear()
            await self._post("MISS", 0)
            await self._post("DMOV", 0)
            await self._post("MOVN", 1)
            await self._alarms.status(moving=True)
            await asyncio.sleep(_PULSE_S)
            while self._dial != self._target and not await self._lost():
                await self._one_way(self._target)
            if (delay_s := self._get("DLY")) > 0.0:
                await asyncio.sleep(delay_s)
        finally:
            self._mover = None
            self._jogging = False
            await self._publish()
            # A move that was begun meanwhile has shown its beginning, and tells its own end.
            if self._mover is None:
                await self._alarms.status(moving=False)
            if self._mover is None and self._get("SPMG") == 2:
                await self._post("SPMG", 1)
            if self._mover is None:
                await self._post("MOVN", 0)
            if self._mover is None:
                await self._post("DMOV", 1)

    async def _lost(self) -> bool:
        """Whether the way ends here: at a limit switch, or because the motor is stuck."""
        upwards = self._target > self._dial
        await self._post("TDIR", int(upwards != bool(self._get("DIR"))))
        await self._post("CDIR", int(upwards))
        if self.stuck == Stuck.HANGS:
            target = self._target
            while self.stuck == Stuck.HANGS and target == self._target:
                await asyncio.sleep(self._tick_s)
            return False
        if self.stuck == Stuck.STALLS:
            await self._post("MISS", 1)
            await self._alarms.raise_(AlarmSeverity.MAJOR_ALARM, AlarmStatus.STATE, stalled=True)
            return True
        low, high = self._alarms.switches
        if (upwards and self._dial >= high) or (not upwards and self._dial <= low):
            await self._alarms.at_switch(upwards)
            return True
        return False

    async def _one_way(self, target: float) -> None:
        """Go to `target`, from the preferred side, unless it changes on the way."""
        backlash = self._get("BDST")
        way = target - self._dial
        if backlash and not self._jogging and (way * backlash < 0 or abs(way) > abs(backlash)):
            await self._travel(target - backlash, target, self._get("VELO"))
            if target == self._target and self._dial == target - backlash:
                await self._travel(target, target, self._get("BVEL"))
            return
        await self._travel(target, target, self._get("JVEL" if self._jogging else "VELO"))

    async def _travel(self, to: float, target: float, speed: float) -> None:
        """Go straight to `to`, as long as `target` is what is wanted and no switch is hit."""
        low, high = self._alarms.switches
        to = min(max(to, low), high)
        limit_s = 1e9 if self._jogging else self._longest_s * self.slowness
        way = Travel(
            self._dial,
            to,
            max(speed, 1e-9) / self.slowness,
            self._get("ACCL") * self.slowness,
            limit_s,
        )
        began = time.monotonic()
        while target == self._target and self.stuck == Stuck.NO:
            passed_s = time.monotonic() - began
            self._go_to(way.position(passed_s))
            if passed_s >= way.lasts_s:
                return
            await self._publish()
            await asyncio.sleep(self._tick_s)

    async def _halt(self) -> None:
        self._target = self._dial
        await self._show_target()

    async def _stop(self, value: float) -> None:
        if value:
            await self._halt()
            await self._post("STOP", 0)

    async def _mode(self, value: float) -> None:
        """Stop forgets the target, Pause keeps it until Go or Move."""
        if value == 0:
            await self._halt()
        elif value == 1:
            kept = self._target
            await self._halt()
            if (mover := self._mover) is not None:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.shield(mover)
            self._target = kept
            await self._show_target()
        elif self._target != self._dial:
            await self._set_off()

    async def _set_position(self, value: float) -> None:
        """Call the present position `value`: by the offset, or by the dial if that is frozen."""
        if self._get("FOFF"):
            self._axis += self._scales.dial(value) - self._dial
            self._dial = self._target = self._scales.dial(value)
            await self._show_target()
        else:
            await self._scales.shift(value - self._scales.user(self._dial))
        await self._publish()

    async def _redefine(self, _: float) -> None:
        await self._scales.follow()
        await self._show_target()
        await self._publish()

    async def _speed(self, value: float) -> None:
        most = self._get("VMAX")
        if value <= 0.0 or (most > 0.0 and value > most):
            value = most if most > 0.0 else self.description.speed
            await self._post("VELO", value)
        await self._post("S", value / self._get("UREV"))

    async def _status_update(self, value: float) -> None:
        await self._publish()
        await self._post("STUP", 0)

    def _tweak(self, field: str, sign: float) -> Callable[[float], Awaitable[None]]:
        async def tweak(value: float) -> None:
            if value:
                await self._post(field, 0)
                await self._put_relative(sign * self._get("TWV"))

        return tweak

    def _jog(self, field: str, sign: float) -> Callable[[float], Awaitable[None]]:
        async def jog(value: float) -> None:
            if value:
                edge = self._get("HLM" if sign > 0 else "LLM")
                self._jogging, self._target = True, self._scales.dial(edge)
                await self._set_off()
                await self._post(field, 0)
            else:
                await self._halt()

        return jog

    def _home(self, field: str) -> Callable[[float], Awaitable[None]]:
        async def home(value: float) -> None:
            if value:
                self._target = self.description.home
                await self._show_target()
                await self._set_off()
                if self._dial == self.description.home:
                    await self._alarms.homed()
                await self._post(field, 0)

        return home
