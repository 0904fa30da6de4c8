"""Which streams of Serval the driver reads while it acquires."""

from __future__ import annotations

import asyncio

from sim_iocs.channels import Channels
from sim_iocs.detector.histogram_sums import HistogramSums
from sim_iocs.detector.image_sums import ImageSums
from sim_iocs.detector.stream_reader import Take, read_stream
from sim_iocs.plugins import PluginSet
from sim_iocs.serval.destination import address_of

__all__ = ["StreamReaders"]

_JSONHISTO = 4
_REST_S = 2.0


class StreamReaders:
    """Reads images and histograms; previews are made without their streams.

    Parameters
    ----------
    channels
        Records of the driver.
    plugins
        Who gets images.
    """

    def __init__(self, channels: Channels, plugins: PluginSet) -> None:
        self._channels = channels
        self._images = ImageSums(channels, plugins)
        self._histograms = HistogramSums(channels)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def count(self) -> int:
        """Streams that the driver reads, previews included; it waits for each of them."""
        previews = sum(map(self._streams, ("PrvImg", "PrvImg1")))
        return previews + self._reads_images() + self._reads_histograms()

    def start(self) -> None:
        """Begin to read."""
        if self._reads_images():
            self._read("Img", self._images.take)
        if self._reads_histograms():
            self._read("PrvHst", self._histograms.take)

    async def finish(self, *, rest: bool) -> None:
        """End; `rest` first takes what a Serval that has hung up has sent."""
        tasks, self._tasks = self._tasks, []
        if rest and tasks:
            await asyncio.wait(tasks, timeout=_REST_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            await self._images.show()
            await self._images.clear()

    def _read(self, name: str, take: Take) -> None:
        address = address_of(self._channels.get(f"{name}FilePath_RBV"))
        if address is not None and address.listens:
            self._tasks.append(
                asyncio.create_task(read_stream(address, take), name=f"{name} stream")
            )

    def _streams(self, name: str) -> bool:
        get = self._channels.get
        return bool(get(f"Write{name}")) and get(f"{name}FilePath_RBV").startswith("tcp://")

    def _reads_images(self) -> bool:
        return self._streams("Img") and bool(self._channels.get("ImgAccumulationEnable_RBV"))

    def _reads_histograms(self) -> bool:
        get = self._channels.get
        return (
            self._streams("PrvHst")
            and get("PrvHstFileFmt_RBV") == _JSONHISTO
            and bool(get("PrvHstAccumulationEnable_RBV"))
        )
