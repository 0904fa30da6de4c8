"""The attenuators: foils that go in and out, and the transmission of those that are in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sim_iocs.beamline.description import FilterDescription
from sim_iocs.beamline.optics import best_foils, foil_transmission
from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["Filters", "filter_records"]

_OUT_IN = ("Out", "In")


def filter_records(description: FilterDescription) -> list[Record]:
    """Rows of the attenuators."""
    pv, rows = description.pv, []
    for number, thickness_um in enumerate(description.thickness_um, 1):
        foil = f"{pv}-Foil:{number}}}"
        text = f"{thickness_um:g} um of {description.material}"
        rows += [
            Record(f"{foil}Pos-Cmd", "bo", 0, text, _OUT_IN),
            Record(f"{foil}Pos-Sts", "bi", 0, text, _OUT_IN),
            Record(f"{foil}Thick-I", "ai", thickness_um, "Thickness", units="um", precision=1),
        ]
    return [
        *rows,
        Record(f"{pv}}}Trans-SP", "ao", 1.0, "Transmission that is wanted", precision=6),
        Record(f"{pv}}}Trans-I", "ai", 1.0, "Transmission of the foils that are in", precision=6),
        Record(f"{pv}}}Moving-Sts", "bi", 0, "Foils are moving", ("Done", "Moving")),
    ]


class Filters:
    """Puts foils in and out.

    Parameters
    ----------
    channels
        Where the rows are served.
    description
        The foils.
    energy_kev
        Gives the present photon energy.
    takes_s
        Time that a change takes, in seconds.
    moved
        Awaited after each change.
    """

    def __init__(
        self,
        channels: Channels,
        description: FilterDescription,
        *,
        energy_kev: Callable[[], float],
        takes_s: float,
        moved: Callable[[], Awaitable[None]],
    ) -> None:
        self._channels = channels
        self._description = description
        self._energy_kev = energy_kev
        self._takes_s = takes_s
        self._moved = moved
        self._numbers = range(1, len(description.thickness_um) + 1)
        for number in self._numbers:
            channels.on_put(f"{description.pv}-Foil:{number}}}Pos-Cmd", self._one(number))
        channels.on_put(f"{description.pv}}}Trans-SP", self._transmit)

    @property
    def foils(self) -> tuple[bool, ...]:
        """Which foils are in the beam."""
        pv = self._description.pv
        return tuple(bool(self._channels.get(f"{pv}-Foil:{n}}}Pos-Sts")) for n in self._numbers)

    async def show(self) -> None:
        """Publish the transmission, which depends on the photon energy too."""
        d = self._description
        thickness = sum(t for t, is_in in zip(d.thickness_um, self.foils, strict=True) if is_in)
        passed = foil_transmission(d.material, thickness, self._energy_kev())
        await self._channels.post(f"{d.pv}}}Trans-I", passed)

    def _one(self, number: int) -> Callable[[int], Awaitable[None]]:
        async def move(value: int) -> None:
            foils = list(self.foils)
            foils[number - 1] = bool(value)
            await self._change(foils)

        return move

    async def _transmit(self, wanted: float) -> None:
        d = self._description
        await self._change(list(best_foils(wanted, d.material, d.thickness_um, self._energy_kev())))

    async def _change(self, foils: list[bool]) -> None:
        pv, post = self._description.pv, self._channels.post
        await post(f"{pv}}}Moving-Sts", 1)
        await asyncio.sleep(self._takes_s)
        for number, is_in in zip(self._numbers, foils, strict=True):
            await post(f"{pv}-Foil:{number}}}Pos-Cmd", int(is_in))
            await post(f"{pv}-Foil:{number}}}Pos-Sts", int(is_in))
        await self.show()
        await self._moved()
        await post(f"{pv}}}Moving-Sts", 0)
