"""Hostile bytes for the decoder alone: never a crash or hang, all counted, the next chunk found."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.tpx3 import (
    Census,
    Decoder,
    Hits,
    Note,
    WordKind,
    chip_of,
    chunk,
    encode_hits,
    global_time_words,
    packet_id_word,
    pixel_words,
    shutter_word,
    tdc_word,
)

SECOND = 640_000_000
MAGIC = b"TPX3"


def sound_stream(seed: int, n_hits: int, start: int = 5 * SECOND) -> bytes:
    """Hits in chunks with packet ids, now and then a time or a TDC word."""
    rng = np.random.default_rng(seed)
    t = start + np.sort(rng.integers(0, 100_000 * max(n_hits, 1), n_hits))
    x, y = rng.integers(0, 512, (2, n_hits))
    words, chips = pixel_words(t, x, y, np.full(n_hits, 250))
    parts, packets = [], [0, 0, 0, 0]
    for at in range(0, n_hits, 20):
        for chip in range(4):
            mine = words[at : at + 20][chips[at : at + 20] == chip]
            body = [packet_id_word(packets[chip]), mine]
            packets[chip] += 1
            if at % 100 == 0:
                body += [global_time_words(int(t[at])), tdc_word(float(t[at]) * 1.5625, at)]
            parts.append(chunk(chip, np.concatenate(body)))
    return b"".join(parts)


def pixels(t: int, n: int, chip: int = 0) -> bytes:
    x, y = {0: (300, 40), 1: (300, 300), 2: (40, 300), 3: (40, 40)}[chip]
    words, _ = pixel_words(t + 10 * np.arange(n), np.full(n, x), np.full(n, y), np.full(n, 25))
    return chunk(chip, words)


def header(size: int, chip: int = 0) -> bytes:
    return MAGIC + bytes([chip, 0]) + size.to_bytes(2, "little")


def decode(data: bytes, block: int = 1 << 16) -> tuple[Hits, Census]:
    decoder = Decoder(tdc=True)
    hits = Hits.concatenate(
        [decoder.feed(data[at : at + block]) for at in range(0, len(data), block)]
    )
    decoder.take_tdc()
    return hits, decoder.census()


def check_books(hits: Hits, census: Census, n_bytes: int) -> None:
    """Every byte is in one entry, and every kind of damage has a count and its places."""
    assert census.n_bytes == n_bytes
    assert 8 * census.n_hits + sum(census.bytes_not_hits().values()) == n_bytes
    assert len(hits) == census.n_hits == sum(census.hits_by_chip)
    assert hits.x.max(initial=0) < 512
    assert hits.y.max(initial=0) < 512
    assert np.array_equal(chip_of(hits.x, hits.y), hits.chip)
    assert census.noted(Note.UNKNOWN_WORD).count == census.count(WordKind.UNKNOWN)
    assert census.noted(Note.RESYNC).count == census.resyncs
    assert census.noted(Note.CUT_CHUNK).count == census.cut_chunks
    assert census.noted(Note.PACKET_GAP).count == census.packet_id_gaps
    assert (census.noted(Note.ALIEN_CHIP).count > 0) >= (census.bad_chip_words > 0)
    tdc = sum(census.tdc_edges) + census.tdc_repeats + sum(census.tdc_invalid)
    assert tdc == census.count(WordKind.TDC)
    for kind in Note:
        noted = census.noted(kind)
        assert len(noted.offsets) == len(noted.values) == min(noted.count, kind.most)
        assert list(noted.offsets) == sorted(noted.offsets) or kind is Note.T0_RESET
        assert all(0 <= at < n_bytes for at in noted.offsets)


@pytest.mark.parametrize("bit", range(8))
def test_a_flip_at_every_byte_of_a_small_file(bit: int) -> None:
    data = sound_stream(1, 60)
    after = pixels(5 * SECOND + 10**7, 50, 1) + pixels(5 * SECOND + 10**7, 50, 2)
    clean = decode(data + after)[0]
    for at in range(len(data)):
        wrong = bytearray(data)
        wrong[at] ^= 1 << bit
        hits, census = decode(bytes(wrong) + after)
        check_books(hits, census, len(data) + len(after))
        # at most a size lies and takes the next chunk or two with it; the rest is as it was
        assert len(hits) >= len(clean) - 60
        # a wrong first hit starts the clock half a turn off, for the hits before the anchors or
        # for all that follow
        shift = int(hits.t[-1] - clean.t[-1])
        assert shift == 0 or (shift == 2**34 and census.noted(Note.RESYNC).count == 0)
        assert (hits.t[-100:] - shift).tolist() == clean.t[-100:].tolist()
        moved = ~np.isin(hits.t - shift, clean.t)
        assert np.count_nonzero(moved[20:]) <= 1
        assert census.t0_resets == 0


@pytest.mark.parametrize("size", [*range(1, 40), 4096, 8191, 65_528, 65_535])
def test_a_size_that_lies(size: int) -> None:
    first, after = pixels(SECOND, 30), [pixels(SECOND + 1000 * i, 200) for i in range(1, 60)]
    lying = first[:6] + size.to_bytes(2, "little") + first[8:]
    hits, census = decode(lying + b"".join(after))
    check_books(hits, census, len(lying) + sum(map(len, after)))
    found = np.isin(np.arange(SECOND + 59_000, SECOND + 61_000, 10), hits.t)
    assert found[:200].all()
    if size != 240:
        assert census.damage
        assert census.first_damage_at <= 8 + max(size, 240) + 8


@pytest.mark.parametrize("chip", [4, 5, 127, 255])
def test_alien_chips_are_noted_with_number_and_place(chip: int) -> None:
    alien = bytearray(pixels(SECOND, 30))
    alien[4] = chip
    data = pixels(SECOND, 10) + bytes(alien) + pixels(SECOND + 500, 10)
    hits, census = decode(data)
    check_books(hits, census, len(data))
    assert len(hits) == 20
    assert census.bad_chip_words == 30
    noted = census.noted(Note.ALIEN_CHIP)
    assert (noted.offsets, noted.values) == ((88,), (chip,))


@pytest.mark.parametrize("n_stray", [1, 2, 3, 4, 5, 6, 7, 12, 4096])
@pytest.mark.parametrize("value", [0x00, 0xFF, 0x54])
def test_streams_shifted_by_stray_bytes_are_decoded_to_the_end(n_stray: int, value: int) -> None:
    data = sound_stream(2, 400)
    hits, census = decode(data + bytes([value]) * n_stray + sound_stream(3, 400, 6 * SECOND))
    check_books(hits, census, census.n_bytes)
    assert len(hits) == 800
    assert census.noted(Note.RESYNC).offsets == (len(data),)
    assert census.resync_bytes == n_stray


def test_zeros_and_zero_chunks_cost_nothing() -> None:
    data = pixels(SECOND, 10) + bytes(10**6) + header(0) * 10**5 + pixels(SECOND + 500, 10)
    hits, census = decode(data)
    check_books(hits, census, len(data))
    assert len(hits) == 20
    assert census.resync_bytes == 10**6
    assert census.count(WordKind.HEADER) == 10**5 + 2


def test_time_that_runs_backwards() -> None:
    n = 20_000
    t = 30 * SECOND - 100_000 * np.arange(n)
    x = np.full(n, 300)
    hits, census = decode(encode_hits(Hits(t, x, np.full(n, 40), x, np.zeros(n))))
    check_books(hits, census, census.n_bytes)
    shift = int(hits.t[0] - t[0])
    assert shift % 2**34 == 0
    assert np.array_equal(hits.t, t + shift)
    assert census.t0_resets == 0


def test_anchors_that_run_backwards_are_resets_at_most() -> None:
    parts = [chunk(c, global_time_words((1000 - i) * SECOND)) for i in range(900) for c in range(4)]
    data = b"".join(parts) + pixels(SECOND, 10)
    decoder = Decoder()
    hits = decoder.feed(data)
    census = decoder.census()
    check_books(hits, census, len(data))
    assert 0 < census.t0_resets <= 900
    # each reset goes forward by less than a turn
    assert 0 < hits.t[0] < 1000 * SECOND + 901 * 2**34


def test_two_files_glued_go_on_in_time() -> None:
    one, two = sound_stream(4, 500, 40 * SECOND), sound_stream(5, 500, SECOND)
    opened = b"".join(chunk(chip, shutter_word(0, opened=True)) for chip in range(4))
    hits, census = decode(one + opened + two)
    check_books(hits, census, census.n_bytes)
    assert census.t0_resets == 1
    assert 0 <= census.t0_reset_offsets[0] - len(one) < len(opened)
    first, second = hits.t[:500], hits.t[500:]
    assert first.max() < second.min() < first.max() + 2**34 + 2 * SECOND


def fuzzed_words(n: int, seed: int) -> bytes:
    """Random words in chunks of random size, half of them dressed as known kinds."""
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 2**64, n, dtype=np.uint64)
    kinds = np.array(
        [0xB0, 0xB7, 0xBF, 0x44, 0x45, 0x50, 0x51, 0x5A, 0x5C, 0x5F, 0x6A, 0x6F, 0x71, 0x33],
        np.uint64,
    )
    dressed = rng.random(n) < 0.5
    low = np.uint64((1 << 56) - 1)
    words[dressed] = (words[dressed] & low) | (kinds[rng.integers(0, kinds.size, n)] << 56)[dressed]
    heads = np.flatnonzero(rng.random(n) < 0.01)
    sizes = np.diff(np.append(heads, n)) - 1 + (rng.random(heads.size) < 0.2)
    chips = rng.integers(0, 5, heads.size).astype(np.uint64)
    sizes = np.minimum(sizes, 8191).astype(np.uint64)
    words[heads] = (sizes << np.uint64(51)) | (chips << np.uint64(32)) | np.uint64(0x33585054)
    return words.astype("<u8").tobytes()


def test_ten_million_fuzzed_words() -> None:
    data = fuzzed_words(10**7, 6)
    good = sound_stream(7, 2000, 3600 * SECOND)
    decoder = Decoder(tdc=True)
    decoder.feed(pixels(SECOND, 3))
    n_hits, began = 0, time.process_time()
    tracemalloc.start()
    for at in range(0, len(data), 1 << 20):
        n_hits += len(decoder.feed(data[at : at + (1 << 20)]))
        decoder.take_tdc()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    took = time.process_time() - began
    census = decoder.census()
    assert n_hits + 3 == census.n_hits
    assert 8 * census.n_hits + sum(census.bytes_not_hits().values()) == census.n_bytes
    assert census.n_bytes == len(data) + 32
    assert census.count(WordKind.UNKNOWN) > 10**6
    assert peak < 20 * 2**20
    assert took < 30
    # framing is found again at once, and the times of sound data stay together
    hits = decoder.feed(b"".join([good, good[:0]]))
    assert len(hits) >= 1900
    span = np.percentile(hits.t[-1500:], 99) - np.percentile(hits.t[-1500:], 1)
    assert span < 10 * SECOND


def test_a_stray_byte_after_every_chunk_is_no_hang() -> None:
    data = (header(0) + b"x") * 200_000
    began = time.process_time()
    _, census = decode(data, 1 << 20)
    assert census.resyncs == 199_999  # the last byte may begin a header
    assert time.process_time() - began < 5


def test_a_wild_last_word_in_every_long_chunk_is_no_hang() -> None:
    words, _ = pixel_words(np.full(8191, SECOND), *np.full((2, 8191), 300), np.full(8191, 25))
    words[-1] = pixel_words([9 * SECOND], [300], [300], [25])[0][0]
    data = chunk(1, words) * 100
    began = time.process_time()
    hits, census = decode(data, 1 << 20)
    assert len(hits) == 819_100
    assert census.noted(Note.HIT_OFF_CLOCK).count == 100
    assert time.process_time() - began < 5


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3000))
def test_the_chunk_after_any_noise_is_found(seed: int, n: int) -> None:
    noise = np.random.default_rng(seed).bytes(n)
    good = pixels(SECOND, 100, 3)
    hits, census = decode(good + noise + good + good)
    check_books(hits, census, len(noise) + 3 * len(good))
    assert len(hits) >= 200
