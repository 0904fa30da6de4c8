"""Pieces of a stream: states that come together, equal futures, counts that add up."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from clock_words import SECOND, TURN, edge, global_time, heartbeat, hit, on_all_chips, shutter
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from raw_streams import cut, places, random_hits, random_stream, seeds
from reference_decoder import DATA

from twinbeam.tpx3 import (
    Census,
    Decoder,
    DecoderState,
    Hits,
    Note,
    chunk,
    packet_id_word,
    pixel_words,
)

FILES = [path for path in sorted(DATA.glob("*/*.tpx3")) if path.stat().st_size > 50_000]
MS = SECOND // 1000


def turns_between(one: DecoderState, other: DecoderState) -> int:
    """Ticks, in whole turns, by which the second clock is ahead."""
    if one.time is None or other.time is None:
        return 0
    return round((other.time - one.time) / TURN) * TURN


def are_equal(one: Decoder, other: Decoder) -> bool:
    shifted = one.fork()
    shifted.shift_clock(turns_between(one.state(), other.state()))
    return shifted.state() == other.state()


def busy_stream(seed: int, n_slots: int = 400) -> bytes:
    """Chips taking turns of half a millisecond, packet ids, anchors, TDC edges, a late start."""
    rng = np.random.default_rng(seed)
    start = int(rng.integers(0, 200)) * SECOND
    parts, packets = [], [0, 0, 0, 0]
    for slot in range(n_slots):
        t0 = start + slot * MS // 2
        if slot % 40 == 0:
            parts.append(on_all_chips(global_time, t0, 10_000))
        if slot % 130 == 0:
            parts.append(on_all_chips(heartbeat, t0))
        if slot % 25 == 0:
            parts += [edge(t0 * 1.5625, slot // 25, chip) for chip in range(4)]
        hits = random_hits(rng, int(rng.integers(0, 20)), MS // 2)
        words, chips = pixel_words(hits.t + t0, hits.x, hits.y, hits.tot_ns)
        for chip in range(4):
            packets[chip] += 1
            parts.append(
                chunk(chip, np.concatenate((packet_id_word(packets[chip]), words[chips == chip])))
            )
    return b"".join(parts)


def anything(seed: int) -> bytes:
    """Sound and damaged data of all kinds."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(rng.integers(1, 6))):
        kind = int(rng.integers(6))
        t = int(rng.integers(0, 2**37))
        chip = int(rng.integers(4))
        if kind == 0:
            parts.append(busy_stream(int(rng.integers(2**31)), 30))
        elif kind == 1:
            parts.append(rng.bytes(int(rng.integers(1, 200))))
        elif kind == 2:
            parts.append(random_stream(int(rng.integers(2**31))))
        elif kind == 3:
            make = (global_time, heartbeat, shutter)[int(rng.integers(3))]
            parts.append(on_all_chips(make, t))
        elif kind == 4:
            words = rng.integers(0, 2**64, 50, dtype=np.uint64)
            parts.append(chunk(chip, words | np.uint64(0xB << 60)))
        else:
            parts.append(hit(t, chip) + edge(t * 1.5625, t % 4096, chip))
    data = bytearray(b"".join(parts))
    for _ in range(int(rng.integers(4))):
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data)


def bytes_until_equal(data: bytes, start: int, step: int) -> int | None:
    first, later = Decoder(), Decoder(start)
    first.feed(data[:start])
    for at in range(start, len(data), step):
        piece = data[at : at + step]
        first.feed(piece)
        later.feed(piece)
        if are_equal(first, later):
            return at + len(piece) - start
    return None


@settings(max_examples=30, deadline=None, database=None)
@given(seeds, st.floats(0, 0.5))
def test_a_decoder_begun_in_the_middle_comes_to_the_same_state(seed: int, where: float) -> None:
    data = busy_stream(seed)
    # heartbeats come every 130 turns of the chips, and packet ids are remembered for 62
    assert bytes_until_equal(data, int(where * len(data)), 512) <= 0.45 * len(data)


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_states_of_recorded_files_come_together(path) -> None:
    data = path.read_bytes()
    rng = np.random.default_rng(5)
    for start in rng.integers(1, len(data) // 2, 5).tolist():
        assert bytes_until_equal(data, start, 1024) <= 200_000


@settings(max_examples=150, deadline=None, database=None)
@given(seeds, seeds, places)
def test_equal_states_have_equal_futures(seed: int, future: int, where: list[int]) -> None:
    data = busy_stream(seed, 300)
    start = 1 + seed % (len(data) // 3)
    first, later = Decoder(tdc=True), Decoder(start, tdc=True)
    first.feed(data)
    later.feed(data[start:])
    shift = turns_between(later.state(), first.state())
    later.shift_clock(shift)
    assume(first.state() == later.state())
    assert first.take_tdc()[-3:].equals(later.take_tdc()[-3:])
    before = first.census(), later.census()
    coming = anything(future)
    hits = first.feed(coming)
    assert Hits.concatenate([later.feed(piece) for piece in cut(coming, where)]).equals(hits)
    assert later.take_tdc().equals(first.take_tdc())
    first.restart_span()
    later.restart_span()
    one, other = (
        decoder.census().since(earlier)
        for decoder, earlier in zip((first, later), before, strict=True)
    )
    # the first damage may be one that only the longer look saw
    fields = [name for name in vars(one) if name != "first_damage_at"]
    assert {name: getattr(one, name) for name in fields} == {
        name: getattr(other, name) for name in fields
    }
    assert first.state() == later.state()


def times_of(census: Census) -> list[int]:
    """All times a census names."""
    ends = [t for t in (census.first_tick, census.last_tick) if t is not None]
    return [*ends, *(t for kind in Note if kind.is_time for t in census.noted(kind).values)]


@settings(max_examples=60, deadline=None, database=None)
@given(seeds, seeds, st.integers(-5, 5))
def test_a_shifted_clock_shifts_all_times_and_nothing_else(
    past: int, future: int, turns: int
) -> None:
    ticks = turns * TURN
    one, other = Decoder(tdc=True), Decoder(tdc=True)
    data = anything(past)
    one.feed(data)
    other.feed(data)
    state, census = one.state(), one.census()
    other.shift_clock(ticks)
    later, shifted_census = other.state(), other.census()
    assert times_of(shifted_census) == [t + ticks for t in times_of(census)]
    other.shift_clock(-ticks)
    assert other.state() == state
    assert other.census() == census
    # a clock that was not started yet begins where the words say
    if state.time is None:
        return
    assert later.time == state.time + ticks
    other.shift_clock(ticks)
    coming = anything(future)
    hits, shifted = one.feed(coming), other.feed(coming)
    assert np.array_equal(hits.t + ticks, shifted.t)
    assert np.array_equal(one.take_tdc().t_steps + 6 * ticks, other.take_tdc().t_steps)
    assert times_of(other.census()) == [t + ticks for t in times_of(one.census())]
    other.shift_clock(-ticks)
    assert other.state() == one.state()
    assert other.census() == one.census()


def test_only_whole_turns_shift_a_clock() -> None:
    decoder = Decoder()
    with pytest.raises(ValueError, match="multiples"):
        decoder.shift_clock(TURN // 2)


@settings(max_examples=60, deadline=None, database=None)
@given(seeds, places)
def test_looks_at_one_decoder_add_up(seed: int, where: list[int]) -> None:
    decoder = Decoder()
    looks = [decoder.census()]
    for piece in cut(anything(seed), where):
        decoder.feed(piece)
        looks.append(decoder.census())
    total = looks[0]
    for earlier, now in pairwise(looks):
        total = total.continued_by(now.since(earlier))
        assert total == now


@settings(max_examples=40, deadline=None, database=None)
@given(seeds, places)
def test_the_state_does_not_depend_on_the_cutting(seed: int, where: list[int]) -> None:
    data = anything(seed)
    whole, pieces = Decoder(), Decoder()
    whole.feed(data)
    for piece in cut(data, where):
        pieces.feed(piece)
    assert pieces.state() == whole.state()
    assert hash(pieces.state()) == hash(whole.state())
    assert pickle.loads(pickle.dumps(whole.state())) == pieces.state()  # noqa: S301


def test_offsets_count_from_the_first_byte_of_the_stream() -> None:
    data = hit(0) + b"xyz" + hit(5)
    here, there = Decoder(), Decoder(1000)
    here.feed(data)
    there.feed(data)
    assert here.census().first_damage_at == 16
    assert there.census().first_damage_at == 1016
    assert [noted.offsets for noted in there.census().notes if noted.count] == [(1016,)]
    assert here.state() == there.state()


def test_states_tell_apart_what_matters() -> None:
    base = global_time(0) + hit(100)
    futures = [b"", hit(200), b"T", global_time(MS), hit(8 * SECOND), chunk(1, packet_id_word(7))]
    states = []
    for coming in futures:
        decoder = Decoder()
        decoder.feed(base + coming)
        states.append(decoder.state())
    assert len(set(states)) == len(futures)
