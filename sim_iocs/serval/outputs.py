"""Everything that the data of one measurement go to: raw files and streams, images, histograms."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from sim_iocs.serval.chunks import Seen, chunk_ends
from sim_iocs.serval.destination import (
    Channel,
    Destination,
    ImageChannel,
    address_of,
    expand_pattern,
    folder_of,
)
from sim_iocs.serval.faults import Faults
from sim_iocs.serval.image_files import encode_image
from sim_iocs.serval.images import Image, ImageBuilder, jsonimage
from sim_iocs.serval.later import Later
from sim_iocs.serval.layout import oriented
from sim_iocs.serval.stream import Stream
from sim_iocs.serval.tof import TofHistogram, jsonhisto
from sim_iocs.serval.writer import RawWriter
from twinbeam.tpx3 import SENSOR_PIXELS

__all__ = ["OutputSettings", "Outputs", "Refused", "open_outputs"]

_DRAIN_S = 2.0


class Refused(Exception):
    """A channel that cannot be opened; the message is the plain text of the refusal."""


@dataclass(frozen=True)
class OutputSettings:
    """How channels are opened.

    Attributes
    ----------
    bind_host
        Interface of listening streams, whatever host their address names.
    moves_busy_ports
        Whether a stream takes the next free port when its own is in use; Serval does not.
    complete_after_s
        How long after its end a raw file gets its last bytes.
    """

    bind_host: str = "127.0.0.1"
    moves_busy_ports: bool = False
    complete_after_s: float = 0.0


@dataclass
class _ImageOutput:
    channel: ImageChannel
    builder: ImageBuilder
    sink: Callable[[bytes], None]


@dataclass
class Outputs:
    """The open channels of a measurement; all but `finish` and `abandon` run in any thread."""

    writers: list[RawWriter] = field(default_factory=list)
    raw_streams: list[Stream] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=dict)
    images: list[_ImageOutput] = field(default_factory=list)
    histograms: list[tuple[TofHistogram, Callable[[bytes], None]]] = field(default_factory=list)
    histogram_period_s: float = 0.0
    orientation: str = "UP"
    _next_histogram_s: float = 0.0

    def raw(self, frame: int, data: bytes) -> None:
        """Pass raw bytes on: the same to every raw channel."""
        for writer in self.writers:
            writer.write(frame, data)
        if self.raw_streams and data:
            chunks = [data[low:high] for low, high in pairwise((0, *chunk_ends(data)))]
            for stream in self.raw_streams:
                stream.put(chunks)

    def see(self, seen: Seen) -> None:
        """Put hits into images and histograms."""
        for output in self.images:
            output.builder.add(seen)
        for histogram, _ in self.histograms:
            histogram.add(seen)

    def end_frame(self, frame: int, elapsed_s: float) -> None:
        """Send the images and histograms that are due at the end of a frame."""
        for output in self.images:
            image = output.builder.end_frame(frame, elapsed_s)
            if image is not None:
                output.sink(self._encoded(output.channel, image))
        if self.histograms and elapsed_s >= self._next_histogram_s - 1e-9:
            self._next_histogram_s = elapsed_s + self.histogram_period_s
            for histogram, sink in self.histograms:
                sink(jsonhisto(histogram, histogram.take(), frame, round(1e9 * elapsed_s)))

    def _encoded(self, channel: ImageChannel, image: Image) -> bytes:
        square = image.pixels.reshape(SENSOR_PIXELS, SENSOR_PIXELS)
        turned = replace(image, pixels=oriented(square, self.orientation))
        if channel.streams:
            return jsonimage(turned, integration_size=channel.integration_size)
        return encode_image(turned, channel.format, channel.integration_size)

    @property
    def n_dropped(self) -> int:
        """Chunks of raw data and images that no reader took in time."""
        return sum(stream.n_dropped for stream in self.streams.values())

    def close_files(self) -> None:
        """Complete the raw files."""
        for writer in self.writers:
            writer.close()

    async def finish(self) -> None:
        """Send what waits and hang up."""
        for stream in self.streams.values():
            await stream.close(_DRAIN_S)

    async def abandon(self) -> None:
        """Hang up at once and leave files as they are."""
        for writer in self.writers:
            writer.abandon()
        for stream in self.streams.values():
            await stream.close()


async def open_outputs(
    destination: Destination,
    settings: OutputSettings,
    faults: Faults,
    later: Later,
    orientation: str,
) -> Outputs:
    """Open all channels of a destination.

    Raises
    ------
    Refused
        If a folder does not exist, a port is in use, or nobody listens where a stream connects.
    """
    now_s = time.time()
    made = Outputs(orientation=orientation)
    made.histogram_period_s = destination.preview_period_s

    async def stream(kind: str, channel: Channel) -> Stream:
        opened = await _stream(kind, channel, settings, faults)
        made.streams[f"{kind}[{sum(k.startswith(kind) for k in made.streams)}]"] = opened
        return opened

    async def image_sink(kind: str, channel: ImageChannel) -> Callable[[bytes], None]:
        if channel.streams:
            opened = await stream(kind, channel)
            return lambda data: opened.put((data,))
        folder = _folder(kind, channel)
        if folder is None:
            return lambda data: None
        return _numbered(folder, expand_pattern(channel.pattern, now_s), channel.format)

    try:
        for raw in destination.raw:
            if raw.streams:
                made.raw_streams.append(await stream("Raw", raw))
            elif (folder := _folder("Raw", raw)) is not None:
                made.writers.append(
                    RawWriter(
                        folder,
                        expand_pattern(raw.pattern, now_s),
                        raw.split_frames,
                        faults=faults,
                        later=later,
                        complete_after_s=settings.complete_after_s,
                    )
                )
        on_grid = destination.sampling_mode == "skipOnPeriod"
        for kind, channels, period_s in (
            ("Image", destination.image, 0.0),
            ("Preview", destination.preview, destination.preview_period_s),
        ):
            for image in channels:
                builder = ImageBuilder(image, period_s, on_grid=on_grid)
                made.images.append(_ImageOutput(image, builder, await image_sink(kind, image)))
        for histo in destination.histogram:
            made.histograms.append((TofHistogram(histo), await image_sink("Histogram", histo)))
    except Refused:
        await made.abandon()
        raise
    return made


def _folder(kind: str, channel: Channel) -> Path | None:
    """Folder of a channel of files; None for one that is only read over HTTP."""
    if channel.base.startswith("http://"):
        return None
    folder = folder_of(channel.base)
    if folder is None or not folder.is_dir():
        raise Refused(f"{kind} destination '{channel.base}': the folder does not exist.")
    return folder


async def _stream(kind: str, channel: Channel, settings: OutputSettings, faults: Faults) -> Stream:
    address = address_of(channel.base)
    assert address is not None, "the destination was checked"
    stream = Stream(address, channel.queue_size)
    try:
        if address.listens and faults.holds_port(address.port):
            raise OSError("Address already in use")
        await stream.open(settings.bind_host, moves=settings.moves_busy_ports)
    except (OSError, TimeoutError) as error:
        await stream.close()
        why = "Address already in use" if address.listens else "Connection refused"
        raise Refused(f"{kind} destination '{channel.base}': {why}.") from error
    return stream


def _numbered(folder: Path, pattern: str, kind: str) -> Callable[[bytes], None]:
    count = 0

    def write(data: bytes) -> None:
        nonlocal count
        suffix = {"jsonimage": "json", "jsonhisto": "json"}.get(kind, kind)
        (folder / f"{pattern}{count:06d}.{suffix}").write_bytes(data)
        count += 1

    return write
