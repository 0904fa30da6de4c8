"""The detector's clock set to zero inside a stream: found, counted, and time goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from clock_words import SECOND, TURN, edge, global_time, heartbeat, hit, on_all_chips, shutter
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_streams import cut, places
from reference_decoder import DATA

from twinbeam.tpx3 import Decoder, Hits, Note, iterate_file

MS = SECOND // 1000
GREG = DATA / "other" / "sophiread_tdc_gdc.tpx3"


def seconds(start: int, n: int, anchor: Callable[..., bytes]) -> list[bytes]:
    """Parts of 10 ms with hits on all chips, anchors each 0.1 s; `start` in parts."""
    parts = []
    for i in range(start, start + n):
        t = i * 10 * MS
        if i % 10 == 0:
            parts.append(on_all_chips(anchor, t, 16 * 1000))
        parts.append(on_all_chips(hit, t + MS, 1000))
    return parts


@pytest.mark.parametrize("anchor", [global_time, heartbeat, shutter])
@pytest.mark.parametrize("before_s", [1, 5, 20, 26, 27, 100, 212])
def test_a_reset_is_found_at_its_first_anchor(anchor, before_s: int) -> None:
    before = seconds(100 * (before_s - 1), 100, anchor)
    after = seconds(0, 200, anchor)
    decoder = Decoder()
    old = decoder.feed(b"".join(before))
    new = decoder.feed(b"".join(after))
    census = decoder.census()
    assert census.t0_resets == 1
    assert 8 <= census.t0_reset_offsets[0] - len(b"".join(before)) <= 16
    # the relative time of all hits after the reset is exact, and so is that of the chips
    expected = np.concatenate([i * 10 * MS + MS + 1000 * np.arange(4) for i in range(200)])
    offset = int(new.t[0]) - int(expected[0])
    assert (new.t - offset).tolist() == expected.tolist()
    assert offset % TURN == 0
    # the gap is fictitious, but time does not run back
    assert 0 < new.t.min() - old.t.max() < TURN + 2 * MS


def test_a_reset_of_a_clock_of_many_hours() -> None:
    # as in a recorded file that begins with a global time of 61,093 s
    t = 61_093 * SECOND
    parts = [on_all_chips(global_time, t, 16 * 1000), hit(t + 50 * MS)]
    parts += [hit(300 * MS, 2), on_all_chips(global_time, 785 * MS, 16 * 1000), hit(800 * MS)]
    parts += [on_all_chips(global_time, 1785 * MS, 16 * 1000), hit(1800 * MS, 3)]
    decoder = Decoder()
    found = decoder.feed(b"".join(parts)).t.tolist()
    assert decoder.census().t0_resets == 1
    assert (found[0] - t - 50 * MS) % TURN == 0
    assert np.diff(found[1:]).tolist() == [500 * MS, 1000 * MS]
    assert 0 < found[2] - found[0] < TURN


def test_chips_that_are_not_reset_yet_stay_on_the_old_clock() -> None:
    before = seconds(900, 100, global_time)
    t = 10 * SECOND
    parts = [
        global_time(0, 0) + global_time(16 * 1000, 1),  # two chips show the reset
        hit(MS, 0) + hit(t + 20 * MS, 2) + hit(MS + 5, 1),
        global_time(t + 21 * MS, 2),  # this chip's timer is not reset yet
        hit(t + 22 * MS, 2) + hit(t + 22 * MS, 3),
        global_time(3 * MS, 2) + hit(4 * MS, 2) + hit(4 * MS, 3) + hit(5 * MS, 0),
    ]
    decoder = Decoder()
    decoder.feed(b"".join(before))
    found = decoder.feed(b"".join(parts)).t
    zero = int(found[0]) - MS
    assert decoder.census().t0_resets == 1
    assert zero % TURN == 0
    assert zero > t
    assert found.tolist() == [
        zero + MS,
        t + 20 * MS,
        zero + MS + 5,
        t + 22 * MS,
        t + 22 * MS,
        zero + 4 * MS,
        zero + 4 * MS,  # fits only the new clock
        zero + 5 * MS,
    ]


@pytest.mark.parametrize("anchor", [global_time, heartbeat, shutter])
@pytest.mark.parametrize("wrong_s", [0, 3, 39, 200])
def test_a_single_wrong_anchor_is_no_reset(anchor, wrong_s: int) -> None:
    parts = seconds(4000, 200, anchor)
    for at in (30, 60, 90, 150):
        parts.insert(at, anchor(wrong_s * SECOND, at % 4))
    decoder = Decoder()
    hits = decoder.feed(b"".join(parts))
    assert decoder.census().t0_resets == 0
    assert np.abs(hits.t - hits.t[0]).max() < 2 * SECOND


@pytest.mark.parametrize("bit", [46, 47])
def test_a_wrong_first_anchor_is_no_reset(bit: int) -> None:
    parts = seconds(4000, 200, global_time)
    first = np.frombuffer(parts[0], "<u8").copy()
    first[1] ^= np.uint64(1 << bit)
    parts[0] = first.tobytes()
    decoder = Decoder()
    t = decoder.feed(parts[1] + b"".join(parts)).t
    assert decoder.census().t0_resets == 0
    assert np.abs(t - t[0]).max() < 3 * SECOND


def test_a_reset_after_only_one_anchor() -> None:
    parts = [global_time(61_093 * SECOND), hit(61_093 * SECOND + MS)]
    parts += [global_time(780 * MS), global_time(781 * MS, 1), hit(790 * MS), hit(791 * MS, 1)]
    decoder = Decoder()
    t = decoder.feed(b"".join(parts)).t
    assert decoder.census().t0_resets == 1
    assert t[2] - t[1] == MS
    assert 0 < t[1] - t[0] < TURN + SECOND


def test_a_sound_global_time_that_is_wrong_costs_its_chip_until_the_next() -> None:
    parts = seconds(4000, 200, global_time)
    parts.insert(65, global_time(60 * SECOND, 2))
    decoder = Decoder()
    t = decoder.feed(b"".join(parts)).t
    assert decoder.census().t0_resets == 0
    assert np.count_nonzero(np.abs(t - t[0]) > 2 * SECOND) <= 10


def test_every_reset_is_counted_and_the_first_hundred_are_placed() -> None:
    decoder, ends, latest = Decoder(), [0], []
    for n in range(150):
        part = b"".join(seconds(0, 30 + n % 7, global_time))
        latest.append(decoder.feed(part).t)
        ends.append(ends[-1] + len(part))
    census = decoder.census()
    assert census.t0_resets == 149
    # the high word of the first global time, the third word after
    assert census.t0_reset_offsets == tuple(end + 16 for end in ends[1:101])
    t = np.concatenate(latest)
    assert np.all(np.diff(t) > 0)


@settings(max_examples=20, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1), places)
def test_any_cutting_gives_the_same(seed: int, where: list[int]) -> None:
    rng = np.random.default_rng(seed)
    parts: list[bytes] = []
    for _ in range(3):
        anchor = (global_time, heartbeat, shutter)[int(rng.integers(3))]
        parts += seconds(int(rng.integers(3000)), int(rng.integers(20, 60)), anchor)
        parts.append(edge(float(rng.integers(10**9)), int(rng.integers(4096))))
    data = b"".join(parts)
    whole, pieces = Decoder(tdc=True), Decoder(tdc=True)
    hits = whole.feed(data)
    assert Hits.concatenate([pieces.feed(part) for part in cut(data, where)]).equals(hits)
    assert pieces.census() == whole.census()
    assert pieces.state() == whole.state()
    assert pieces.take_tdc().equals(whole.take_tdc())


@pytest.mark.skipif(not GREG.exists(), reason="the recorded file is not at hand")
def test_the_reset_in_a_recorded_file() -> None:
    decoder = Decoder(tdc=True)
    hits = Hits.concatenate([decoder.feed(block) for block in iterate_file(GREG)])
    census = decoder.census()
    assert (census.t0_resets, census.t0_reset_offsets) == (1, (1680,))
    assert 200 < census.span_s < 230  # 61,093 s by the words as they are
    assert np.diff(hits.t).min() > -2 * MS
    edges = decoder.take_tdc()
    # 60 Hz throughout; the counter starts again at the reset
    restart = int(np.flatnonzero(np.diff(edges.count.astype(int)) < -100)[0])
    period = np.diff(edges.t_steps) / 6 / SECOND
    period = np.delete(period, restart)
    lost = np.diff(np.delete(edges.count, restart).astype(int)) > 1
    assert np.median(period) == pytest.approx(1 / 60, rel=1e-3)
    assert lost.sum() <= 5
    assert census.noted(Note.INVALID_TDC).count == 1
