"""TDC edges: once each, on the clock of the hits, whatever chip told first."""

from __future__ import annotations

import math

import numpy as np
import pytest
from clock_words import SECOND, edge, global_time, hit, on_all_chips
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_streams import cut, places
from reference_decoder import DATA

from twinbeam.tpx3 import (
    TDC_STEP_NS,
    Decoder,
    Note,
    TdcEdges,
    TdcFault,
    WordKind,
    chunk,
    read_tdc,
)

CODES = {0xF: (1, True), 0xA: (1, False), 0xE: (2, True), 0xB: (2, False)}
FILES = sorted(DATA.glob("*/*.tpx3"))


def edges_of(*parts: bytes) -> TdcEdges:
    decoder = Decoder(tdc=True)
    for part in parts:
        decoder.feed(part)
    return decoder.take_tdc()


def reference_edges(data: bytes) -> list[tuple[int, int, bool, int]]:
    """Distinct edges of an undamaged stream in file order, in steps modulo the rollover."""
    found: dict[tuple[int, int, bool, int], None] = {}
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at + 6 : at + 8], "little")
        for place in range(at + 8, at + 8 + size, 8):
            word = int.from_bytes(data[place : place + 8], "little")
            fine = (word >> 5) & 0xF
            if word >> 60 == 6 and (word >> 56) & 0xF in CODES and 1 <= fine <= 12:
                coarse = (word >> 9) & (2**35 - 1)
                source, rising = CODES[(word >> 56) & 0xF]
                found[12 * coarse + fine - 1, source, rising, (word >> 44) & 0xFFF] = None
        at += 8 + size
    return list(found)


@pytest.mark.parametrize(
    ("word", "t_ns", "count", "source", "rising"),
    [
        (0x6FD8FF574DF7A340, 102.95193265546875e9, 3471, 1, True),
        (0x6E0020000795E020, 776750.0, 2, 2, True),
        (0x6B0030000C77DE60, 1276747.3958333, 3, 2, False),
    ],
)
def test_worked_words(word: int, t_ns: float, count: int, source: int, rising: bool) -> None:
    edges = edges_of(chunk(0, np.array([word], np.uint64)))
    assert len(edges) == 1
    assert edges.t_steps[0] * TDC_STEP_NS == pytest.approx(t_ns, abs=1e-4)
    assert edges.t_ticks[0] * 1.5625 == pytest.approx(t_ns, abs=1e-4)
    assert (edges.count[0], edges.input[0], edges.rising[0]) == (count, source, rising)


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_edges_of_recorded_files(path) -> None:
    expected = reference_edges(path.read_bytes())
    edges = read_tdc(path)
    rollover = 12 * 2**35
    rows = zip(
        (edges.t_steps % rollover).tolist(),
        edges.input.tolist(),
        edges.rising.tolist(),
        edges.count.tolist(),
        strict=True,
    )
    assert list(rows) == expected


@pytest.mark.skipif(not FILES, reason="recorded files are not at hand")
def test_a_recorded_file_of_a_thousand_hertz() -> None:
    path = DATA / "chx" / "chx_tdc_00.tpx3"
    edges = read_tdc(path)
    assert len(edges) == 4001
    assert set(edges.input.tolist()) == {2}
    rising = edges[edges.rising]
    assert np.diff(rising.t_steps).min() * TDC_STEP_NS == pytest.approx(1e6, rel=1e-4)
    assert np.diff(rising.t_steps).max() * TDC_STEP_NS == pytest.approx(1e6, rel=1e-4)
    assert np.all(np.diff(edges.count.astype(int)) % 4096 == 1)


@settings(max_examples=30, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 4]), places)
def test_every_edge_comes_once_for_any_cutting(seed: int, n_chips: int, where: list[int]) -> None:
    rng = np.random.default_rng(seed)
    # chips take turns of half a millisecond; edges come at up to 100 kHz over several rollovers
    now, parts, expected = 0, [], []
    counts = dict.fromkeys([("1", "rise"), ("1", "fall"), ("2", "rise"), ("2", "fall")], 0)
    for _ in range(30):
        now += int(rng.integers(10**3, 20 * 10**9))  # ns
        t = now + np.sort(rng.choice(2000, rng.integers(0, 50), replace=False)) * 250
        burst = []
        for v in t.tolist():
            which = list(counts)[int(rng.integers(4))]
            counts[which] += 1
            steps = 12 * math.floor(v / 3.125) + round((v % 3.125) / (3.125 / 12))
            burst.append((v, which, counts[which]))
            expected.append((steps, int(which[0]), which[1] == "rise", counts[which] % 4096))
        order = rng.permutation(n_chips).tolist()
        parts += [
            edge(v, n, chip, channel, way) for chip in order for v, (channel, way), n in burst
        ]
        tick = int((now + 600_000) / 1.5625)
        parts += [global_time(tick, chip) + hit(tick + 5, chip) for chip in range(4)]
    data = b"".join(parts)
    decoder = Decoder(tdc=True)
    decoder.feed(data)
    edges = decoder.take_tdc()
    found = list(
        zip(
            edges.t_steps.tolist(),
            edges.input.tolist(),
            edges.rising.tolist(),
            edges.count.tolist(),
            strict=True,
        )
    )
    turn = 6 * 2**34
    shift = round((found[0][0] - expected[0][0]) / turn) * turn if found else 0
    assert [(t - shift, *rest) for t, *rest in found] == [tuple(row) for row in expected]
    census = decoder.census()
    assert sum(census.tdc_edges) == len(expected)
    assert census.tdc_repeats == (n_chips - 1) * len(expected)
    assert edges_of(*cut(data, where)).equals(edges)


def test_edges_are_on_the_clock_of_the_hits_over_both_rollovers() -> None:
    # 107.4 s for edges, 26.8 s for hits, which come at different places of the stream
    parts, t = [], []
    for i in range(300):
        now = i * SECOND
        parts += [edge(now * 1.5625, i), hit(now + 1600)]
        t.append(now)
    decoder = Decoder(tdc=True)
    hits = decoder.feed(b"".join(parts))
    edges = decoder.take_tdc()
    assert hits.t.tolist() == [v + 1600 for v in t]
    assert edges.t_ticks.tolist() == t


def invalid_words() -> list[tuple[int, TdcFault]]:
    good = 0x6FD8FF574DF7A340 & ~(0xF << 5)
    unknown = (good | (3 << 5)) & ~(0xF << 56)
    return [
        (good, TdcFault.FINE_ZERO),
        *((good | (fine << 5), TdcFault.FINE_LARGE) for fine in (13, 14, 15)),
        *((unknown | (code << 56), TdcFault.EDGE) for code in range(16) if code not in CODES),
    ]


@pytest.mark.parametrize(("word", "fault"), invalid_words())
def test_words_that_are_no_edge_are_counted_by_reason(word: int, fault: TdcFault) -> None:
    decoder = Decoder(tdc=True)
    decoder.feed(hit(0) + chunk(1, np.array([word], np.uint64)))
    census = decoder.census()
    assert len(decoder.take_tdc()) == 0
    assert census.tdc_invalid == tuple(int(one == fault) for one in TdcFault)
    assert census.count(WordKind.TDC) == 1
    noted = census.noted(Note.INVALID_TDC)
    assert noted.offsets == (24,)
    assert noted.values == (list(TdcFault).index(fault),)


def test_edges_are_taken_once_and_only_kept_when_asked_for() -> None:
    data = edge(1000.0, 1) + edge(2000.0, 2)
    decoder = Decoder(tdc=True)
    decoder.feed(data)
    assert decoder.take_tdc().count.tolist() == [1, 2]
    assert len(decoder.take_tdc()) == 0
    decoder.feed(edge(3000.0, 3))
    assert decoder.take_tdc().count.tolist() == [3]
    plain = Decoder()
    plain.feed(data)
    assert plain.census().tdc_edges == (2, 0, 0, 0)
    with pytest.raises(RuntimeError, match="tdc=True"):
        plain.take_tdc()


@settings(max_examples=30, deadline=None, database=None)
@given(st.integers(0, 34), st.integers(0, 3))
def test_one_wrong_bit_of_an_edge_is_at_most_two_edges_more(bit: int, chip: int) -> None:
    parts = []
    for i in range(100):
        now = (100 + i) * SECOND // 100
        parts += [edge(now * 1.5625, i, c) for c in range(4)]
        parts.append(on_all_chips(hit, now + 1000))
        if i == 50:
            words = np.frombuffer(parts[5 * 50 + chip], "<u8").copy()
            words[1] ^= np.uint64(1 << (9 + bit))
            parts[5 * 50 + chip] = words.tobytes()
    decoder = Decoder(tdc=True)
    hits = decoder.feed(b"".join(parts))
    edges = decoder.take_tdc()
    assert np.abs(hits.t - hits.t[0]).max() < SECOND
    right = {6 * ((100 + i) * SECOND // 100) for i in range(100)}
    # the wrong one is an edge more, and what the chips after it tell may count once again
    assert len(edges) <= 102
    assert len(right - set(edges.t_steps.tolist())) <= (1 if bit == 0 else 0)
