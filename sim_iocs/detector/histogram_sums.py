"""The histogram channel in the driver: the latest, the sum of some, and the sum of all."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.channels import Channels

__all__ = ["HistogramSums"]

_TICK_MS = 1.5625e-6 / 6.0


class HistogramSums:
    """Takes histograms and shows what it makes of them; sums live until they are reset.

    Parameters
    ----------
    channels
        Records of the driver.
    """

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._latest: deque[NDArray[Any]] = deque()
        self._sum = np.zeros(0, np.int64)
        self._n = 0
        channels.on_put("PrvHstDataReset", self._reset)

    async def take(self, header: Mapping[str, Any], counts: NDArray[Any]) -> None:
        """Add a histogram up and show it."""
        if self._sum.size != counts.size:
            self._forget(counts.size)
        self._n += 1
        self._sum += counts
        self._latest.append(counts)
        while len(self._latest) > max(int(self._channels.get("PrvHstFramesToSum_RBV")), 1):
            self._latest.popleft()
        width, offset = header["binWidth"], header["binOffset"]
        centres = (offset + width * (np.arange(counts.size) + 0.5)) * _TICK_MS
        await self._channels.post_all(
            {
                "PrvHstHistogramFrame": counts.astype(np.int32),
                "PrvHstHistogramData": self._sum.copy(),
                "PrvHstHistogramSumNFrames": np.sum(self._latest, axis=0, dtype=np.int64),
                "PrvHstHistogramTimeMs": centres,
                "PrvHstTimeAtFrame_RBV": header["timeAtFrame"],
                "PrvHstFrameBinSize_RBV": counts.size,
                "PrvHstFrameBinWidth_RBV": width,
                "PrvHstFrameBinOffset_RBV": offset,
                "PrvHstBinWidthMs_RBV": width * _TICK_MS,
                "PrvHstBinOffsetMs_RBV": offset * _TICK_MS,
                "PrvHstTotalTimeMs_RBV": counts.size * width * _TICK_MS,
                "PrvHstFrameCount_RBV": self._n,
                "PrvHstTotalCounts_RBV": int(self._sum.sum()),
            }
        )

    def _forget(self, size: int) -> None:
        self._sum = np.zeros(size, np.int64)
        self._latest.clear()
        self._n = 0

    async def _reset(self, value: int) -> None:
        if value:
            self._forget(self._sum.size)
            await self._channels.post_all(
                {
                    "PrvHstHistogramData": self._sum.copy(),
                    "PrvHstFrameCount_RBV": 0,
                    "PrvHstTotalCounts_RBV": 0,
                    "PrvHstDataReset": 0,
                }
            )
