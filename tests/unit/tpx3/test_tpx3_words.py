"""Worked words of the format: what each of them means."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.tpx3 import (
    Census,
    Decoder,
    Hits,
    WordKind,
    chunk,
    encode_hits,
    global_time_words,
    packet_id_word,
    pixel_words,
    shutter_word,
    tdc_word,
    to_chip,
)

PIXELS = [
    # word, (column, row), ToT steps, tick, (x, y) on chip 0, 1, 2, 3
    (0xB72C26CF00120002, (114, 98), 1, 635838, [(370, 98), (397, 413), (141, 413), (114, 98)]),
    (0xB44D1380C0961C9C, (68, 105), 9, 1920000042, [(324, 105), (443, 406), (187, 406), (68, 105)]),
    (0xB9876FFFFFFF000F, (153, 58), 1023, 4194273, [(409, 58), (358, 453), (102, 453), (153, 58)]),
    (0xB0041000006F0001, (0, 33), 6, 262129, [(256, 33), (511, 478), (255, 478), (0, 33)]),
    (
        0xBFFFFFFFFFFFFFFF,
        (255, 255),
        1023,
        17179869153,
        [(511, 255), (256, 256), (0, 256), (255, 255)],
    ),
    (0xB000000000000000, (0, 0), 0, 0, [(256, 0), (511, 511), (255, 511), (0, 0)]),
]


def decode(data: bytes) -> tuple[Hits, Census]:
    decoder = Decoder()
    return decoder.feed(data), decoder.census()


def word_in_chunk(word: int, chip: int = 0) -> tuple[Hits, Census]:
    return decode(chunk(chip, np.array([word], np.uint64)))


@pytest.mark.parametrize("chip", range(4))
@pytest.mark.parametrize(("word", "pixel", "tot", "tick", "places"), PIXELS)
def test_pixel_words(
    word: int,
    pixel: tuple[int, int],
    tot: int,
    tick: int,
    places: list[tuple[int, int]],
    chip: int,
) -> None:
    hits, census = word_in_chunk(word, chip)
    assert (int(hits.t[0]), int(hits.tot_ns[0]), int(hits.chip[0])) == (tick, 25 * tot, chip)
    assert (int(hits.x[0]), int(hits.y[0])) == places[chip]
    assert tuple(int(v) for v in to_chip(*places[chip])) == (chip, *pixel)
    assert census.hits_by_chip == tuple(int(c == chip) for c in range(4))


@pytest.mark.parametrize(("word", "_pixel", "tot", "tick", "places"), PIXELS)
def test_pixel_words_are_made_the_same(
    word: int, _pixel: object, tot: int, tick: int, places: list[tuple[int, int]]
) -> None:
    for chip, (x, y) in enumerate(places):
        words, chips = pixel_words([tick], [x], [y], [25 * tot])
        assert (int(words[0]), int(chips[0])) == (word, chip)


@pytest.mark.parametrize(
    ("word", "chip", "size"),
    [(0x0010000033585054, 0, 16), (0x0020000233585054, 2, 32), (0x1B90000333585054, 3, 7056)],
)
def test_headers(word: int, chip: int, size: int) -> None:
    header = word.to_bytes(8, "little")
    _, census = decode(header)
    assert (census.count(WordKind.HEADER), census.missing_bytes) == (1, size)
    assert chunk(chip, np.zeros(size // 8, np.uint64))[:8] == header


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        (0x5000000000000000, WordKind.PACKET_ID),
        (0x5F00000006CA3000, WordKind.SHUTTER_OPEN),
        (0x5A00000006CA3000, WordKind.SHUTTER_CLOSE),
        (0x5C00001692594000, WordKind.HEARTBEAT),
        (0x4400000E22890038, WordKind.GLOBAL_TIME_LOW),
        (0x44000735594C1CD4, WordKind.GLOBAL_TIME_LOW),
        (0x4500000000000038, WordKind.GLOBAL_TIME_HIGH),
        (0x7144000040460038, WordKind.CONTROL),
        (0x72A0000040460038, WordKind.CONTROL),
        (0x6FD8FF574DF7A340, WordKind.TDC),
        (0x6E0020000795E020, WordKind.TDC),
        (0x6B0030000C77DE60, WordKind.TDC),
        (0xA000000000000000, WordKind.COUNT_FB_PIXEL),
        (0x5100000000000001, WordKind.EXTRA_TIMESTAMP),
        (0x2100000000000001, WordKind.EXTRA_TIMESTAMP),
        (0x46000000000000FF, WordKind.UNKNOWN),
        (0x0000000000000000, WordKind.UNKNOWN),
        (0xFFFFFFFFFFFFFFFF, WordKind.UNKNOWN),
    ],
)
def test_kinds_of_words(word: int, kind: WordKind) -> None:
    hits, census = word_in_chunk(word)
    assert len(hits) == 0
    counted = {k for k in WordKind if census.count(k)}
    assert counted == {WordKind.HEADER, kind}
    assert census.bytes_not_hits() == {"header": 8, kind.label: 8}


def test_words_with_a_time_are_made_as_the_detector_makes_them() -> None:
    assert global_time_words(926345 * 16).tolist() == [0x4400000E22890038, 0x4500000000000038]
    assert shutter_word(27811 * 16, opened=True).tolist() == [0x5F00000006CA3000]
    assert shutter_word(27811 * 16, opened=False).tolist() == [0x5A00000006CA3000]
    assert packet_id_word(0).tolist() == [0x5000000000000000]
    high = global_time_words(5 * 2**36 + 16)
    assert (int(high[0]) >> 16) & 0xFFFFFFFF == 1
    assert (int(high[1]) >> 16) & 0xFFFF == 5


@pytest.mark.parametrize(
    ("word", "t_ns", "count", "channel", "edge"),
    [
        (0x6FD8FF574DF7A340, 102.95193265546875e9, 3471, "1", "rise"),
        (0x6E0020000795E020, 776750.0, 2, "2", "rise"),
        (0x6B0030000C77DE60, 1276747.3958333, 3, "2", "fall"),
    ],
)
def test_tdc_words(word: int, t_ns: float, count: int, channel: str, edge: str) -> None:
    assert int(tdc_word(t_ns, count, channel=channel, edge=edge)[0]) == word


def test_the_largest_chunk_fills_the_size_field_and_a_larger_one_is_refused() -> None:
    hits, census = decode(chunk(1, np.full(8191, PIXELS[0][0], np.uint64)))
    assert (len(hits), census.missing_bytes) == (8191, 0)
    with pytest.raises(ValueError, match="at most 8191 words, got 8192"):
        chunk(1, np.zeros(8192, np.uint64))


def test_long_runs_of_one_chip_are_split_into_chunks() -> None:
    n = 10_000
    hits = Hits(np.arange(n), np.full(n, 300), np.full(n, 7), np.full(n, 25), np.zeros(n))
    back, census = decode(encode_hits(hits))
    assert back.equals(hits)
    assert census.count(WordKind.HEADER) == 2


def test_a_pixel_that_looks_like_a_header_is_a_pixel() -> None:
    # SPIDR time 0x5054, FToA 8 and ToT 0x335 spell the magic
    words, chip = pixel_words([(0x5054 << 18) + 0x2AA8 * 16 - 8], [300], [40], [0x335 * 25])
    assert int(words[0]) & 0xFFFFFFFF == 0x33585054
    hits, census = decode(chunk(int(chip[0]), np.repeat(words, 3)))
    assert len(hits) == 3
    assert (census.count(WordKind.HEADER), census.cut_chunks) == (1, 0)
    assert hits.tot_ns.tolist() == [0x335 * 25] * 3
