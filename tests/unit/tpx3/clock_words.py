"""Words that carry a time, in chunks, for tests of the clock."""

from __future__ import annotations

import numpy as np

from twinbeam.tpx3 import chunk, global_time_words, pixel_words, shutter_word, tdc_word

SECOND = 640_000_000  # ticks
TURN = 2**34  # ticks, 26.8 s
# a pixel of each chip
PLACE = {0: (300, 40), 1: (300, 300), 2: (40, 300), 3: (40, 40)}


def hit(t: int, chip: int = 0) -> bytes:
    x, y = PLACE[chip]
    words, chips = pixel_words([t], [x], [y], [250])
    assert chips[0] == chip
    return chunk(chip, words)


def global_time(t: int, chip: int = 0) -> bytes:
    return chunk(chip, global_time_words(t))


def heartbeat(t: int, chip: int = 0) -> bytes:
    counter = (t // 16) % 2**34
    return chunk(chip, np.array([(0x5C << 56) | (counter << 12)], np.uint64))


def shutter(t: int, chip: int = 0, *, opened: bool = True) -> bytes:
    return chunk(chip, shutter_word(t, opened=opened))


def extra_time(t: int, chip: int = 0, *, flags: int = 0) -> bytes:
    return chunk(chip, np.array([(0x51 << 56) | (flags << 54) | t % 2**54], np.uint64))


def edge(t_ns: float, count: int, chip: int = 0, channel: str = "1", way: str = "rise") -> bytes:
    return chunk(chip, tdc_word(t_ns, count, channel=channel, edge=way))


def on_all_chips(make, t: int, apart: int = 0) -> bytes:
    return b"".join(make(t + apart * chip, chip) for chip in range(4))
