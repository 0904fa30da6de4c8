"""Reading and rewriting raw bytes, checked by the decoder."""

from __future__ import annotations

import numpy as np
import pytest

from sim_iocs.serval._word_kernel import anchor_span
from sim_iocs.serval.chunks import HEARTBEATS, TIMES, TURN_S, Rewriter, chunk_ends, see
from sim_iocs.serval.preview import HitMap
from twinbeam.tpx3 import TDC_STEPS_PER_TICK, TICK_NS, Decoder, WordKind, chunk, global_time_words

_TURN_TICKS = round(TURN_S * 1e9 / TICK_NS)
_ROLLOVER = 1 << 34


@pytest.fixture
def raw(experiment) -> bytes:
    source = experiment(tdc_hz=50.0, heartbeat_s=0.05, clock_start_s=5.0)
    return source.start() + source.advance(0.3) + source.stop()


def _decoded(data: bytes) -> Decoder:
    decoder = Decoder(tdc=True)
    decoder.hits = decoder.feed(data)
    return decoder


def test_hits_and_edges_are_those_of_the_decoder(raw):
    seen, decoder = see(raw), _decoded(raw)
    hits = decoder.hits
    assert seen.n_hits == len(hits) > 1000
    assert np.array_equal(seen.pixel, 512 * hits.y.astype(int) + hits.x)
    assert np.array_equal(25 * seen.tot, hits.tot_ns)
    assert np.array_equal(seen.tick % _ROLLOVER, hits.t % _ROLLOVER)
    edges = decoder.take_tdc()
    assert seen.n_edges(1) == len(edges) == 15
    assert seen.n_edges(2) == 0
    assert np.array_equal(np.sort(seen.edges[:, 1]), edges.t_steps)


def test_hit_map_counts_pixels_and_starts_anew(raw):
    hit_map = HitMap()
    assert hit_map
    hits = _decoded(raw).hits
    expected = np.zeros((512, 512), np.int32)
    np.add.at(expected, (hits.y, hits.x), 1)
    hit_map.add(see(raw))
    assert np.array_equal(hit_map.take().reshape(512, 512), expected)
    assert not hit_map
    assert hit_map.take().sum() == 0


@pytest.mark.parametrize("turns", [1, 12345, 65536, 10_000_000, -3000])
def test_every_clock_is_shifted_by_the_same(raw, turns):
    rewriter = Rewriter()
    rewriter.turns = turns
    shifted, before = rewriter(raw), _decoded(raw)
    after = _decoded(shifted)
    assert len(shifted) == len(raw)
    ticks = turns * _TURN_TICKS
    # every word that was something is the same kind of word now
    assert after.census().words == before.census().words
    assert np.array_equal(
        (after.hits.t - before.hits.t) % _ROLLOVER, np.full(len(before.hits), ticks % _ROLLOVER)
    )
    for name in ("x", "y", "tot_ns"):
        assert np.array_equal(getattr(after.hits, name), getattr(before.hits, name))
    moved = after.take_tdc().t_steps - before.take_tdc().t_steps
    assert np.all((moved - TDC_STEPS_PER_TICK * ticks) % (TDC_STEPS_PER_TICK << 34) == 0)
    # the global time has 48 bits: its shift is exact, not modulo a rollover
    spans = [anchor_span(np.frombuffer(data, "<u8")) for data in (raw, shifted)]
    assert [16 * (b - a) for a, b in zip(*spans, strict=True)] == [ticks, ticks]


def test_carry_of_the_global_time_reaches_its_high_half():
    ticks = (1 << 32) * 16 - 4096
    data = chunk(2, global_time_words(ticks))
    rewriter = Rewriter()
    rewriter.turns = 7
    assert rewriter(data) == chunk(2, global_time_words(ticks + 7 * _TURN_TICKS))


def test_words_are_taken_out_and_chunks_stay_whole(raw):
    before = _decoded(raw).census()
    for strip, gone in (
        (TIMES, (WordKind.GLOBAL_TIME_LOW, WordKind.GLOBAL_TIME_HIGH, WordKind.CONTROL)),
        (HEARTBEATS, (WordKind.HEARTBEAT,)),
    ):
        rewriter = Rewriter()
        rewriter.strip = strip
        decoder = _decoded(rewriter(raw))
        after = decoder.census()
        assert all(before.count(kind) > 0 and after.count(kind) == 0 for kind in gone)
        same = set(WordKind) - set(gone) - {WordKind.HEADER, WordKind.PACKET_ID}
        assert {k: after.count(k) for k in same} == {k: before.count(k) for k in same}
        assert after.resyncs == after.cut_chunks == after.truncated_bytes == 0


def test_chunk_of_which_nothing_is_left_goes():
    data = chunk(1, global_time_words(4096)) + chunk(0, np.array([0x50 << 56], np.uint64))
    rewriter = Rewriter()
    rewriter.strip = TIMES
    assert rewriter(data) == data[24:]


def test_masked_pixels_are_silent(raw):
    rewriter = Rewriter()
    rewriter.masked = np.zeros((4, 65536), np.bool_)
    rewriter.masked[2] = True
    hits = _decoded(rewriter(raw)).hits
    before = _decoded(raw).hits
    on_chip_2 = (before.x < 256) & (before.y >= 256)
    assert 0 < len(hits) == len(before) - np.count_nonzero(on_chip_2)


def test_ends_of_chunks_are_found_and_damage_is_walked_over(raw):
    ends = list(chunk_ends(raw))
    assert ends[-1] == len(raw)
    assert len(ends) == _decoded(raw).census().count(WordKind.HEADER)
    damaged = raw[:100] + b"xyz" + raw[ends[3] : ends[4] + 5]
    walked = list(chunk_ends(damaged))
    assert walked[-1] == len(damaged)
    assert 103 in walked or walked == sorted(walked)
