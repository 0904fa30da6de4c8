"""The photon shutter: two commands and a status."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sim_iocs.beamline.description import CounterDescription
from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["SHUTTER_ALIASES", "Shutter", "shutter_records"]

_CLOSED, _OPEN = 0, 1
SHUTTER_ALIASES = {"Cmd:Opn-Cmd": "Cmd:Opn", "Cmd:Cls-Cmd": "Cmd:Cls", "Pos-Sts": "Sts"}


def shutter_records(description: CounterDescription) -> list[Record]:
    """Rows of the shutter."""
    pv = description.pv
    return [
        Record(f"{pv}Cmd:Opn-Cmd", "bo", 0, "Open the shutter", ("Done", "Open")),
        Record(f"{pv}Cmd:Cls-Cmd", "bo", 0, "Close the shutter", ("Done", "Close")),
        Record(f"{pv}Pos-Sts", "bi", _CLOSED, "Shutter status", ("Closed", "Open")),
        Record("SIM:Shutter:Stuck", "bo", 0, "The shutter does not move", ("No", "Yes")),
    ]


class Shutter:
    """Opens and closes, unless it is stuck.

    Parameters
    ----------
    channels
        Where the rows are served.
    description
        Their names.
    takes_s
        Time from a command to its end, in seconds.
    moved
        Awaited after each change.
    """

    def __init__(
        self,
        channels: Channels,
        description: CounterDescription,
        *,
        takes_s: float,
        moved: Callable[[], Awaitable[None]],
    ) -> None:
        self._channels = channels
        self._pv = description.pv
        self._takes_s = takes_s
        self._moved = moved
        channels.on_put(f"{self._pv}Cmd:Opn-Cmd", self._command("Cmd:Opn-Cmd", _OPEN))
        channels.on_put(f"{self._pv}Cmd:Cls-Cmd", self._command("Cmd:Cls-Cmd", _CLOSED))

    @property
    def is_open(self) -> bool:
        """Whether the beam passes."""
        return bool(self._channels.get(f"{self._pv}Pos-Sts") == _OPEN)

    def _command(self, name: str, state: int) -> Callable[[int], Awaitable[None]]:
        async def obey(value: int) -> None:
            if value:
                await asyncio.sleep(self._takes_s)
                if not self._channels.get("SIM:Shutter:Stuck"):
                    await self._channels.post(f"{self._pv}Pos-Sts", state)
                    await self._moved()
                await self._channels.post(f"{self._pv}{name}", 0)

        return obey
