"""A plain decoder written straight from the bit table, to compare the compiled one with."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[4] / "shared" / "data"
PERIOD = 2**34


class ReferenceHit(NamedTuple):
    t: int
    x: int
    y: int
    tot_ns: int
    chip: int


def bits(word: int, high: int, low: int) -> int:
    return (word >> low) & ((1 << (high - low + 1)) - 1)


def place(chip: int, column: int, row: int) -> tuple[int, int]:
    """Chips 2 and 1 are rotated and on top, 3 and 0 below."""
    return {
        0: (column + 256, row),
        1: (511 - column, 511 - row),
        2: (255 - column, 511 - row),
        3: (column, row),
    }[chip]


def nearest(raw: int, last: int, period: int) -> int:
    turns = (last - raw) // period
    candidates = [raw + period * (turns + k) for k in (-1, 0, 1, 2)]
    return min(candidates, key=lambda time: (abs(time - last), time))


def decode(data: bytes) -> list[ReferenceHit]:
    """Hits of an undamaged stream."""
    hits: list[ReferenceHit] = []
    last: dict[int, int] = {}
    anchor: dict[int, tuple[int, int]] = {}
    latest: int | None = None
    at = 0
    while at < len(data):
        magic, chip, _, size = struct.unpack_from("<IBBH", data, at)
        assert magic == 0x33585054
        words = struct.unpack_from(f"<{size // 8}Q", data, at + 8)
        at += 8 + size
        for word in words:
            if bits(word, 63, 60) == 0xB:
                spidr, fine, tot, toa = (
                    bits(word, 15, 0),
                    bits(word, 19, 16),
                    bits(word, 29, 20),
                    bits(word, 43, 30),
                )
                double, spix, pix = bits(word, 59, 53), bits(word, 52, 47), bits(word, 46, 44)
                column, row = 2 * double + pix // 4, 4 * spix + pix % 4
                raw = ((spidr << 14) | toa) * 16 - fine
                reference = last.get(chip, latest)
                time = raw if reference is None else nearest(raw, reference, PERIOD)
                hits.append(ReferenceHit(time, *place(chip, column, row), 25 * tot, chip))
            elif bits(word, 63, 56) == 0x44:
                low = bits(word, 47, 16) * 16
                if chip in anchor:
                    time, before = anchor[chip]
                    time += nearest(low, before, 2**36) - before
                else:
                    reference = last.get(chip, latest)
                    time = low if reference is None else nearest(low, reference, PERIOD)
                anchor[chip] = time, low
            else:
                continue
            last[chip] = latest = time
    return hits


def as_columns(hits: list[ReferenceHit]) -> dict[str, NDArray[np.int64]]:
    table = np.array(hits, dtype=np.int64).reshape(-1, 5)
    return dict(zip(ReferenceHit._fields, table.T, strict=True))
