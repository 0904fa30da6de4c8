"""Images of frames: accumulated in one of Serval's modes, integrated, and sampled for a preview."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.chunks import Seen
from sim_iocs.serval.destination import ImageChannel
from sim_iocs.serval.tof import LastEdges
from twinbeam.tpx3 import SENSOR_PIXELS

__all__ = ["Image", "ImageBuilder", "jsonimage"]

_SIDE = SENSOR_PIXELS
_N = _SIDE * _SIDE


@dataclass(frozen=True, eq=False)
class Image:
    """An image that goes out.

    Attributes
    ----------
    pixels
        uint16, or uint32 when frames are integrated.
    frame
        Number of the last frame in it.
    time_ns
        End of that frame since the start of the measurement.
    n_frames
        How many frames are in it.
    """

    pixels: NDArray[np.unsignedinteger]
    frame: int
    time_ns: int
    n_frames: int


class ImageBuilder:
    """Makes the images of a channel.

    Parameters
    ----------
    channel
        Mode and integration.
    period_s
        Least time from image to image; 0 gives every one.
    on_grid
        Whether images come once in every period counted from the start, rather than a period
        after the last one.
    """

    def __init__(
        self, channel: ImageChannel, period_s: float = 0.0, *, on_grid: bool = False
    ) -> None:
        self._channel = channel
        self._period_s = period_s
        self._on_grid = on_grid
        self._next_s = 0.0
        self._frame = np.zeros(_N, np.int64)
        self._sum = np.zeros(_N, np.int64)
        self._n_sum = 0
        self._edges = LastEdges()

    def add(self, seen: Seen) -> None:
        """Put hits into the frame."""
        mode = self._channel.mode
        if mode == "tof":
            since, has_edge = self._edges.since(seen)
            self._frame[seen.pixel[has_edge]] = since[has_edge].astype(np.int64) & 0xFFFF
        elif not seen.n_hits:
            return
        elif mode == "toa":
            self._frame[seen.pixel] = (seen.tick >> 4) & 0x3FFF
        else:
            weights = seen.tot if mode == "tot" else None
            self._frame += np.bincount(seen.pixel, weights, minlength=_N).astype(np.int64)

    def end_frame(self, frame: int, elapsed_s: float) -> Image | None:
        """End a frame; the image that is due with it, if any."""
        done, self._frame = self._frame, np.zeros(_N, np.int64)
        image = self._integrated(done, frame, elapsed_s)
        if image is None or elapsed_s < self._next_s - 1e-9:
            return None
        if self._period_s > 0.0:
            if self._on_grid:
                self._next_s = self._period_s * (elapsed_s // self._period_s + 1)
            else:
                self._next_s = elapsed_s + self._period_s
        return image

    def _integrated(self, done: NDArray[np.int64], frame: int, elapsed_s: float) -> Image | None:
        size, mode = self._channel.integration_size, self._channel.integration_mode
        time_ns = round(1e9 * elapsed_s)
        if size in (0, 1):
            return Image(np.clip(done, 0, 0xFFFF).astype(np.uint16), frame, time_ns, 1)
        self._sum += done
        self._n_sum += 1
        if size > 1 and self._n_sum < size:
            return None
        n = self._n_sum
        total = self._sum if mode == "sum" else self._sum // n if mode == "average" else done
        if size > 1:
            self._sum, self._n_sum = np.zeros(_N, np.int64), 0
        return Image(np.clip(total, 0, 0xFFFFFFFF).astype(np.uint32), frame, time_ns, n)


def jsonimage(image: Image, *, integration_size: int = 1) -> bytes:
    """An image as a line of JSON and big-endian pixels, row by row."""
    side_y, side_x = image.pixels.shape
    kind = image.pixels.dtype.name
    header = {
        "bitDepth": 8 * image.pixels.itemsize,
        "dataSize": image.pixels.nbytes,
        "frameNumber": image.frame,
        "height": side_y,
        "integrationSize": integration_size,
        "pixelFormat": kind,
        "thresholdID": 0,
        "timeAtFrame": image.time_ns,
        "width": side_x,
    }
    big = image.pixels.astype(image.pixels.dtype.newbyteorder(">"))
    return json.dumps(header).encode() + b"\n" + big.tobytes()
