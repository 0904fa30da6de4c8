"""One clock for the whole acquisition: rollovers, gaps, global time, wrong words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.tpx3 import Decoder, Note, Noted, chunk, global_time_words, pixel_words

SECOND = 640_000_000
ROLLOVER = 2**34  # 26.8 s
GLOBAL_ROLLOVER = 2**36  # 107.4 s


def pixel(t: int, x: int = 300, y: int = 40) -> bytes:
    words, chip = pixel_words([t], [x], [y], [250])
    return chunk(int(chip[0]), words)


def global_time(t: int, chip: int = 0) -> bytes:
    return chunk(chip, global_time_words(t))


def times(*parts: bytes) -> list[int]:
    return Decoder().feed(b"".join(parts)).t.tolist()


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.integers(-10_000, 10 * SECOND), min_size=1, max_size=40))
def test_gaps_of_ten_seconds_need_no_global_time(gaps: list[int]) -> None:
    t = np.cumsum([5 * SECOND, *gaps]).tolist()
    assert times(*(pixel(v) for v in t)) == t


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.integers(1, GLOBAL_ROLLOVER // 2 - 1000), min_size=1, max_size=20))
def test_gaps_below_half_a_global_rollover_with_global_time(gaps: list[int]) -> None:
    # a step of whole turns is what a wrong bit would make of a global time, so it takes two
    t = np.cumsum([5 * SECOND, *gaps]).tolist()
    parts = (global_time(v) + global_time(v + 50) + pixel(v + 100) for v in t)
    assert times(*parts) == [v + 100 for v in t]


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.integers(1, ROLLOVER - 2 * SECOND), min_size=1, max_size=20))
def test_gaps_below_a_rollover_need_one_global_time(gaps: list[int]) -> None:
    t = np.cumsum([5 * SECOND, *gaps]).tolist()
    assert times(*(global_time(v) + pixel(v + 100) for v in t)) == [v + 100 for v in t]


def test_a_gap_of_half_a_rollover_without_global_time_is_ambiguous() -> None:
    assert times(pixel(SECOND), pixel(SECOND + 20 * SECOND))[1] == 21 * SECOND - ROLLOVER


def test_a_gap_without_hits_is_bridged_by_global_time_alone() -> None:
    beats = [global_time(v * SECOND) for v in range(0, 300, 40)]
    assert times(pixel(0), *beats, pixel(281 * SECOND))[1] == 281 * SECOND


def test_small_negative_times_just_after_a_rollover() -> None:
    # FToA is subtracted, so ticks just before a rollover carry a counter of zero
    assert times(pixel(ROLLOVER - 100), pixel(ROLLOVER - 5), pixel(ROLLOVER + 3)) == [
        ROLLOVER - 100,
        ROLLOVER - 5,
        ROLLOVER + 3,
    ]
    assert times(chunk(0, np.array([0xB0000000000F0000], np.uint64))) == [-15]


def test_a_chip_that_fires_late_takes_the_turn_of_the_others() -> None:
    t = [v * 10 * SECOND for v in range(10)]
    right = [pixel(v) for v in t]
    assert times(*right, pixel(t[-1] + 7, x=10))[-1] == t[-1] + 7


def test_a_chip_that_was_silent_is_behind_until_its_global_time_comes() -> None:
    start = pixel(0) + pixel(0, x=10)
    t = [v * 10 * SECOND for v in range(1, 10)]
    other = b"".join(pixel(v) for v in t)
    beats = b"".join(global_time(v, chip=3) for v in t)
    assert times(start, other, beats, pixel(t[-1] + 7, x=10))[-1] == t[-1] + 7


@pytest.mark.parametrize(
    "wrong",
    [
        1 << 50,  # bits 48 to 55 must be zero
        (1 << 40) | (1 << 55),
        1 << 41,  # the two readings of the counter contradict each other
        1 << 15,
    ],
)
def test_a_damaged_global_time_does_not_move_the_clock(wrong: int) -> None:
    damaged = global_time_words(SECOND) ^ np.array([wrong, 0], np.uint64)
    found = times(pixel(SECOND - 10), chunk(0, damaged), pixel(SECOND + 10))
    assert found == [SECOND - 10, SECOND + 10]


@pytest.mark.parametrize("bit", range(16))
@pytest.mark.parametrize("start_s", [1, 5, 20])
def test_a_flipped_bit_of_a_time_does_not_move_the_hits_after_it(bit: int, start_s: int) -> None:
    # the highest bit of the counter of 409.6 µs is worth half a rollover
    t = [start_s * SECOND + 1000 * i for i in range(6)]
    words, chip = pixel_words(t, [300] * 6, [40] * 6, [250] * 6)
    words[3] ^= np.uint64(1 << bit)
    found = times(pixel(0), chunk(int(chip[0]), words))[1:]
    shift = found[0] - t[0]
    assert shift == (0 if start_s < 10 else -ROLLOVER)
    assert [v - shift for v in found[:3] + found[4:]] == t[:3] + t[4:]


@pytest.mark.parametrize("bit", [16 + 30, 16 + 31])
def test_a_flipped_bit_of_a_global_time_moves_no_hit(bit: int) -> None:
    t = [v * SECOND for v in range(70, 80)]
    beats = [global_time_words(v) for v in t]
    beats[5] = beats[5] ^ np.array([1 << bit, 0], np.uint64)
    found = times(*(chunk(0, beat) + pixel(v + 5) for beat, v in zip(beats, t, strict=True)))
    assert [v - found[0] for v in found] == [v - t[0] for v in t]


def test_a_damaged_chunk_does_not_move_the_clock() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        garbage = rng.integers(0, 2**64, 4000, dtype=np.uint64)
        garbage[0] = 0
        found = times(pixel(50 * SECOND), chunk(0, garbage), pixel(50 * SECOND + 10))
        assert len(found) < 60
        assert found[-1] == found[0] + 10


def test_unknown_words_in_every_chunk_do_not_stop_the_clock() -> None:
    t = [SECOND // 2 * i for i in range(200)]
    parts = []
    for v in t:
        words, chip = pixel_words([v], [300], [40], [250])
        parts.append(chunk(int(chip[0]), np.concatenate((np.zeros(1, np.uint64), words))))
    assert times(*parts) == t


def test_the_span_covers_the_earliest_and_the_latest_hit() -> None:
    decoder = Decoder()
    for t in (3 * SECOND, 5 * SECOND, 4 * SECOND):
        decoder.feed(pixel(t))
    census = decoder.census()
    assert (census.first_tick, census.last_tick) == (3 * SECOND, 5 * SECOND)
    assert census.span_s == pytest.approx(2.0)


def test_the_span_leaves_out_a_hit_off_the_clock() -> None:
    decoder = Decoder()
    off = [pixel(10 * SECOND), pixel(SECOND), pixel(3 * SECOND)]
    hits = decoder.feed(pixel(3 * SECOND) + off[0] + off[2] + off[1])
    census = decoder.census()
    assert hits.t.tolist() == [3 * SECOND, 10 * SECOND, 3 * SECOND, SECOND]
    assert (census.first_tick, census.last_tick) == (3 * SECOND, 3 * SECOND)
    assert census.noted(Note.HIT_OFF_CLOCK) == Noted(2, (24, 56), (10 * SECOND, SECOND))


def test_a_large_step_that_the_next_hit_confirms_is_in_the_span() -> None:
    decoder = Decoder()
    decoder.feed(pixel(0) + pixel(10 * SECOND) + pixel(10 * SECOND - 7))
    assert decoder.census().last_tick == 10 * SECOND
