"""Who gets which arrays: ports with addresses, and those who listen to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sim_iocs.plugins.frame import Frame

__all__ = ["ArrayBus", "Receiver"]

Receiver = Callable[[Frame], Awaitable[None]]


class ArrayBus:
    """Hands arrays from ports to receivers; a receiver listens to one port and address."""

    def __init__(self) -> None:
        self._sources: dict[Receiver, tuple[str, int]] = {}

    def connect(self, receiver: Receiver, port: str, address: int) -> None:
        """Let a receiver listen to a port, and to no other; the port need not exist."""
        self._sources[receiver] = (port, address)

    async def publish(self, port: str, address: int, frame: Frame) -> None:
        """Hand an array to all who listen."""
        receivers = [r for r, source in self._sources.items() if source == (port, address)]
        for receiver in receivers:
            await receiver(frame)
