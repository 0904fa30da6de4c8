"""The image channel in the driver: every image to plugins at address 1, and sums of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.channels import Channels
from sim_iocs.plugins import Frame, PluginSet

__all__ = ["ImageSums"]

_ADDRESS = 1
_BYTES_PER_MB = 1e6
# waveforms are 2 MB each, and only their newest is of use
_SHOWN_EVERY_S = 0.5


class ImageSums:
    """Takes images and shows what it makes of them.

    Parameters
    ----------
    channels
        Records of the driver.
    plugins
        Who gets the images.
    """

    def __init__(self, channels: Channels, plugins: PluginSet) -> None:
        self._channels = channels
        self._plugins = plugins
        self._latest: deque[NDArray[Any]] = deque()
        self._sum: NDArray[Any] | None = None
        self._shown_s = 0.0
        self._taken_s = 0.0
        channels.on_put("ImgImageDataReset", self._reset)

    async def take(self, header: Mapping[str, Any], pixels: NDArray[Any]) -> None:
        """Count an image, pass it on, and add it up."""
        began = time.monotonic()
        get, post_all = self._channels.get, self._channels.post_all
        image = pixels.reshape(header["height"], header["width"])
        frame = Frame(image, header["frameNumber"], time.time())
        await post_all(
            {
                "ArrayCounter_RBV": get("ArrayCounter_RBV") + 1,
                "UniqueId_RBV": header["frameNumber"],
                "ImgFrameNumber_RBV": header["frameNumber"],
                "ImgTimeAtFrame_RBV": header["timeAtFrame"],
                "ImgThresholdID_RBV": header.get("thresholdID", 0),
                "ImgAcqRate_RBV": 1.0 / max(began - self._taken_s, 1e-3) if self._taken_s else 0.0,
            }
        )
        self._taken_s = began
        if get("ArrayCallbacks_RBV"):
            await self._plugins.publish(frame, _ADDRESS)
        self._add(pixels)
        if began - self._shown_s >= _SHOWN_EVERY_S:
            self._shown_s = began
            await self.show()
        await self._channels.post("ImgProcessingTime", 1e3 * (time.monotonic() - began))

    def _add(self, pixels: NDArray[Any]) -> None:
        self._latest.append(pixels)
        while len(self._latest) > self._channels.get("ImgFramesToSum"):
            self._latest.popleft()
        if self._sum is None or self._sum.size != pixels.size:
            self._sum = np.zeros(pixels.size, np.int64)
        self._sum += pixels

    async def show(self) -> None:
        """Publish the waveforms."""
        if self._sum is None or not self._latest:
            return
        some = np.sum(self._latest, axis=0, dtype=np.int64)
        await self._channels.post_all(
            {
                "ImgImageFrame": self._latest[-1].astype(np.int32),
                "ImgImageData": self._sum.copy(),
                "ImgImageSumNFrames": some,
                "ImgTotalCounts": int(self._sum.sum()),
                "ImgMemoryUsage": (self._sum.nbytes + sum(i.nbytes for i in self._latest))
                / _BYTES_PER_MB,
            }
        )

    async def clear(self) -> None:
        """Forget the sums, as a stop does; the waveforms keep what they showed."""
        self._sum = None
        self._latest.clear()
        self._taken_s = self._shown_s = 0.0
        await self._channels.post_all({"ImgTotalCounts": 0, "ImgAcqRate_RBV": 0.0})

    async def _reset(self, value: int) -> None:
        if value:
            await self.clear()
            await self._channels.post("ImgImageDataReset", 0)
