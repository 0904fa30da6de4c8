"""Raw bytes as whole chunks: where they end, what is in them, and how they are rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval._word_kernel import HEARTBEATS, TIMES, rewrite, scan
from twinbeam.tpx3 import CHIP_PIXELS, N_CHIPS, SENSOR_PIXELS, to_sensor
from twinbeam.tpx3.packets import MAGIC

__all__ = [
    "HEARTBEATS",
    "TIMES",
    "TURN_S",
    "Rewriter",
    "Seen",
    "chunk_ends",
    "pixel_address",
    "see",
]

#: All clocks of a stream are shifted in steps of this, because every word can be.
TURN_S = 409.6e-6
_MAGIC_BYTES = MAGIC.to_bytes(4, "little")
_MOST_CHIPS = 8


def chunk_ends(data: bytes, at: int = 0) -> Iterator[int]:
    """Ends of the chunks; damaged data are walked to the next header, a cut end counts as one."""
    while at < len(data):
        if data[at : at + 4] == _MAGIC_BYTES and at + 8 <= len(data):
            at = min(at + 8 + int.from_bytes(data[at + 6 : at + 8], "little"), len(data))
        else:
            found = data.find(_MAGIC_BYTES, at + 1)
            at = len(data) if found < 0 else found
        yield at


def pixel_address(column: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Address of a chip's pixel in a word."""
    return ((column >> 1) << 9) | ((row >> 2) << 3) | ((column & 1) << 2) | (row & 3)


@cache
def _places() -> NDArray[np.int32]:
    """Place on the sensor, row by row, by chip and pixel address."""
    row, column = np.divmod(np.arange(CHIP_PIXELS**2), CHIP_PIXELS)
    made = np.empty((N_CHIPS, CHIP_PIXELS**2), np.int32)
    for chip in range(N_CHIPS):
        x, y = to_sensor(np.full(row.size, chip), column, row)
        made[chip, pixel_address(column, row)] = y * SENSOR_PIXELS + x
    return made


@dataclass(frozen=True, eq=False)
class Seen:
    """What a piece of raw bytes holds.

    Attributes
    ----------
    pixel
        Place on the sensor, row by row, of every hit.
    tot
        Its ToT in steps of 25 ns.
    tick
        Its time in ticks of 1.5625 ns, modulo 2^34.
    edges
        Rows of code and time in sixths of a tick of TDC edges, each once.
    """

    pixel: NDArray[np.int32]
    tot: NDArray[np.int32]
    tick: NDArray[np.int64]
    edges: NDArray[np.int64]

    @property
    def n_hits(self) -> int:
        """Number of hits."""
        return int(self.pixel.size)

    def n_edges(self, channel: int) -> int:
        """Number of edges on TDC input 1 or 2."""
        return int(np.isin(self.edges[:, 0], (0xF, 0xA) if channel == 1 else (0xE, 0xB)).sum())


def see(data: bytes) -> Seen:
    """Read the hits and TDC edges of whole chunks."""
    words = np.frombuffer(data, "<u8", len(data) // 8)
    pixel, tot = np.empty(words.size, np.int32), np.empty(words.size, np.int32)
    tick, edges = np.empty(words.size, np.int64), np.empty((words.size, 2), np.int64)
    n, m = scan(words, _places(), pixel, tot, tick, edges)
    # every chip tells of every edge
    once = np.unique(edges[:m], axis=0) if m else edges[:0]
    return Seen(pixel[:n], tot[:n], tick[:n], once)


class Rewriter:
    """Changes clocks and packet numbers of a stream and takes words out of it.

    Attributes
    ----------
    turns
        How much later all clocks are, in steps of 409.6 µs.
    strip
        Sum of `TIMES` and `HEARTBEATS`: words that are left out.
    masked
        Whether a pixel is off, by chip and pixel address; empty is none.
    packets
        What is added to the packet numbers, by chip.
    """

    def __init__(self) -> None:
        self.turns = 0
        self.strip = 0
        self.masked = np.zeros((0, 0), np.bool_)
        self.packets = np.zeros(_MOST_CHIPS, np.uint64)
        self._low = np.zeros(_MOST_CHIPS, np.uint64)

    @property
    def idle(self) -> bool:
        """Whether bytes pass unchanged."""
        return not (self.turns or self.strip or self.masked.size or self.packets.any())

    def __call__(self, data: bytes) -> bytes:
        """Rewrite whole chunks; what is not whole words stays as it is."""
        if self.idle or not data.startswith(_MAGIC_BYTES) or len(data) % 8:
            return data
        words = np.frombuffer(data, "<u8")
        out = np.empty(words.size, np.uint64)
        n = rewrite(words, out, self.turns, self.packets, self._low, self.strip, self.masked)
        return out[:n].tobytes()
