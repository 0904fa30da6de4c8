"""The 64-bit words of a `.tpx3` stream.

Little-endian words in chunks: a header word (magic, chip, size in bytes), then `size / 8` words of
one chip. Kinds are small integers so that kernels can count them in an array.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["MAGIC", "TICKS_PER_GLOBAL", "TICK_NS", "TOT_STEP_NS", "WordKind"]

MAGIC: Final = 0x33585054  # the bytes "TPX3"
TICK_NS: Final = 1.5625  # 640 MHz
TOT_STEP_NS: Final = 25
TICKS_PER_GLOBAL: Final = 16  # one step of the 25 ns counters in ticks


class WordKind(IntEnum):
    """What a word of the stream is; the value is its place in a census."""

    HEADER = 0
    PIXEL = 1
    COUNT_FB_PIXEL = 2
    TDC = 3
    GLOBAL_TIME_LOW = 4
    GLOBAL_TIME_HIGH = 5
    PACKET_ID = 6
    SHUTTER_OPEN = 7
    SHUTTER_CLOSE = 8
    HEARTBEAT = 9
    EXTRA_TIMESTAMP = 10
    CONTROL = 11
    UNKNOWN = 12

    @property
    def label(self) -> str:
        """Lower-case name, as used in ledgers and tables."""
        return self.name.lower()
