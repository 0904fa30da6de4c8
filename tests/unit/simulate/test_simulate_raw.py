"""What the detector sends: the same for a seed, in a quad's disorder, with the right hits."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.simulate import Experiment, Playback, SimulationParameters
from twinbeam.tpx3 import TICK_NS, Decoder, WordKind


def raw_of(parameters: SimulationParameters, seed: int, seconds: float = 0.2, flux: float = 1.0):
    experiment = Experiment(parameters, seed)
    parts = [experiment.start(), experiment.advance(seconds, flux=flux), experiment.stop()]
    return b"".join(parts), experiment


def test_a_seed_gives_the_same_bytes() -> None:
    one, two, other = (raw_of(SimulationParameters(), seed)[0] for seed in (4, 4, 5))
    assert one == two
    assert one != other


def test_a_second_acquisition_is_another_one() -> None:
    experiment = Experiment(seed=4)
    first = [experiment.start(), experiment.advance(0.1), experiment.stop()]
    second = [experiment.start(), experiment.advance(0.1), experiment.stop()]
    assert first != second
    assert len(experiment.truth()) < 60
    decoder = Decoder()
    decoder.feed(b"".join(second))
    assert decoder.census().n_hits == experiment.n_hits
    assert decoder.census().last_tick * TICK_NS < 0.11e9


def test_the_stream_is_sound(default) -> None:
    census = default.result.census
    assert census.n_hits == default.n_hits
    assert (census.resyncs, census.cut_chunks, census.missing_bytes, census.truncated_bytes) == (
        0,
        0,
        0,
        0,
    )
    assert (census.packet_id_gaps, census.count(WordKind.UNKNOWN)) == (0, 0)
    assert census.count(WordKind.SHUTTER_OPEN) == census.count(WordKind.SHUTTER_CLOSE) == 4
    assert census.count(WordKind.GLOBAL_TIME_LOW) == 4 * (10 * default.seconds + 1)
    assert census.span_s == pytest.approx(default.seconds, abs=0.01)


def test_nothing_is_rejected_as_damaged(default) -> None:
    rejected = default.result.ledger.stages["hits"].rejected
    assert {reason: n for reason, n in rejected.items() if n and reason != "repeated"} == {}
    assert rejected["repeated"] <= 2


def test_hits_are_disordered_as_those_of_a_quad(default) -> None:
    hits = Decoder().feed(default.raw)
    back_ns = (np.maximum.accumulate(hits.t) - hits.t).max() * TICK_NS
    assert 0.2e6 < back_ns < 1.3e6
    within = [np.mean(np.diff(hits.t[hits.chip == chip]) < 0) for chip in range(4)]
    assert max(within) < 0.43


def test_hits_per_photon_of_the_pump_energy() -> None:
    parameters = SimulationParameters(pair_rate_hz=0.0, sample="none")
    _, experiment = raw_of(parameters, 1, 1.0)
    assert experiment.n_hits / (20_000 * 0.98) == pytest.approx(1.5, abs=0.1)


def test_clusters_of_the_default_experiment(default) -> None:
    photons = default.result.photons
    elastic = photons.energy_kev > 12.0
    assert 1.4 < photons.n_hits[elastic].mean() < 1.6
    # below 15 keV by the shares of charge that stay under the threshold
    assert np.median(photons.energy_kev[elastic]) == pytest.approx(14.3, abs=0.3)
    assert np.median(photons.energy_kev[photons.n_hits == 4]) == pytest.approx(15.2, abs=0.6)


def test_without_beam_only_dark_counts_come() -> None:
    parameters = SimulationParameters(dark_rate_hz=500.0, sample="none")
    raw, experiment = raw_of(parameters, 1, 2.0, flux=0.0)
    assert len(experiment.truth()) == 0
    census = Decoder()
    census.feed(raw)
    assert 0.8 * 1000 < census.census().n_hits < 1.8 * 1000
    dark, _ = raw_of(SimulationParameters(dark_rate_hz=0.0), 1, 0.5, flux=0.0)
    decoder = Decoder()
    decoder.feed(dark)
    assert decoder.census().n_hits == 0
    assert decoder.census().count(WordKind.GLOBAL_TIME_LOW) > 0


def test_the_sample_does_not_stop_dark_counts() -> None:
    counts = [
        raw_of(SimulationParameters(dark_rate_hz=5000.0, sample=s), 1, 1.0, flux=0.0)[1].n_hits
        for s in ("none", "spokes")
    ]
    assert counts[1] == pytest.approx(counts[0], rel=0.06)


def test_photons_come_in_the_filled_buckets() -> None:
    parameters = SimulationParameters(
        pair_rate_hz=0.0, dark_rate_hz=0.0, sample="none", jitter_ns=0.0, timewalk_ns=0.0
    )
    raw, _ = raw_of(parameters, 1, 0.5)
    # a hit is stamped with the tick that began before it
    place = ((Decoder().feed(raw).t + 1) * TICK_NS) % 2641.69 / 2641.69
    assert place.max() < 1000 / 1320 + 2 * TICK_NS / 2641.69
    assert np.histogram(place, 10, (0, 1000 / 1320))[0].std() < 0.1 * place.size / 10


@pytest.mark.parametrize("seconds", [0.0, 1e-6, 1e-3])
def test_slices_of_any_length(seconds: float) -> None:
    experiment = Experiment(SimulationParameters(background_rate_hz=1e5), 1)
    parts = [experiment.start()] + [experiment.advance(seconds) for _ in range(20)]
    decoder = Decoder()
    decoder.feed(b"".join([*parts, experiment.stop()]))
    assert decoder.census().n_hits == experiment.n_hits
    assert decoder.census().first_damage_at is None


def played(playback: Playback, step_s: float, n: int) -> list[bytes]:
    return [playback.start(), *(playback.advance(step_s) for _ in range(n)), playback.stop()]


@pytest.mark.parametrize("step_s", [0.05, 0.7, 10.0])
def test_a_recorded_file_comes_back_byte_for_byte(recorded, step_s: float) -> None:
    playback = Playback(recorded)
    n = int(2.1 / step_s) + 1
    for _ in range(2):
        assert b"".join(played(playback, step_s, n)) == recorded.read_bytes()
        assert playback.n_hits == 2956
        assert len(playback.truth()) == 0
    assert playback.advance(1.0) == b""


def test_a_recorded_file_comes_in_whole_chunks_as_time_passes(recorded) -> None:
    parts = [part for part in played(Playback(recorded), 0.1, 30) if part]
    assert len(parts) > 10
    assert all(part.startswith(b"TPX3") for part in parts)


def test_a_damaged_recording_is_played_too(tmp_path, bare) -> None:
    path = tmp_path / "damaged.tpx3"
    path.write_bytes(b"xyz" + bare.raw[:5000] + b"?" * 13 + bare.raw[5000:9999])
    assert b"".join(played(Playback(path), 0.001, 2000)) == path.read_bytes()
