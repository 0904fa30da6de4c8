"""The scales of a motor: dial and user coordinates, and the limits in both."""

from __future__ import annotations

from sim_iocs.beamline.description import MotorDescription
from sim_iocs.channels import Channels

__all__ = ["MotorScales"]


class MotorScales:
    """User position = sign × dial position + offset; the limits go with it.

    Parameters
    ----------
    channels
        Where the record is served.
    description
        Which record it is.
    """

    def __init__(self, channels: Channels, description: MotorDescription) -> None:
        self._channels = channels
        self._name = description.pv

    def _get(self, field: str) -> float:
        return float(self._channels.get(f"{self._name}.{field}"))

    async def _post(self, field: str, value: float) -> None:
        await self._channels.post(f"{self._name}.{field}", value)

    def _sign(self) -> float:
        return -1.0 if self._get("DIR") else 1.0

    def user(self, dial: float) -> float:
        """User position of a dial position."""
        return self._sign() * dial + self._get("OFF")

    def dial(self, user: float) -> float:
        """Dial position of a user position."""
        return self._sign() * (user - self._get("OFF"))

    async def shift(self, way: float) -> None:
        """Add to the offset."""
        await self._post("OFF", self._get("OFF") + way)
        await self.follow()

    async def follow(self) -> None:
        """After a change of offset or direction: the dial limits stay, the user's follow."""
        ends = sorted((self.user(self._get("DLLM")), self.user(self._get("DHLM"))))
        await self._post("LLM", ends[0])
        await self._post("HLM", ends[1])
        await self._tell()

    async def user_limits(self, _: float) -> None:
        """After a change of the user limits."""
        ends = sorted((self.dial(self._get("LLM")), self.dial(self._get("HLM"))))
        if self._get("LLM") <= self._get("HLM"):
            await self._post("DLLM", ends[0])
            await self._post("DHLM", ends[1])
        await self._tell()

    async def dial_limits(self, _: float) -> None:
        """After a change of the dial limits."""
        await self.follow()

    async def _tell(self) -> None:
        """Clients read the limits with the set point."""
        await self._channels.limits(self._name, self._get("LLM"), self._get("HLM"))
        await self._channels.limits(f"{self._name}.DVAL", self._get("DLLM"), self._get("DHLM"))
