"""Ports of the streams that the driver reads: tested before each start, and moved when busy."""

from __future__ import annotations

import socket

from sim_iocs.channels import Channels
from sim_iocs.detector.paths import Paths
from sim_iocs.detector.pushes import Pushes
from sim_iocs.serval.destination import Address, address_of

__all__ = ["PreviewPorts"]

_CHANNELS = ("PrvImg", "PrvImg1", "Img", "PrvHst")
_LAST_PORT = 65_535


def _is_busy(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # a port that only waits out its last connections can be listened on
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


class PreviewPorts:
    """Gives streams other ports and tells Serval; the new ones show in the readbacks only.

    Parameters
    ----------
    channels
        Records of the driver.
    pushes
        Sends the changed channels.
    paths
        Checks the changed places.
    """

    def __init__(self, channels: Channels, pushes: Pushes, paths: Paths) -> None:
        self._channels = channels
        self._pushes = pushes
        self._paths = paths

    async def make_free(self, *, rotate: bool = False) -> None:
        """Move streams whose ports are in use, or all of them if Serval found one that is."""
        taken: set[int] = set()
        moved = False
        for name in _CHANNELS:
            if not self._channels.get(f"Write{name}"):
                continue
            address = address_of(self._channels.get(f"{name}FilePath_RBV"))
            if address is None or not address.listens:
                continue
            port = address.port
            if rotate or port in taken or _is_busy(port):
                port = self._next_free(port, taken)
                place = str(Address(True, address.host, port))
                await self._channels.post(f"{name}FilePath_RBV", place)
                await self._paths.check(f"{name}FilePath")
                moved = True
            taken.add(port)
        if moved:
            await self._pushes.destination()

    @staticmethod
    def _next_free(port: int, taken: set[int]) -> int:
        for candidate in range(port + 1, _LAST_PORT + 1):
            if candidate not in taken and not _is_busy(candidate):
                return candidate
        return port
