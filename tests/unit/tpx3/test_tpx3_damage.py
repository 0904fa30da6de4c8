"""Damaged streams: everything is counted, and the next good chunk is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_streams import cut, places, random_stream, seeds

from twinbeam.tpx3 import Census, Decoder, Hits, WordKind, chunk, packet_id_word, pixel_words

EXAMPLES = settings(max_examples=60, deadline=None, database=None)


def pixels(t: int, n: int = 3, x: int = 300) -> bytes:
    words, chip = pixel_words(t + np.arange(n), np.full(n, x), np.full(n, 40), np.full(n, 250))
    return chunk(int(chip[0]), words)


def decode(*pieces: bytes) -> tuple[Hits, Census]:
    decoder = Decoder()
    hits = Hits.concatenate([decoder.feed(piece) for piece in pieces])
    return hits, decoder.census()


def accounted(census: Census) -> int:
    return 8 * census.n_hits + sum(census.bytes_not_hits().values())


@EXAMPLES
@given(st.binary(max_size=600), places)
def test_every_byte_of_garbage_is_accounted_for(data: bytes, where: list[int]) -> None:
    hits, census = decode(data)
    assert accounted(census) == census.n_bytes == len(data)
    again, same = decode(*cut(data, where))
    assert again.equals(hits)
    assert same == census


@EXAMPLES
@given(seeds, st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=8), places)
def test_every_byte_of_a_mutated_stream_is_accounted_for(
    seed: int, changes: list[tuple[int, int]], where: list[int]
) -> None:
    data = bytearray(random_stream(seed))
    for at, value in changes:
        data[at % len(data)] = value
    hits, census = decode(bytes(data))
    assert accounted(census) == len(data)
    assert sum(census.hits_by_chip) == census.n_hits == len(hits)
    again, same = decode(*cut(bytes(data), where))
    assert again.equals(hits)
    assert same == census


@EXAMPLES
@given(seeds, st.integers(0, 2**20), st.integers(1, 200))
def test_every_byte_is_accounted_for_when_some_are_lost(seed: int, at: int, n: int) -> None:
    data = random_stream(seed)
    at %= len(data)
    left = data[:at] + data[at + n :]
    assert accounted(decode(left)[1]) == len(left)


@pytest.mark.parametrize("n_stray", [*range(1, 10), 100])
def test_stray_bytes_between_chunks_cost_nothing_else(n_stray: int) -> None:
    stray = bytes(range(1, n_stray + 1))
    hits, census = decode(pixels(0) + stray + pixels(100))
    assert hits.t.tolist() == [0, 1, 2, 100, 101, 102]
    assert (census.resyncs, census.resync_bytes) == (1, n_stray)
    assert census.first_damage_at == 32


@pytest.mark.parametrize("n_lost", range(1, 25))
def test_bytes_lost_in_a_chunk_cost_at_most_the_next_chunk(n_lost: int) -> None:
    first = pixels(0)
    hits, census = decode(first[: len(first) - n_lost], pixels(100), pixels(200, n=5))
    assert hits.t.tolist()[-5:] == [200, 201, 202, 203, 204]
    if n_lost % 8 == 0:
        assert hits.t.tolist()[-8:-5] == [100, 101, 102]
        assert (census.cut_chunks, census.cut_bytes, census.resyncs) == (1, n_lost, 0)
    else:
        assert census.resyncs == 1
    assert accounted(census) == census.n_bytes


@pytest.mark.parametrize("n_words", [5630, 3072, 1024, 2176, 2240, 2560, 1064])
def test_a_cut_chunk_ends_at_a_header_whose_size_looks_like_another_word(n_words: int) -> None:
    # sizes 0xAFF0, 0x6000, 0x2000 …, 0x4400, 0x4600, 0x5000, 0x2140 in the top bits
    follow = chunk(1, np.full(n_words, pixel_words([50], [300], [400], [250])[0][0], np.uint64))
    hits, census = decode(pixels(0)[:-8], follow)
    assert census.cut_chunks == 1
    assert census.hits_by_chip == (2, n_words, 0, 0)
    assert len(hits) == n_words + 2


@pytest.mark.parametrize("chip", [4, 7, 255])
def test_a_chip_the_quad_does_not_have_is_counted_and_skipped(chip: int) -> None:
    alien = pixels(0)[:4] + bytes([chip]) + pixels(0)[5:]
    hits, census = decode(alien + pixels(100))
    assert hits.t.tolist() == [100, 101, 102]
    assert census.bad_chip_words == 3
    assert census.bytes_not_hits() == {"header": 16, "chip_unknown": 24}


def test_a_size_that_is_no_multiple_of_eight_is_no_header() -> None:
    header = bytearray(pixels(0)[:8])
    header[6] += 4
    hits, census = decode(bytes(header) + pixels(100))
    assert hits.t.tolist() == [100, 101, 102]
    assert census.resync_bytes == 8


def test_the_end_of_the_stream_tells_what_is_missing() -> None:
    _, census = decode(pixels(0)[:-11])
    assert (census.n_hits, census.truncated_bytes, census.missing_bytes) == (1, 5, 16)
    assert census.bytes_not_hits()["truncated"] == 5


def test_empty_chunks_are_only_headers() -> None:
    _, census = decode(chunk(0, np.empty(0, np.uint64)) * 5)
    assert (census.count(WordKind.HEADER), census.missing_bytes, census.resyncs) == (5, 0, 0)


def packets(*numbers: int, chip: int = 0) -> Census:
    return decode(*(chunk(chip, packet_id_word(n)) for n in numbers))[1]


@pytest.mark.parametrize(
    ("numbers", "gaps", "lost"),
    [
        ((0, 1, 2, 3), 0, 0),
        ((5, 6, 7), 0, 0),
        ((0, 1, 5, 6, 9), 2, 5),
        ((0, 2, 1, 3), 1, 0),  # real chips swap neighbouring packets
        ((0, 3, 1, 2, 4), 1, 0),
        ((0, 3, 1, 4), 1, 1),
        ((0, 1, 1, 1, 2), 0, 0),
        ((7, 6, 5), 0, 0),
        ((100, 101, 0, 1, 2), 0, 0),  # the counter was restarted
        ((0, 1000, 1001), 1, 999),
        ((0, 61, 1, 62), 1, 59),
        ((0, 1000, 990, 990), 1, 998),
        ((2**48 - 2, 2**48 - 1, 0, 1), 0, 0),
        ((5, 6, 2**40 + 7, 8, 9), 0, 0),  # a flipped bit
    ],
)
def test_packet_ids(numbers: tuple[int, ...], gaps: int, lost: int) -> None:
    census = packets(*numbers)
    assert (census.packet_id_gaps, census.packet_ids_lost) == (gaps, lost)


@EXAMPLES
@given(st.permutations(range(40)), st.sets(st.integers(1, 39), max_size=10))
def test_lost_packets_are_counted_for_any_order(order: list[int], missing: set[int]) -> None:
    came = [0, *(n for n in order if n not in missing and n != 0)]
    census = packets(*came)
    assert census.packet_ids_lost == max(came) + 1 - len(came)


def test_ids_after_an_unknown_word_are_not_trusted() -> None:
    words = [packet_id_word(5), np.zeros(1, np.uint64), packet_id_word(900)]
    census = decode(chunk(0, np.concatenate(words)), chunk(0, packet_id_word(6)))[1]
    assert (census.packet_id_gaps, census.count(WordKind.PACKET_ID)) == (0, 3)


def test_chips_count_their_own_packets() -> None:
    data = [chunk(chip, packet_id_word(n)) for n in range(3) for chip in range(4)]
    assert decode(*data)[1].packet_id_gaps == 0


def test_censuses_add_up() -> None:
    _, one = decode(pixels(0) + b"xxx" + pixels(10))
    _, two = decode(pixels(0), pixels(640_000_000, n=1))
    _, nothing = decode(b"")
    total = Census.total([nothing, two, one])
    assert (total.n_bytes, total.n_hits) == (one.n_bytes + two.n_bytes, 10)
    assert total.span_s == two.span_s == pytest.approx(1.0)
    assert total.hits_by_chip == (10, 0, 0, 0)
    assert total.first_damage_at == two.n_bytes + 32
    assert accounted(total) == total.n_bytes
    assert (one + two).first_damage_at == 32
    assert nothing.span_s == 0.0
