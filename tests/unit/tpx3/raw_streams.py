"""Raw streams for tests: every kind of word, in chunks of any size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from twinbeam.tpx3 import (
    Hits,
    chip_of,
    chunk,
    global_time_words,
    packet_id_word,
    pixel_words,
    shutter_word,
    tdc_word,
)


def random_hits(rng: np.random.Generator, n: int, span_ticks: int = 10**7) -> Hits:
    """Hits in an order disturbed by up to a thousand ticks."""
    t = np.sort(rng.integers(0, span_ticks, n)) + rng.integers(0, 1000, n)
    # neighbours in the stream are often of one chip, as in real streams
    x, y = np.repeat(rng.integers(0, 512, (2, n // 3 + 1)), 3, axis=1)[:, :n]
    return Hits(t, x, y, 25 * rng.integers(1, 1023, n), chip_of(x, y))


def random_stream(seed: int, n_hits: int = 60) -> bytes:
    """A stream with pixels, times, packet ids, shutter, TDC, control and unknown words."""
    rng = np.random.default_rng(seed)
    hits = random_hits(rng, n_hits)
    words, chips = pixel_words(hits.t, hits.x, hits.y, hits.tot_ns)
    others = [
        global_time_words(int(hits.t[0])) if n_hits else global_time_words(0),
        shutter_word(0, opened=True),
        tdc_word(1234.5, 7),
        np.array([0x7144000040460038, 0x7244000040460038], np.uint64),
        np.array([0x5C00000000000000, 0x5100000000000001], np.uint64),
        np.array([0x46000000000000FF, 0xA000000000000000], np.uint64),
    ]
    parts, at, packets = [], 0, [0, 0, 0, 0]
    while at < n_hits:
        chip, start = int(chips[at]), at
        longest = int(rng.integers(1, 9))
        while at < n_hits and chips[at] == chip and at - start < longest:
            at += 1
        body = [packet_id_word(packets[chip]), words[start:at]]
        packets[chip] += 1
        if rng.random() < 0.4:
            body.append(others[int(rng.integers(len(others)))])
        parts.append(chunk(chip, np.concatenate(body)))
    parts.append(chunk(int(rng.integers(4)), np.empty(0, np.uint64)))
    return b"".join(parts)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The pieces between byte offsets, taken modulo the length."""
    borders = sorted({p % (len(data) + 1) for p in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(borders)]


seeds = st.integers(0, 2**32 - 1)
places = st.lists(st.integers(0, 2**20), max_size=12)
