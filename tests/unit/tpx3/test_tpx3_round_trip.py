"""Hits → bytes → hits, in any order, over rollovers, and against a plain decoder."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_streams import cut, places, random_stream, seeds
from reference_decoder import PERIOD, as_columns
from reference_decoder import decode as reference_decode

from twinbeam.tpx3 import Census, Decoder, Hits, chip_of, encode_hits

EXAMPLES = settings(max_examples=60, deadline=None, database=None)

hit_rows = st.lists(
    st.tuples(
        st.integers(1 - PERIOD // 4, PERIOD // 4 - 1),  # time against a common origin
        st.integers(0, 511),
        st.integers(0, 511),
        st.integers(0, 1023),
    ),
    min_size=1,
    max_size=40,
)


def make_hits(rows: list[tuple[int, int, int, int]], origin: int) -> Hits:
    t, x, y, tot = np.array(rows, dtype=np.int64).T
    return Hits(t + origin, x, y, 25 * tot, chip_of(x, y))


def decode(pieces: list[bytes]) -> tuple[Hits, Census]:
    decoder = Decoder()
    return Hits.concatenate([decoder.feed(piece) for piece in pieces]), decoder.census()


@EXAMPLES
@given(hit_rows, st.integers(0, 5 * PERIOD))
def test_decoding_inverts_encoding(rows: list[tuple[int, int, int, int]], origin: int) -> None:
    # the first hit starts the clock, so all is known but the turn of that hit
    hits = make_hits(rows, origin)
    back, census = decode([encode_hits(hits)])
    turn = back.t[0] - hits.t[0]
    assert turn % PERIOD == 0
    assert np.array_equal(back.t - turn, hits.t)
    for name in ("x", "y", "tot_ns", "chip"):
        assert np.array_equal(getattr(back, name), getattr(hits, name))
    assert census.n_hits == len(hits)


@EXAMPLES
@given(seeds)
def test_a_plain_decoder_finds_the_same(seed: int) -> None:
    data = random_stream(seed)
    expected = as_columns(reference_decode(data))
    hits, _ = decode([data])
    assert len(hits) == expected["t"].size == 60
    for name, column in expected.items():
        assert np.array_equal(getattr(hits, name), column), name


@EXAMPLES
@given(seeds, places)
def test_any_cutting_gives_the_same_hits_and_census(seed: int, where: list[int]) -> None:
    data = random_stream(seed)
    whole, census = decode([data])
    pieces, same_census = decode(cut(data, where))
    assert pieces.equals(whole)
    assert same_census == census


def test_cutting_into_single_bytes() -> None:
    data = random_stream(3)
    whole, census = decode([data])
    pieces, same_census = decode([data[i : i + 1] for i in range(len(data))])
    assert pieces.equals(whole)
    assert same_census == census


def test_bytes_bytearray_and_memoryview_are_the_same() -> None:
    data = random_stream(4)
    whole, _ = decode([data])
    for kind in (bytearray, memoryview):
        assert Decoder().feed(kind(data)).equals(whole)


def test_nothing_is_nothing() -> None:
    hits, census = decode([b"", b""])
    assert len(hits) == census.n_bytes == 0
    assert census.span_s == 0.0
    assert encode_hits(Hits.empty()) == b""
