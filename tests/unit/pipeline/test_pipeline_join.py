"""Pieces processed beside each other and joined in order are the same as one pass, bit for bit."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from piecewise import HEAD_BYTES, borders_of, differences, fed, joined, simulated

from twinbeam.pipeline import Piece, Pipeline, Recipe, Result
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import Hits, chip_of, chunk, encode_hits, pixel_words

TURN_S = 26.8435456

places = st.lists(st.integers(0, 2**30), min_size=1, max_size=6)
seeds = st.integers(0, 2**32 - 1)
heads = st.sampled_from([0, 100, 3001, HEAD_BYTES, 2 * HEAD_BYTES])
feeds = st.sampled_from([777, 10_007, 1 << 20])


@cache
def stream(name: str) -> bytes:
    """Acquisitions by name; `+` glues two of them together."""
    if "+" in name:
        return b"".join(stream(part) for part in name.split("+"))
    if name == "again":  # a piece of the file is in it twice
        return stream("plain")[:90_001] + stream("plain")[70_003:]
    seed, parameters = {
        "plain": (1, {}),
        "late start": (3, {"clock_start_s": 300.0}),
        "rollover": (4, {"clock_start_s": TURN_S - 0.12}),
        "stale clock": (5, {"clock_start_s": 2.0, "stale_clock_s": 61_093.0}),
        "old": (6, {"serval": "2", "global_time_s": 0.05, "clock_start_s": 2 * TURN_S - 0.1}),
        "short": (8, {"clock_start_s": 20.0}),
    }[name]
    return simulated(seed, 0.1 if name == "short" else 0.25, **parameters)


NAMES = [
    "plain",
    "late start",
    "rollover",
    "stale clock",
    "old",
    "again",
    "plain+plain",
    "plain+late start",
    "late start+plain",  # a T0 reset
    "rollover+short",
]


@cache
def whole(name: str) -> Result:
    """The stream in one go."""
    return fed(stream(name))


def damaged(raw: bytes, seed: int, n: int) -> bytes:
    """The bytes with n defects: flipped bits, lost and foreign bytes, random words."""
    rng = np.random.default_rng(seed)
    data = bytearray(raw)
    for kind in rng.integers(0, 4, n):
        at = int(rng.integers(len(data) - 100))
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 60))]
        elif kind == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 60)))
        else:
            data[at - at % 8 : at - at % 8 + 8] = rng.bytes(8)
    return bytes(data)


@settings(max_examples=20, deadline=None, database=None)
@given(places, feeds)
def test_pieces_with_a_decoder_that_read_all_before_are_used(where: list[int], feed: int) -> None:
    borders = borders_of(stream("plain"), where)
    result, used = joined(stream("plain"), borders, feed_bytes=feed)
    assert differences(result, whole("plain")) == []
    assert all(used)


@settings(max_examples=20, deadline=None, database=None)
@given(places, heads, feeds, st.booleans())
def test_any_pieces_give_the_whole(
    where: list[int], head_bytes: int, feed: int, keep_photons: bool
) -> None:
    borders = borders_of(stream("plain"), where)
    for forked in (True, False):
        result, _ = joined(
            stream("plain"),
            borders,
            forked=forked,
            head_bytes=head_bytes,
            feed_bytes=feed,
            keep_photons=keep_photons,
        )
        assert differences(result, whole("plain")) == []


@pytest.mark.parametrize("forked", [True, False], ids=["forked", "guessing"])
@pytest.mark.parametrize("name", NAMES)
def test_rollovers_resets_and_glued_streams(name: str, forked: bool) -> None:
    rng = np.random.default_rng(len(name))
    for n_cuts in (2, 5):
        borders = borders_of(stream(name), rng.integers(0, len(stream(name)), n_cuts).tolist())
        result, used = joined(stream(name), borders, forked=forked)
        assert differences(result, whole(name)) == []
        if forked and name != "again":
            assert all(used)


def test_the_streams_are_what_they_are_called() -> None:
    assert whole("late start+plain").census.t0_resets == 1
    for name in ("rollover", "old"):
        first, last = whole(name).census.first_tick, whole(name).census.last_tick
        assert first is not None
        assert last is not None
        assert first >> 34 == (last >> 34) - 1
    assert whole("again").ledger.stages["hits"].rejected["late"] > 0


@settings(max_examples=25, deadline=None, database=None)
@given(
    st.sampled_from(["plain", "late start", "old", "again", "rollover+short"]),
    seeds,
    st.sampled_from([1, 5, 50]),
    places,
    heads,
    st.booleans(),
)
def test_damaged_streams(
    name: str, seed: int, n: int, where: list[int], head_bytes: int, forked: bool
) -> None:
    raw = damaged(stream(name), seed, n)
    result, _ = joined(raw, borders_of(raw, where), forked=forked, head_bytes=head_bytes)
    assert differences(result, fed(raw)) == []


def test_pairs_across_the_seams_are_counted() -> None:
    cuts = ({"quantity": "dt_ns", "low": -250.0, "high": 250.0},)
    recipe = Recipe.from_mapping({"selection": {"cuts": cuts}})
    raw = stream("plain")
    borders = [*range(0, len(raw), 9_001), len(raw)]
    result, used = joined(raw, borders, recipe=recipe, head_bytes=8_000)
    assert all(used)
    assert differences(result, fed(raw, recipe)) == []
    alone = [fed(raw[a:b], recipe) for a, b in pairwise(borders)]
    found = [sum(getattr(r.estimate, n) for r in alone) for n in ("n_prompt", "n_replicas")]
    # without the seams some are missing
    assert found[0] < result.estimate.n_prompt
    assert found[1] < result.estimate.n_replicas


def test_a_piece_shorter_than_its_head_is_all_head() -> None:
    raw = stream("plain")
    result, used = joined(raw, [*range(0, len(raw), 3_001), len(raw)])
    assert all(used)
    assert differences(result, whole("plain")) == []


def test_snapshots_between_joins_close_their_ledgers() -> None:
    raw = stream("plain")
    for forked in (True, False):
        borders = [0, 50_000, 50_001, 90_000, 140_003, len(raw)]
        result, _ = joined(raw, borders, forked=forked, snapshots=True)
        assert differences(result, whole("plain")) == []


def test_feeding_goes_on_after_a_join_and_another_acquisition_follows() -> None:
    raw = stream("plain")
    pipeline, expected = Pipeline(keep_photons=True), Pipeline(keep_photons=True)
    pipeline.feed(raw[:60_000])
    pieces = []
    for start, stop in ((60_000, 100_000), (100_000, 130_000)):
        piece = Piece(
            Tables.of(Recipe()), first_byte=start, keep_photons=True, head_bytes=HEAD_BYTES
        )
        piece.feed(raw[start:stop])
        pieces.append((piece, raw[start + len(piece.head) : stop]))
    for piece, rest in pieces:
        pipeline.join(piece, lambda rest=rest: [rest])
    pipeline.feed(raw[130_000:])
    for each in (pipeline, expected):
        if each is expected:
            each.feed(raw)
        each.next_acquisition()
        each.feed(stream("short"))
    assert differences(pipeline.finish(), expected.finish()) == []


def test_pieces_in_the_wrong_order_are_refused() -> None:
    raw = stream("plain")
    pipeline = Pipeline()
    first, second = (Piece(Tables.of(Recipe()), first_byte=at) for at in (0, 80_000))
    first.feed(raw[:80_000])
    second.feed(raw[80_000:])
    with pytest.raises(ValueError, match="begins at byte 80000, the pipeline is at 0"):
        pipeline.join(second, list)
    pipeline.join(first, list)
    with pytest.raises(ValueError, match="begins at byte 0, the pipeline is at 80000"):
        pipeline.join(first, list)
    pipeline.join(second, list)
    assert pipeline.finish().differences(whole("plain")) == []


@pytest.mark.parametrize("what", ["g2", "distance"])
def test_reducers_that_compare_photons_cannot_be_joined(what: str) -> None:
    pipeline = Pipeline(Recipe.from_mapping({"images": {what: True}}))
    assert not pipeline.joins
    with pytest.raises(ValueError, match="pieces cannot be joined"):
        pipeline.join(Piece(Tables.of(pipeline.recipe)), list)


def test_a_hit_from_the_past_at_the_start_of_a_piece_does_not_lengthen_the_run() -> None:
    # the piece takes it for its first hit, the whole stream for a late one
    raw = stream("late start")
    at = raw.index(b"TPX3", 100_000)
    first = whole("late start").census.first_tick
    assert first is not None
    words, chips = pixel_words(*(np.array([v]) for v in (first - 10**7, 9, 9, 100)))
    raw = raw[:at] + chunk(int(chips[0]), words) + raw[at:]
    result, used = joined(raw, [0, at, len(raw)])
    assert used == [True, True]
    assert differences(result, fed(raw)) == []
    assert result.ledger.stages["hits"].rejected["late"] == 1


def test_damage_behind_a_head_that_began_inside_a_chunk_is_told() -> None:
    raw = stream("plain")
    at = raw.index(b"TPX3", 120_000)
    raw = raw[:at] + b"\0" * 24 + raw[at:]
    result, used = joined(raw, [0, 60_001, len(raw)], forked=False, head_bytes=2 * HEAD_BYTES)
    assert used == [True, True]
    assert result.census.first_damage_at == at
    assert differences(result, fed(raw)) == []


def test_encoded_hits_without_any_clock_word_join_whatever_the_turn() -> None:
    rng = np.random.default_rng(1)
    n = 60_000
    t = np.sort(rng.integers(0, int(4e9), n)) + (1 << 34) - 10**9
    x, y = rng.integers(0, 512, (2, n))
    raw = encode_hits(Hits(t, x, y, 25 * rng.integers(1, 40, n), chip_of(x, y)))
    borders = [0, 2 * len(raw) // 5, 4 * len(raw) // 5, len(raw)]
    result, used = joined(raw, borders, forked=False, head_bytes=40_000)
    assert used == [True, True, True]
    assert differences(result, fed(raw)) == []
