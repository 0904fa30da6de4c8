"""The words of each generation of the read-out, and hits that decode to the truth."""

from __future__ import annotations

import numpy as np
import pytest
from streams import acquire, chunks, words_of

from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import TICK_NS, Decoder, tdc_word

QUIET = {"background_rate_hz": 200.0, "pair_rate_hz": 20.0}
GENERATIONS = ("2", "3.2", "4.3")


@pytest.mark.parametrize("serval", GENERATIONS)
def test_hits_decode_to_the_truth_over_two_rollovers(serval: str) -> None:
    made = acquire(29.0, serval=serval, clock_start_s=26.0, global_time_s=1.0, **QUIET)
    hits = Decoder().feed(made.raw)
    assert hits.t[-1] * TICK_NS > 2 * 26.8435456e9
    assert len(hits) == made.counts.hits > 5000
    for name in ("t", "x", "y", "tot_ns", "chip"):
        assert np.array_equal(hits.columns()[name], made.hits.columns()[name]), name


@pytest.mark.parametrize("serval", GENERATIONS)
def test_words_of_a_generation(serval: str) -> None:
    made = acquire(2.0, serval=serval, **QUIET)
    count = {kind: len(words_of(made.raw, kind)) for kind in (0x50, 0x5F, 0x5A, 0x5C, 0x44, 0x45)}
    n_chunks = sum(1 for _ in chunks(made.raw))
    new = serval != "2"
    assert count[0x50] == (n_chunks if new else 0)
    assert count[0x5F] == (4 if new else 0)
    assert count[0x5C] == (8 if new else 0)
    assert count[0x5A] == (4 if serval == "4.3" else 0)
    assert count[0x44] == count[0x45] == 4 * 21
    ends = [word for _, word in words_of(made.raw, 0x71) if word >> 48 & 0xFF == 0xB0]
    assert len(ends) == (0 if new else 4)
    # every reading of a chip is acknowledged, and echoed twice by each of the others
    assert len(words_of(made.raw, 0x71)) - len(ends) == 2 * 84
    assert len(words_of(made.raw, 0x72)) == 2 * 84 * 3 * 2


def test_packet_ids_count_on_through_the_acquisition() -> None:
    made = acquire(0.5)
    for chip in range(4):
        ids = [int(words[0]) & (2**48 - 1) for number, words in chunks(made.raw) if number == chip]
        assert ids == list(range(len(ids)))
        assert len(ids) > 500


def test_global_time_is_the_clock_of_the_hits() -> None:
    made = acquire(1.0, clock_start_s=1000.0, **QUIET)
    low = [(word >> 16 & 0xFFFFFFFF, word & 0xFFFF) for _, word in words_of(made.raw, 0x44)]
    high = [word >> 16 & 0xFFFF for _, word in words_of(made.raw, 0x45)]
    counter = np.array([a + (b << 32) for (a, _), b in zip(low, high, strict=True)])
    assert np.array_equal((counter >> 14) & 0xFFFF, [spidr for _, spidr in low])
    seconds = np.sort(counter * 25e-9)[::4]
    assert np.allclose(seconds, 1000 + 0.1 * np.arange(11), atol=1e-6)
    assert made.hits.t.min() * TICK_NS * 1e-9 == pytest.approx(1000.0, abs=0.1)


@pytest.mark.parametrize("serval", GENERATIONS)
@pytest.mark.parametrize("width_us", [0.0, 300.0])
def test_tdc_edges(serval: str, width_us: float) -> None:
    tdc = {"rate_hz": 700.0, "channel": "2", "width_us": width_us}
    made = acquire(2.0, serval=serval, clock_start_s=106.5, tdc=tdc, **QUIET)
    edges = words_of(made.raw, 0x6, 60)
    chips = {chip for chip, _ in edges}
    assert chips == ({0} if serval == "2" else {0, 1, 2, 3})
    for chip in chips:
        mine = [word for number, word in edges if number == chip]
        rising = np.array([word for word in mine if word >> 56 & 0xF == 0xE])
        falling = np.array([word for word in mine if word >> 56 & 0xF == 0xB])
        assert rising.size == 1400
        assert falling.size == (1400 if width_us else 0)
        assert rising.size + falling.size == len(mine)
        counts = [word >> 44 & 0xFFF for word in mine]
        assert counts == [(n + 1) % 4096 for n in range(len(mine))]
        steps = (rising >> 9 & (2**35 - 1)) * 12 + (rising >> 5 & 0xF) - 1
        steps = np.unwrap(steps, period=12 * 2**35)
        assert np.all((rising >> 5 & 0xF >= 1) & (rising >> 5 & 0xF <= 12))
        assert np.all(np.abs(np.diff(steps) * 3.125 / 12 - 1e9 / 700.0) <= 3.125 / 12 + 1e-3)
        assert steps[0] * 3.125 / 12 == pytest.approx(106.5e9 + 0.5e9 / 700.0, abs=0.3)
        if width_us:
            ends = (falling >> 9 & (2**35 - 1)) * 12 + (falling >> 5 & 0xF) - 1
            width = (np.unwrap(ends, period=12 * 2**35) - steps) * 3.125 / 12
            assert np.allclose(width, 300e3, atol=0.6)


def test_tdc_words_are_those_of_the_format() -> None:
    made = acquire(0.1, tdc={"rate_hz": 1000.0}, **QUIET)
    words = [word for chip, word in words_of(made.raw, 0x6, 60) if chip == 0]
    assert words[3] == int(tdc_word(3.5e6, 4)[0])


def test_a_clock_from_before_a_reset_comes_first() -> None:
    made = acquire(0.5, stale_clock_s=61_093.0, **QUIET)
    times: dict[int, list[float]] = {chip: [] for chip in range(4)}
    low = {}
    for chip, words in chunks(made.raw):
        for word in words.tolist():
            if word >> 56 == 0x44:
                low[chip] = word >> 16 & 0xFFFFFFFF
            elif word >> 56 == 0x45:
                times[chip].append(25e-9 * ((word >> 16 & 0xFFFF) * 2**32 + low[chip]))
    for chip in range(4):
        assert times[chip][0] == pytest.approx(61_093.0, abs=1e-6)
        assert times[chip][1:] == pytest.approx(0.1 * np.arange(6), abs=1e-3)


@pytest.mark.parametrize("serval", GENERATIONS)
def test_a_reset_of_the_clock_moves_all_hits_alike(serval: str) -> None:
    made = acquire(3.0, serval=serval, stale_clock_s=61_093.0, **QUIET)
    moved = np.unique(Decoder().feed(made.raw).t - made.hits.t)
    assert moved.size == 1
    assert moved[0] % 2**34 == 0


def test_chunks_are_no_longer_than_asked() -> None:
    made = acquire(0.1, chunk_words=50, background_rate_hz=1e6)
    sizes = [words.size for _, words in chunks(made.raw)]
    assert max(sizes) == 50
    assert len(Decoder().feed(made.raw)) == made.counts.hits


def test_disorder_between_chips_follows_their_turns() -> None:
    for turn_us in (100.0, 500.0):
        hits = acquire(0.5, chip_turn_us=turn_us, background_rate_hz=1e5).hits
        back_us = (np.maximum.accumulate(hits.t) - hits.t).max() * TICK_NS * 1e-3
        assert 0.7 * turn_us < back_us < 2.0 * turn_us + 30.0


def test_disorder_within_a_chip_is_that_of_real_quads() -> None:
    back_ns = {}
    for delay_ns in (0.0, 3000.0):
        hits = acquire(0.1, readout_delay_ns=delay_ns, background_rate_hz=5e5).hits
        t = [hits.t[hits.chip == chip] for chip in range(4)]
        back_ns[delay_ns] = max((np.maximum.accumulate(a) - a).max() for a in t) * TICK_NS
        if not delay_ns:
            assert all(0.1 < np.mean(np.diff(a) < 0) < 0.35 for a in t)
    assert back_ns[0.0] < 1000.0
    assert back_ns[3000.0] > 10_000.0


@pytest.mark.parametrize("flux", [1.0, 0.3, 2.5])
def test_bytes_do_not_depend_on_the_steps(flux: float) -> None:
    def raw(steps: list[float], **more: object) -> bytes:
        parameters = SimulationParameters.from_mapping(
            {"background_rate_hz": 3e5, "hot": {"count": 3}, "tdc": {"rate_hz": 90.0}, **more}
        )
        experiment = Experiment(parameters, 5)
        parts = [experiment.start(), *(experiment.advance(s, 0.04, flux) for s in steps)]
        return b"".join([*parts, experiment.stop()])

    whole = raw([0.31])
    assert len(whole) > 100_000
    assert raw([0.1, 0.1, 0.1, 0.01]) == whole
    assert raw([0.001] * 310) == whole
    assert raw([0.2999999, 0.0, 1e-7, 0.01]) == whole
    assert raw([0.31], readout_delay_ns=50.0) != whole


def test_the_beam_may_change_at_any_time() -> None:
    def run(steps: list[tuple[float, float]]) -> tuple[bytes, int]:
        experiment = Experiment(SimulationParameters(pair_rate_hz=5000.0), 5)
        raw = experiment.start()
        raw += b"".join(experiment.advance(s, 0.04, flux) for s, flux in steps)
        return raw + experiment.stop(), len(experiment.truth())

    one, n_one = run([(0.2, 1.0), (0.2, 0.0), (0.2, 2.0)])
    two, n_two = run([(0.05, 1.0)] * 4 + [(0.1, 0.0)] * 2 + [(0.02, 2.0)] * 10)
    assert one == two
    assert n_one == n_two == pytest.approx(3000, abs=4 * np.sqrt(3000))
