"""What pixels do to photons: rates, noise, columns, charge sharing, response, dead time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streams import acquire

from twinbeam.errors import RecipeError
from twinbeam.physics import tot_from_energy_ns
from twinbeam.simulate import Experiment, PhotonKind, SimulationParameters
from twinbeam.tpx3 import TICK_NS, Decoder, to_chip

NO_BEAM = {"background_rate_hz": 0.0, "pair_rate_hz": 0.0, "dark_rate_hz": 0.0}
SHARP = {"jitter_ns": 0.0, "timewalk_ns": 0.0}


@pytest.mark.parametrize("rate_hz", [1e3, 1e5, 1e7])
def test_photons_and_hits_come_at_the_rate_asked_for(rate_hz: float) -> None:
    seconds = min(1.0, 2e5 / rate_hz)
    made = acquire(
        seconds,
        step_s=seconds / 10,
        background_rate_hz=rate_hz,
        scattered_fraction=0.0,
        pair_rate_hz=0.0,
        dark_rate_hz=0.0,
    )
    expected = rate_hz * seconds
    assert abs(len(made.photons) - expected) < 4 * np.sqrt(expected)
    assert made.counts.photons == len(made.photons)
    assert made.counts.hits == len(made.hits) == len(Decoder().feed(made.raw))
    assert made.counts.hits / made.counts.photons == pytest.approx(1.53, abs=0.1)


def test_a_hundred_million_hits_a_second() -> None:
    made = acquire(0.005, step_s=0.001, background_rate_hz=6.6e7)
    assert made.counts.hits / 0.005 == pytest.approx(1e8, rel=0.05)
    assert len(Decoder().feed(made.raw)) == made.counts.hits
    assert 0 < made.counts.hits_lost < 0.01 * made.counts.hits


def test_hot_pixels_fire_at_their_rate_and_nowhere_else() -> None:
    made = acquire(2.0, hot={"count": 20, "rate_hz": 500.0, "tot_ns": 375}, **NO_BEAM)
    hits = made.hits
    places, counts = np.unique(np.stack([hits.x, hits.y], axis=1), axis=0, return_counts=True)
    assert np.array_equal(places, np.unique(made.experiment.hot_pixels, axis=0))
    assert np.all(np.abs(counts - 1000) < 5 * np.sqrt(1000))
    assert np.all(hits.tot_ns == 375)
    assert np.all(hits.photon == -1)
    assert made.counts.hits_hot == len(hits)
    assert made.counts.photons == len(made.photons) == 0


def test_dead_and_masked_pixels_are_silent() -> None:
    masked = ((300, 200), (100, 400))
    made = acquire(
        0.2, dead_pixels=50_000, masked_pixels=masked, background_rate_hz=1e6, hot={"count": 30}
    )
    seen = np.zeros((512, 512), dtype=bool)
    seen[made.hits.y, made.hits.x] = True
    dead = made.experiment.dead_pixels
    assert len(np.unique(dead, axis=0)) == 50_000
    assert not seen[dead[:, 1], dead[:, 0]].any()
    assert not any(seen[y, x] for x, y in masked)
    alive = ~seen
    alive[dead[:, 1], dead[:, 0]] = False
    assert alive.sum() < 0.5 * 512 * 512


def test_a_masked_hot_pixel_is_silent() -> None:
    noisy = {"hot": {"count": 1}, **NO_BEAM}
    (x, y) = acquire(0.1, **noisy).experiment.hot_pixels[0].tolist()
    made = acquire(0.5, masked_pixels=((x, y),), **noisy)
    assert len(made.hits) == 0
    assert made.experiment.hot_pixels[0].tolist() == [x, y]


def test_late_columns_are_late_by_their_ticks() -> None:
    late = [
        {"chip": 0, "first": 97, "last": 101, "ticks": 16},
        {"chip": 2, "first": 40, "last": 40, "ticks": -5},
    ]
    made = acquire(0.2, late_columns=late, background_rate_hz=5e5, **SHARP)
    hits = made.hits
    # a hit is stamped with the tick that began before the photon
    offset = hits.t - np.floor(made.photons.t[hits.photon])
    chip, column, _ = to_chip(hits.x, hits.y)
    column = column // 2
    expected = np.where((chip == 0) & (column >= 97) & (column <= 101), 16, 0)
    expected = np.where((chip == 2) & (column == 40), -5, expected)
    assert np.array_equal(offset, expected)
    assert np.count_nonzero(expected == 16) > 500
    assert np.count_nonzero(expected == -5) > 100


@pytest.mark.parametrize(("energy_kev", "size"), [(15.0, 1.53), (7.5, 1.15)])
def test_hits_per_photon(energy_kev: float, size: float) -> None:
    made = acquire(1.0, pump_kev=energy_kev, pair_rate_hz=0.0)
    n_hits = made.photons.n_hits[made.photons.recorded]
    assert n_hits.mean() == pytest.approx(size, abs=0.1)
    assert n_hits.max() <= 9


def test_time_is_that_of_the_photon_with_jitter_and_walk() -> None:
    made = acquire(1.0, background_rate_hz=1e5)
    hits = made.hits
    late_ns = (hits.t + 0.5 - made.photons.t[hits.photon]) * TICK_NS
    walk_ns = 167.0 * np.exp(-0.016 * hits.tot_ns)
    rest = late_ns - walk_ns
    assert rest.mean() == pytest.approx(0.0, abs=4 * 12.7 / np.sqrt(made.counts.photons))
    assert rest.std() == pytest.approx(12.7, rel=0.02)


def test_response_and_resolution_of_single_hits() -> None:
    made = acquire(1.0, background_rate_hz=1e5, gain_spread=0.0, pair_rate_hz=0.0, cloud_um=0.1)
    tot = made.hits.tot_ns[made.photons.n_hits[made.hits.photon] == 1].astype(float)
    assert np.median(tot) == pytest.approx(
        tot_from_energy_ns(15.0, 25.77, 170.0, 150.0, 2.0), rel=0.02
    )
    # σ of 0.6 keV at 7.5 keV grows with √E
    core = tot[np.abs(tot - np.median(tot)) < 60]
    assert core.std() == pytest.approx(0.6 * np.sqrt(2) * 25.77, rel=0.15)


def test_gain_spread_widens_the_pooled_response() -> None:
    sharp = {"background_rate_hz": 1e5, "cloud_um": 0.1, "resolution_kev": 0.0}
    for gain in (0.0, 0.18):
        tot = acquire(0.5, gain_spread=gain, **sharp).hits.tot_ns
        core = np.subtract(*np.percentile(tot, [84.13, 15.87])) / 2
        assert core == pytest.approx(gain * 15.0 * 25.77, rel=0.1, abs=7.5)


def test_a_response_table_gives_every_pixel_its_own(tmp_path: Path) -> None:
    table = np.zeros((512, 512, 4))
    table[..., 0] = 20.0 + 20.0 * (np.arange(512) < 256)  # by y
    table[..., 1] = 100.0 * (np.arange(512) < 256)[:, None]  # by x
    np.save(tmp_path / "t.npy", table)
    np.savez(tmp_path / "t.npz", abct=table)
    quiet = {"resolution_kev": 0.0, "cloud_um": 0.1, "gain_spread": 0.5, **SHARP}
    one, two = (
        acquire(0.5, response_table=str(tmp_path / name), pair_rate_hz=0.0, **quiet)
        for name in ("t.npy", "t.npz")
    )
    assert one.raw == two.raw
    hits = one.hits[one.photons.n_hits[one.hits.photon] == 1]
    expected = 300 + 300 * (hits.y < 256) + 100 * (hits.x < 256)
    assert np.mean(hits.tot_ns == expected) > 0.99


def test_the_table_of_a_real_quad(recorded: Path) -> None:
    path = recorded.with_name("tot_energy_abct_512x512x4.npy")
    made = acquire(1.0, response_table=str(path), pair_rate_hz=0.0, cloud_um=0.1)
    single = made.hits[made.photons.n_hits[made.hits.photon] == 1]
    assert np.median(single.tot_ns) == pytest.approx(537, rel=0.05)
    a, b, c, t = np.load(path)[single.x, single.y].T
    expected = tot_from_energy_ns(15.0, a, b, c, t)
    off = np.abs(single.tot_ns - expected)
    assert np.median(off) < 30


@pytest.mark.parametrize("shape", [(512, 512), (4, 512, 512)])
def test_what_is_no_response_table(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "t.npy"
    np.save(path, np.zeros(shape))
    with pytest.raises(RecipeError, match="shape"):
        Experiment(SimulationParameters(response_table=path))
    for data in (b"", b"no table"):
        path.write_bytes(data)
        with pytest.raises(RecipeError, match="no readable response table"):
            Experiment(SimulationParameters(response_table=path))
    with pytest.raises(RecipeError, match="no readable response table"):
        Experiment(SimulationParameters(response_table=tmp_path / "missing.npy"))
    np.save(path, np.full((512, 512, 4), np.nan))
    with pytest.raises(RecipeError, match="no numbers"):
        Experiment(SimulationParameters(response_table=path))


def test_a_busy_pixel_misses_hits() -> None:
    rate_hz, dead_ns = 1e6, 1000.0
    made = acquire(
        0.2, dead_time_ns=dead_ns, hot={"count": 1, "rate_hz": rate_hz, "tot_ns": 500}, **NO_BEAM
    )
    live = 1.0 / (1.0 + rate_hz * (dead_ns + 500.0) * 1e-9)
    assert len(made.hits) == pytest.approx(live * rate_hz * 0.2, rel=0.01)
    assert made.counts.hits_lost + len(made.hits) == pytest.approx(rate_hz * 0.2, rel=0.01)
    assert np.diff(made.hits.t).min() * TICK_NS >= dead_ns + 500.0


def test_tungsten_lines_in_the_background() -> None:
    made = acquire(
        1.0, fluorescence_fraction=0.25, pair_rate_hz=0.0, dark_rate_hz=0.0, cloud_um=0.1
    )
    kind, energy = made.photons.kind, made.photons.energy_kev
    lines = energy[kind == PhotonKind.FLUORESCENCE]
    assert lines.size == pytest.approx(0.25 * len(made.photons), rel=0.06)
    assert np.unique(lines).tolist() == pytest.approx([8.398, 9.672, 11.288])
    assert np.mean(np.isclose(lines, 8.398)) == pytest.approx(111 / 212, abs=0.04)
    assert np.all(energy[kind == PhotonKind.ELASTIC] == 15.0)
    # their mean ToT is the response to their energy
    single = made.hits[made.photons.n_hits[made.hits.photon] == 1]
    alpha = np.isclose(energy[single.photon], 8.398)
    expected = tot_from_energy_ns(8.398, 25.77, 170.0, 150.0, 2.0)
    assert np.median(single.tot_ns[alpha]) == pytest.approx(expected, rel=0.05)


def test_nothing_comes_behind_the_beam_stop() -> None:
    made = acquire(1.0, beam_stop_px=105.0, dark_rate_hz=0.0, pair_rate_hz=2000.0)
    off = np.maximum(np.abs(made.photons.x - 258), np.abs(made.photons.y - 258))
    assert off.min() >= 105.0
    stopped = np.maximum(np.abs(made.pairs.x1 - 258), np.abs(made.pairs.y1 - 258)) < 105
    assert stopped.any()
    assert not made.pairs.detected[stopped].any()
