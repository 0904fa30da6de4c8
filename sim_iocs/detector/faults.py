"""Faults on command: the records below `SIM:`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from caproto import AlarmSeverity, AlarmStatus

from sim_iocs.channels import Channels
from sim_iocs.detector_faults import DETECTOR_FAULTS, FAULT_RECORDS
from sim_iocs.serval import DetectorConfig, Faults, Serval

__all__ = ["FaultRecords"]

_POLL_S = 0.1
_LATE_S, _VERY_LATE_S = 0.5, 2.0
_FILES = next(fault.labels for fault in DETECTOR_FAULTS if fault.name == "Files")
# records and the fields of `Faults` that hold the same
_PLAIN: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ServalDown": ("serval_down", bool),
    "Slow": ("slow_s", float),
    "DetectorLost": ("detector_lost", bool),
    "StartRefused": ("start_refused", bool),
    "StopFails": ("stop_fails", bool),
    "DiskLimit": ("disk_limit", bool),
    "DropEvery": ("drop_every", int),
    "FileLate": ("file_late_s", float),
    "ClockReset": ("clock_reset", bool),
    "NoHeartbeats": ("no_heartbeats", bool),
}


class FaultRecords:
    """Lets the records work on a model.

    Parameters
    ----------
    prefix
        First part of all names of the IOC.
    serval
        The model; `serval.faults` is what the records change.
    """

    def __init__(self, prefix: str, serval: Serval) -> None:
        self.channels = Channels(f"{prefix}SIM:", FAULT_RECORDS)
        self._serval = serval
        for fault in DETECTOR_FAULTS:
            self.channels.on_put(fault.name, self._on_fault(fault.name))
        self.channels.on_put("Clear", self._clear)
        self.channels.on_put("Trigger", self._edge)
        self.channels.on_put("SoftTrigger", self._software)

    @property
    def _faults(self) -> Faults:
        return self._serval.faults

    def set(self, name: str, value: Any) -> None:
        """Switch a fault on or off; `value` is that of its record, or its text.

        Raises
        ------
        ValueError
            If the value is no good.
        """
        faults = self._faults
        if name in _PLAIN:
            field, convert = _PLAIN[name]
            number = float(value)
            if number < 0.0:
                raise ValueError(f"{number:g} is below 0")
            setattr(faults, field, convert(number))
        elif name == "LostAfter":
            after_s = float(value)
            faults.lost_after_s = after_s if after_s > 0.0 else None
        elif name == "PortInUse":
            port = int(value)
            faults.port_in_use = {port} if port else set()
        elif name == "Files":
            index = _FILES.index(value) if isinstance(value, str) else int(value)
            faults.files = _FILES[index] if index else ""
        elif name == "Refuse":
            faults.refuse = _refusal(str(value))
        else:
            faults.wrong_readback = _wrong_values(str(value))

    async def run(self) -> None:
        """Show what the model switches on and off by itself, for ever."""
        while True:
            await self.show()
            await asyncio.sleep(_POLL_S)

    async def show(self) -> None:
        """Bring the records up to date."""
        faults = self._faults
        values = {name: getattr(faults, field) for name, (field, _) in _PLAIN.items()}
        values["LostAfter"] = faults.lost_after_s or 0.0
        values["PortInUse"] = next(iter(faults.port_in_use), 0)
        values["Files"] = _FILES.index(faults.files) if faults.files else 0
        values["Refuse"] = "; ".join(
            f"{request} {code} {text}" for request, (code, text) in faults.refuse.items()
        )
        values["WrongReadback"] = json.dumps(faults.wrong_readback) if faults.wrong_readback else ""
        await self.channels.post_all(values)
        await self._show_run()

    async def _show_run(self) -> None:
        """Show how far behind the run is and where its hits are; late is an alarm."""
        run = self._serval.measurement
        if run is None:
            return
        await self.channels.post_all(
            {"HitsMade": run.n_made, "HitsOut": run.n_hits, "HitsLost": run.n_lost}
        )
        lag_s = run.lag_s if run.status == "DA_RECORDING" else 0.0
        await self.channels.post("Lag", round(lag_s, 3))
        late = AlarmSeverity.NO_ALARM
        if lag_s > _LATE_S:
            late = AlarmSeverity.MAJOR_ALARM if lag_s > _VERY_LATE_S else AlarmSeverity.MINOR_ALARM
        status = AlarmStatus.HIGH if late else AlarmStatus.NO_ALARM
        await self.channels.alarm("Lag", late, status)

    def _on_fault(self, name: str) -> Callable[[Any], Awaitable[None]]:
        async def put(value: Any) -> None:
            message = ""
            try:
                self.set(name, value)
            except ValueError as error:
                message = f"{name}: {error}"
            await self.channels.post("Message", message)
            await self.show()

        return put

    async def _clear(self, value: int) -> None:
        if value:
            self._faults.clear()
            await self.show()
            await self.channels.post("Message", "")
            await self.channels.post("Clear", 0)

    async def _edge(self, value: int) -> None:
        self._serval.edge(rising=bool(value))

    async def _software(self, value: int) -> None:
        reply = await self._serval.trigger("start" if value else "stop")
        await self.channels.post("Message", "" if reply.ok else reply.text)


def _refusal(text: str) -> dict[str, tuple[int, str]]:
    """Refused requests of ``METHOD PATH CODE TEXT``, or ``* CODE TEXT``; `;` stands between two."""
    made = {}
    for each in text.split(";"):
        if not each.strip():
            continue
        words = each.split(maxsplit=2) if each.split()[0] == "*" else each.split(maxsplit=3)
        request = words[0] if words[0] == "*" else " ".join(words[:2])
        rest = words[1:] if words[0] == "*" else words[2:]
        if not rest or not rest[0].isdecimal() or not 100 <= int(rest[0]) <= 599:
            raise ValueError(
                "no 'METHOD /path CODE text', such as 'PUT /server/destination 400 no'"
            )
        made[request] = (int(rest[0]), rest[1] if len(rest) > 1 else "")
    return made


def _wrong_values(text: str) -> dict[str, Any]:
    """Values by Serval's names, which must be of the right types."""
    if not text.strip():
        return {}
    try:
        values = json.loads(text)
    except ValueError:
        raise ValueError("no JSON object, such as '{\"ExposureTime\": 9.0}'") from None
    if not isinstance(values, dict):
        raise ValueError("no JSON object, such as '{\"ExposureTime\": 9.0}'")
    DetectorConfig().with_json(values)
    return values
