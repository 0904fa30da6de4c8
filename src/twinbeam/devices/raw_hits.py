"""How many hits a raw file holds, told from its words without decoding them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["count_hits"]

_BLOCK_WORDS = 1 << 20
_HIT = 0b101  # upper three bits of a hit: 0xa, or 0xb
_HIT_SHIFT = np.uint64(61)
_CHUNK = np.uint64(0x33585054)  # "TPX3", lower half of a chunk's header
_LOWER = np.uint64(0xFFFFFFFF)


def count_hits(path: Path) -> int:
    """Hits in a raw file; a word cut off at its end does not count.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    count = 0
    with path.open("rb") as file:
        while True:
            words = np.fromfile(file, "<u8", _BLOCK_WORDS)
            if not words.size:
                return count
            hits = words[(words >> _HIT_SHIFT) == _HIT]
            # The length in a chunk's header can look like a hit's first bits.
            count += hits.size - int(np.count_nonzero((hits & _LOWER) == _CHUNK))
