"""Recorded files of real quads; skipped where they are not at hand."""

from __future__ import annotations

import numpy as np
import pytest
from reference_decoder import DATA, as_columns
from reference_decoder import decode as reference_decode

from twinbeam.tpx3 import TICK_NS, Census, Decoder, Hits, WordKind, iterate_file, read_hits

CHX = DATA / "chx" / "chx_serval_4_3.tpx3"
VENUS = DATA / "other" / "sophiread_serval32.tpx3"
FILES = sorted(DATA.glob("*/*.tpx3"))

pytestmark = pytest.mark.skipif(not CHX.exists(), reason="recorded files are not at hand")


def census_of(path: object) -> Census:
    decoder = Decoder()
    for block in iterate_file(str(path), 100_003):
        decoder.feed(block)
    return decoder.census()


def back_jumps_ms(hits: Hits) -> float:
    behind = np.maximum.accumulate(hits.t) - hits.t
    return float(behind.max()) * TICK_NS * 1e-6


@pytest.mark.parametrize(
    ("path", "n_hits", "span_s", "back_ms"),
    [(CHX, 2_956, 2.0, 0.95), (VENUS, 98_548, 120.0, 1.23)],
    ids=["chx", "venus"],
)
def test_hits_span_and_order(path, n_hits: int, span_s: float, back_ms: float) -> None:
    if not path.exists():
        pytest.skip("not at hand")
    hits = read_hits(path)
    assert len(hits) == n_hits
    assert hits.span_s == pytest.approx(span_s, abs=0.01)
    assert back_jumps_ms(hits) == pytest.approx(back_ms, abs=0.01)


def test_words_of_the_chx_file() -> None:
    census = census_of(CHX)
    assert {kind.label: n for kind, n in zip(WordKind, census.words, strict=True) if n} == {
        "header": 1721,
        "pixel": 2956,
        "global_time_low": 80,
        "global_time_high": 80,
        "packet_id": 1721,
        "shutter_open": 4,
        "heartbeat": 4,
        "control": 655,
    }
    assert (census.resyncs, census.cut_chunks, census.missing_bytes) == (0, 0, 0)


def test_words_of_the_venus_file() -> None:
    if not VENUS.exists():
        pytest.skip("not at hand")
    census = census_of(VENUS)
    assert census.count(WordKind.TDC) == 28_800
    assert census.count(WordKind.PACKET_ID) == census.count(WordKind.HEADER) == 81_399
    # 49 packets overtook their neighbour; none is missing
    assert (census.packet_id_gaps, census.packet_ids_lost) == (49, 0)


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_a_plain_decoder_finds_the_same_hits(path) -> None:
    expected = as_columns(reference_decode(path.read_bytes()))
    hits = read_hits(path)
    for name, column in expected.items():
        assert np.array_equal(getattr(hits, name), column), name


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_every_byte_is_accounted_for(path) -> None:
    census = census_of(path)
    assert 8 * census.n_hits + sum(census.bytes_not_hits().values()) == path.stat().st_size
    assert census.count(WordKind.UNKNOWN) == census.bad_chip_words == 0
    assert census.first_damage_at is None
