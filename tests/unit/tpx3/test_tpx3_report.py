"""Disorder, shutter intervals and the report of a stream."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from clock_words import SECOND, edge, global_time, heartbeat, hit, on_all_chips, shutter
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_streams import random_hits, seeds
from reference_decoder import DATA

from twinbeam.tpx3 import (
    TICK_NS,
    Decoder,
    DisorderMeter,
    Hits,
    Note,
    ShutterInterval,
    chunk,
    integrity_report,
    iterate_file,
    packet_id_word,
    shutter_intervals,
)


def report_of(data: bytes) -> dict:
    decoder, disorder = Decoder(), DisorderMeter()
    disorder.feed(decoder.feed(data))
    report = integrity_report(decoder.census(), disorder)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    return report


@settings(max_examples=40, deadline=None, database=None)
@given(seeds, st.lists(st.integers(0, 60), max_size=5))
def test_disorder_is_that_of_a_plain_count(seed: int, borders: list[int]) -> None:
    hits = random_hits(np.random.default_rng(seed), 60)
    meter = DisorderMeter()
    at = [0, *sorted(borders), 60]
    for start, stop in pairwise(at):
        meter.feed(hits[start:stop])
    for number in range(5):
        t = hits.t if number == 4 else hits.t[hits.chip == number]
        one = meter.stream if number == 4 else meter.chip(number)
        back = (np.maximum.accumulate(t) - t).max(initial=0)
        assert one.largest_back_us == pytest.approx(float(back) * TICK_NS * 1e-3)
        assert one.n_back_steps == np.count_nonzero(np.diff(t) < 0)
        assert one.n_steps == max(t.size - 1, 0)


def test_a_damaged_time_is_no_disorder() -> None:
    meter = DisorderMeter()
    t = np.array([0, 100, 50, 9 * SECOND, 200, 190], dtype=np.int64)
    meter.feed(Hits(t, *(np.zeros((4, 6), dtype=np.int64))))
    one = meter.chip(0)
    assert (one.n_steps, one.n_back_steps) == (3, 2)
    assert one.largest_back_us == pytest.approx(50 * TICK_NS * 1e-3)
    assert one.share == pytest.approx(2 / 3)
    assert meter.chip(1).share == 0.0


def test_shutter_words_of_four_chips_are_one_interval() -> None:
    decoder = Decoder()
    for start in (1, 4):
        decoder.feed(on_all_chips(shutter, start * SECOND))
        decoder.feed(on_all_chips(heartbeat, (start + 1) * SECOND))
        for chip in range(4):
            decoder.feed(shutter((start + 2) * SECOND, chip, opened=False))
    decoder.feed(on_all_chips(shutter, 9 * SECOND))
    assert shutter_intervals(decoder.census()) == [
        ShutterInterval(1 * SECOND, 3 * SECOND),
        ShutterInterval(4 * SECOND, 6 * SECOND),
        ShutterInterval(9 * SECOND, None),
    ]


def test_a_stream_that_begins_with_an_open_shutter() -> None:
    decoder = Decoder()
    decoder.feed(hit(SECOND) + shutter(2 * SECOND, opened=False))
    assert shutter_intervals(decoder.census()) == [ShutterInterval(None, 2 * SECOND)]


def test_the_report_names_what_is_bad_and_where() -> None:
    unknown = np.array([0x46000000000000FF, 0x1234], np.uint64)
    parts = [
        hit(0),  # 0
        chunk(1, unknown),  # 16: words at 24 and 32
        chunk(9, unknown),  # 40
        b"abc",  # 64
        chunk(2, packet_id_word(1)) + chunk(2, packet_id_word(4)),  # 67, 83: word at 91
        hit(20 * SECOND),  # 99: word at 107
        hit(SECOND),  # 115
        chunk(0, np.array([0x6F00000000000000], np.uint64)),  # 131: word at 139
        edge(1e9, 1) + edge(1e9, 1, 2),
        hit(2 * SECOND)[:-3],
    ]
    report = report_of(b"".join(parts))
    words = ["0x46000000000000ff", "0x0000000000001234"]
    assert report["bad"] == {
        "unknown_word": {"count": 2, "offsets": [24, 32], "words": words},
        "alien_chip": {"count": 1, "offsets": [40], "chips": [9]},
        "resync": {"count": 1, "offsets": [64]},
        "packet_gap": {"count": 1, "offsets": [91], "packets": [2]},
        "hit_off_clock": {
            "count": 1,
            "offsets": [107],
            "times_s": [pytest.approx(20 - 26.8435456)],
        },
        "invalid_tdc": {"count": 1, "offsets": [139], "reasons": ["fine time 0"]},
    }
    assert report["damage"]["first_at_byte"] == 64
    assert report["damage"]["bad_chip_words"] == 2
    assert report["damage"]["truncated_bytes"] == 5
    assert report["packet_ids_lost"] == 2
    assert report["span_s"] == pytest.approx(1.0)
    assert report["hit_rate_hz_by_chip"] == pytest.approx([3.0, 0, 0, 0])
    assert report["tdc"]["edges"] == {"1 rise": 1, "1 fall": 0, "2 rise": 0, "2 fall": 0}
    assert (report["tdc"]["repeats"], report["tdc"]["invalid"]) == (1, {"fine time 0": 1})


def test_a_reset_is_in_the_report() -> None:
    before = b"".join(on_all_chips(global_time, t * SECOND) for t in (40, 41, 42))
    report = report_of(before + on_all_chips(global_time, 0))
    assert report["t0_resets"]["count"] == 1
    assert report["t0_resets"]["offsets"] == [len(before) + 16]
    assert report["t0_resets"]["times_s"] == [pytest.approx(2 * 26.8435456)]


def test_only_the_first_hundred_places_are_kept() -> None:
    decoder = Decoder()
    decoder.feed(chunk(0, np.zeros(5000, np.uint64)))
    noted = decoder.census().noted(Note.UNKNOWN_WORD)
    assert noted.count == 5000
    assert noted.offsets == tuple(range(8, 808, 8))


@pytest.mark.skipif(not DATA.exists(), reason="recorded files are not at hand")
def test_order_of_a_recorded_file() -> None:
    decoder, disorder = Decoder(), DisorderMeter()
    for block in iterate_file(DATA / "other" / "sophiread_serval32.tpx3", 100_003):
        disorder.feed(decoder.feed(block))
    report = integrity_report(decoder.census(), disorder)
    shares = [one["out_of_order_share"] for one in report["disorder"]["by_chip"]]
    assert shares == pytest.approx([0.44, 0.24, 0.24, 0.04], abs=0.01)
    assert report["disorder"]["by_chip"][3]["largest_back_us"] == pytest.approx(394, abs=1)
    assert report["disorder"]["stream"]["largest_back_us"] == pytest.approx(1231.7, abs=0.1)
    assert report["shutter"]["intervals_s"] == [[pytest.approx(0.000993425), None]]
    assert report["shutter"]["heartbeats"] == 480
    assert report["tdc"]["edges"]["1 rise"] == 7200
    assert set(report["bad"]) == {"packet_gap"}
