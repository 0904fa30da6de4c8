"""Alarms, limit switches and status bits of a motor."""

from __future__ import annotations

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.beamline.description import MotorDescription
from sim_iocs.channels import Channels

__all__ = ["MotorAlarms"]

# bits of MSTA, as the motor record documents them
_DIRECTION, _DONE, _PLUS_LIMIT, _STALLED, _PROBLEM = 1 << 0, 1 << 1, 1 << 2, 1 << 6, 1 << 9
_MOVING, _MINUS_LIMIT, _HOMED = 1 << 10, 1 << 13, 1 << 14


class MotorAlarms:
    """What the record says about the health of its motor.

    Parameters
    ----------
    channels
        Where the record is served.
    description
        The motor.
    """

    def __init__(self, channels: Channels, description: MotorDescription) -> None:
        self._channels = channels
        self._name = description.pv
        self._bits = 0
        self.switches = (
            description.low - description.overtravel,
            description.high + description.overtravel,
        )

    async def _post(self, field: str, value: int) -> None:
        await self._channels.post(f"{self._name}.{field}", value)

    async def status(self, *, moving: bool) -> None:
        """Publish the status bits."""
        bits = self._bits | (_MOVING if moving else _DONE)
        bits |= _DIRECTION if self._channels.get(f"{self._name}.CDIR") else 0
        await self._post("MSTA", bits)

    async def homed(self) -> None:
        """Remember that the home switch was found."""
        self._bits |= _HOMED
        await self.status(moving=False)

    async def raise_(
        self, severity: AlarmSeverity, status: AlarmStatus, *, stalled: bool = False
    ) -> None:
        """Put the record into alarm until the next move."""
        if stalled:
            self._bits |= _STALLED | _PROBLEM
        for name in (self._name, f"{self._name}.RBV"):
            await self._channels.alarm(name, severity, status)
        await self._post("SEVR", int(severity))
        await self._post("STAT", int(status))

    async def clear(self) -> None:
        """End all alarms: a new move begins."""
        self._bits &= _HOMED
        for field in ("HLS", "LLS", "RHLS", "RLLS"):
            await self._post(field, 0)
        await self.raise_(AlarmSeverity.NO_ALARM, AlarmStatus.NO_ALARM)

    async def at_switch(self, high: bool) -> None:
        """A limit switch has ended the move."""
        self._bits |= _PLUS_LIMIT if high else _MINUS_LIMIT
        reverse = bool(self._channels.get(f"{self._name}.DIR"))
        await self._post("RHLS" if high else "RLLS", 1)
        await self._post("HLS" if high != reverse else "LLS", 1)
        severity = AlarmSeverity(int(self._channels.get(f"{self._name}.HLSV")))
        await self.raise_(severity, AlarmStatus.HIGH if high != reverse else AlarmStatus.LOW)
