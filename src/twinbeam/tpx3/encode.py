"""Hits → raw bytes, the inverse of decoding, and the other words a detector sends."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.tpx3.hits import Hits
from twinbeam.tpx3.layout import to_chip
from twinbeam.tpx3.packets import MAGIC, TICKS_PER_GLOBAL, TOT_STEP_NS

__all__ = [
    "chunk",
    "encode_hits",
    "global_time_words",
    "packet_id_word",
    "pixel_words",
    "shutter_word",
    "tdc_word",
]

MAX_CHUNK_WORDS = 8191  # the size field counts bytes in 16 bits

_TDC_EDGES = {("1", "rise"): 0xF, ("1", "fall"): 0xA, ("2", "rise"): 0xE, ("2", "fall"): 0xB}


def _u64(values: ArrayLike) -> NDArray[np.uint64]:
    return np.asarray(values).astype(np.uint64)


def pixel_words(
    t: ArrayLike, x: ArrayLike, y: ArrayLike, tot_ns: ArrayLike
) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Words of hits and the chip each belongs to.

    `t` in ticks (rolls over at 2^34 as in the detector), `x`, `y` on the 512 grid, `tot_ns` is cut
    to steps of 25 ns and to the ten bits of the field.
    """
    ticks = np.asarray(t, dtype=np.int64)
    coarse = -((-ticks) // TICKS_PER_GLOBAL)
    fine = coarse * TICKS_PER_GLOBAL - ticks
    coarse = coarse & ((1 << 30) - 1)
    chip, column, row = to_chip(x, y)
    address = ((column >> 1) << 9) | ((row >> 2) << 3) | ((column & 1) << 2) | (row & 3)
    tot = np.clip(np.asarray(tot_ns, dtype=np.int64) // TOT_STEP_NS, 0, 1023)
    words = (
        (_u64(0xB) << _u64(60))
        | (_u64(address) << _u64(44))
        | (_u64(coarse & 0x3FFF) << _u64(30))
        | (_u64(tot) << _u64(20))
        | (_u64(fine) << _u64(16))
        | _u64(coarse >> 14)
    )
    return words, chip


def global_time_words(t: int) -> NDArray[np.uint64]:
    """The two words (low, high) that give the time of the 25 ns counter at tick `t`."""
    counter = (int(t) // TICKS_PER_GLOBAL) & ((1 << 48) - 1)
    spidr = (counter >> 14) & 0xFFFF
    low = (0x44 << 56) | ((counter & 0xFFFFFFFF) << 16) | spidr
    high = (0x45 << 56) | ((counter >> 32) << 16) | spidr
    return np.array([low, high], dtype=np.uint64)


def packet_id_word(number: int) -> NDArray[np.uint64]:
    """The word that counts the packets of a chip."""
    return np.array([(0x50 << 56) | (number & ((1 << 48) - 1))], dtype=np.uint64)


def shutter_word(t: int, *, opened: bool) -> NDArray[np.uint64]:
    """The word for the shutter opening or closing at tick `t`."""
    kind = 0x5F if opened else 0x5A
    counter = (int(t) // TICKS_PER_GLOBAL) & ((1 << 34) - 1)
    return np.array([(kind << 56) | (counter << 12)], dtype=np.uint64)


def tdc_word(
    t_ns: float, count: int, *, channel: str = "1", edge: str = "rise"
) -> NDArray[np.uint64]:
    """The word for an edge on one of the two TDC inputs at a time in ns."""
    coarse = int(t_ns // 3.125)
    fine = round((t_ns - coarse * 3.125) / (3.125 / 12)) + 1
    if fine > 12:
        coarse, fine = coarse + 1, 1
    word = (0x6 << 60) | (_TDC_EDGES[channel, edge] << 56) | ((count & 0xFFF) << 44)
    return np.array([word | ((coarse & ((1 << 35) - 1)) << 9) | (fine << 5)], dtype=np.uint64)


def chunk(chip: int, words: NDArray[np.uint64]) -> bytes:
    """Words of one chip with their header; at most 8191 words."""
    if words.size > MAX_CHUNK_WORDS:
        raise ValueError(f"a chunk holds at most {MAX_CHUNK_WORDS} words, got {words.size}")
    header = np.array([(words.size * 8 << 48) | (int(chip) << 32) | MAGIC], dtype="<u8")
    return header.tobytes() + words.astype("<u8").tobytes()


def encode_hits(hits: Hits) -> bytes:
    """Raw bytes of hits in their given order, a chunk for each run of one chip."""
    if not len(hits):
        return b""
    words, chip = pixel_words(hits.t, hits.x, hits.y, hits.tot_ns)
    borders = np.flatnonzero(np.diff(chip)) + 1
    parts = []
    for start, stop in zip(
        np.concatenate(([0], borders)), np.concatenate((borders, [words.size])), strict=True
    ):
        for at in range(int(start), int(stop), MAX_CHUNK_WORDS):
            parts.append(chunk(int(chip[at]), words[at : min(at + MAX_CHUNK_WORDS, int(stop))]))
    return b"".join(parts)
