"""NDStdArrays: the latest array as a waveform."""

from __future__ import annotations

from sim_iocs.plugins.frame import Frame
from sim_iocs.plugins.plugin import Plugin

__all__ = ["StdArrays"]


class StdArrays(Plugin):
    """Serves arrays over Channel Access, in the type of its record."""

    async def process(self, frame: Frame) -> Frame:
        """Serve the array; what does not fit the type wraps around, as it does in the driver."""
        await self.channels.post("ArrayData", frame.data.ravel())
        return frame
