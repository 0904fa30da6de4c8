"""Words with long counters keep the clock over gaps, and none of them alone shifts it."""

from __future__ import annotations

import numpy as np
import pytest
from clock_words import (
    SECOND,
    TURN,
    edge,
    extra_time,
    global_time,
    heartbeat,
    hit,
    on_all_chips,
    shutter,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.tpx3 import Decoder, Note, chunk

KINDS = [global_time, heartbeat, shutter, extra_time]
RANGE = {global_time: 2**52, heartbeat: 2**37, shutter: 2**37, extra_time: 2**52}


def times(*parts: bytes) -> list[int]:
    return Decoder().feed(b"".join(parts)).t.tolist()


@pytest.mark.parametrize("make", KINDS)
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_gaps_of_any_length_are_bridged_by_the_anchors_of_four_chips(make, data) -> None:
    gaps = data.draw(st.lists(st.integers(1, RANGE[make] // 60), min_size=1, max_size=50))
    t = np.cumsum([5 * SECOND, *gaps]).tolist()
    parts = []
    for v in t:
        parts += [on_all_chips(make, v), on_all_chips(hit, v + 100)]
    assert times(*parts) == np.repeat(np.array(t) + 100, 4).tolist()


@pytest.mark.parametrize("make", KINDS)
def test_a_second_anchor_of_the_same_chip_will_do(make) -> None:
    t = [3 * SECOND, 100 * SECOND, 250 * SECOND]
    parts = [make(v) + make(v + 160) + hit(v + 200) for v in t]
    assert times(make(0), hit(5), *parts) == [5, *(v + 200 for v in t)]


def damaged(part: bytes, bit: int) -> bytes:
    words = np.frombuffer(part, "<u8").copy()
    words[1] ^= np.uint64(1 << bit)
    return words.tobytes()


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("bit", range(64))
def test_one_wrong_bit_of_an_anchor_shifts_no_hit(make, bit: int) -> None:
    # hits every 0.1 s on all chips, anchors every second, one of them damaged
    parts, expected = [], []
    for i in range(400, 460):
        t = i * SECOND // 10
        if i % 10 == 0:
            anchors = [make(t, chip) for chip in range(4)]
            if i == 430:
                anchors[1] = damaged(anchors[1], bit)
            parts += anchors
        parts.append(on_all_chips(hit, t + 100))
        expected += [t + 100] * 4
    decoder = Decoder()
    found = decoder.feed(b"".join(parts)).t
    shift = int(found[0]) - expected[0]
    assert shift % TURN == 0
    assert (found - shift).tolist() == expected
    assert decoder.census().t0_resets == 0


@pytest.mark.parametrize("flags", [1, 2, 3])
def test_an_extra_timestamp_with_an_error_flag_is_no_time(flags: int) -> None:
    wrong = [extra_time(500 * SECOND + i, flags=flags) for i in range(5)]
    assert times(extra_time(0), hit(10), *wrong, hit(20)) == [10, 20]


def test_both_words_of_the_global_time_count_beyond_107_seconds() -> None:
    hour = 3600 * SECOND
    parts = [on_all_chips(global_time, hour * n) + hit(hour * n + 7) for n in range(5)]
    assert times(*parts) == [hour * n + 7 for n in range(5)]


@pytest.mark.parametrize("n_before", range(6))
def test_halves_read_around_a_rollover_of_the_low_one(n_before: int) -> None:
    # the low word is read just before its rollover at 107.4 s, the high one just after
    edge_t = 2**36 - n_before * 100_000
    low = np.frombuffer(global_time(edge_t - 16), "<u8")[1]
    high = np.frombuffer(global_time(2**36 + 300_000), "<u8")[2]
    between = chunk(0, np.array([low, high], np.uint64))
    beats = [on_all_chips(global_time, v * SECOND) for v in range(100, 107)]
    after = on_all_chips(global_time, 108 * SECOND) + hit(108 * SECOND + 5)
    decoder = Decoder()
    hits = decoder.feed(b"".join([*beats, between, hit(2**36 + 9), after]))
    assert hits.t.tolist() == [2**36 + 9, 108 * SECOND + 5]
    assert decoder.census().noted(Note.ANCHOR_OFF_CLOCK).count == 0


HOURS = 38
ROLLOVERS = 5096


@pytest.mark.parametrize("anchors", ["global time", "heartbeats", "none", "TDC"])
def test_thirty_eight_hours(anchors: str) -> None:
    rng = np.random.default_rng(1)
    dense = anchors in ("none", "TDC")
    t, parts, now = [], [], 0
    n_edges = 0
    while now < HOURS * 3600 * SECOND:
        now += int(rng.integers(SECOND, (6 if dense else 200) * SECOND))
        if anchors == "global time":
            parts.append(on_all_chips(global_time, now, 400_000))
        elif anchors == "heartbeats":
            parts.append(on_all_chips(heartbeat, now))
        elif anchors == "TDC":
            n_edges += 1
            parts.append(edge(now * 1.5625, n_edges))
        if anchors != "TDC" or rng.random() < 0.02:
            later = now + 2_000_000
            parts.append(hit(later, int(rng.integers(4))))
            t.append(later)
    assert now // TURN >= ROLLOVERS
    decoder = Decoder(tdc=True)
    hits = decoder.feed(b"".join(parts))
    edges = decoder.take_tdc()
    shift = int(hits.t[0]) - t[0]
    assert shift % TURN == 0
    assert (hits.t - shift).tolist() == t
    assert decoder.census().t0_resets == 0
    assert len(edges) == n_edges
    if n_edges:
        assert np.all(np.diff(edges.t_steps) > 0)
        ends = (edges.t_ticks[[0, -1]] - shift) / SECOND
        assert ends[1] == pytest.approx(now / SECOND, abs=1e-6)


def test_what_shutter_words_told_is_forgotten_when_hits_keep_the_time() -> None:
    decoder, plain = Decoder(), Decoder()
    decoder.feed(on_all_chips(shutter, 0))
    chips = [np.frombuffer(hit(100, chip), "<u8")[1:] for chip in range(4)]
    many = b"".join(chunk(chip, np.repeat(word, 8191)) for chip, word in enumerate(chips))
    decoder.feed(many)
    plain.feed(many)
    assert decoder.state() != plain.state()
    for _ in range(2**22 // (4 * 8191)):
        decoder.feed(many)
    assert decoder.state() == plain.state()
