"""What is emitted: rates, energies, directions, shadows."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.errors import RawDataError, RecipeError
from twinbeam.physics import closure_defect, emission_angle_rad, energy_fraction, pair_acceptance
from twinbeam.simulate import Experiment, SimulationParameters, Truth, diffracted_fraction, simulate
from twinbeam.simulate.sample import transmits


def radii(truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.hypot(truth.x1 - 258, truth.y1 - 258),
        np.hypot(truth.x2 - 258, truth.y2 - 258),
    )


def test_the_rate_of_pairs_on_the_sensor(bare) -> None:
    expected = bare.parameters.pair_rate_hz * bare.seconds
    assert abs(len(bare.truth) - expected) < 4 * np.sqrt(expected)


def test_half_the_flux_gives_half_the_pairs() -> None:
    experiment = Experiment(SimulationParameters(pair_rate_hz=20_000.0), seed=3)
    experiment.advance(0.5, flux=0.5)
    assert abs(len(experiment.truth()) - 5000) < 4 * np.sqrt(5000)


def test_pairs_share_the_energy_and_the_plane_of_the_pump(bare) -> None:
    truth = bare.truth
    assert np.allclose(truth.e1 + truth.e2, 15.0)
    one = np.arctan2(truth.y1 - 258, truth.x1 - 258)
    two = np.arctan2(truth.y2 - 258, truth.x2 - 258)
    assert np.allclose(np.cos(one - two), -1.0)
    assert np.all(truth.y1 >= 258)
    assert np.all(truth.y2 <= 258)


def test_detuning_has_the_nominal_mean_and_spread(bare) -> None:
    detuning = bare.truth.detuning_deg
    n = len(bare.truth)
    # the sensor takes slightly more of the pairs with small rings
    assert detuning.mean() == pytest.approx(0.040, abs=5e-5 + 4 * 0.0014 / np.sqrt(n))
    assert detuning.std() == pytest.approx(0.0014, rel=0.02)


def test_radius_and_energy_follow_the_triangle(bare) -> None:
    truth = bare.truth
    r1, _ = radii(truth)
    angle = np.arctan(r1 * 55e-6 / 0.494)
    fraction = energy_fraction(angle, closure_defect(truth.detuning_deg, 11.576))
    assert np.allclose(15.0 * fraction, truth.e1, atol=1e-6)


def test_the_ring_of_half_the_energy(bare) -> None:
    truth = bare.truth
    near = np.abs(truth.e1 - 7.5) < 0.15
    assert np.count_nonzero(near) > 500
    assert np.median(radii(truth)[0][near]) == pytest.approx(210.5, abs=0.6)


def test_the_spectrum_is_symmetric(bare) -> None:
    assert np.concatenate((bare.truth.e1, bare.truth.e2)).mean() == pytest.approx(7.5)
    assert bare.truth.e1.mean() == pytest.approx(7.5, abs=0.05)


def test_the_detuning_sets_the_ring() -> None:
    experiment = Experiment(SimulationParameters(pair_rate_hz=20_000.0), seed=3)
    experiment.advance(0.1, detuning_deg=0.020)
    truth = experiment.truth()
    near = np.abs(truth.e1 - 7.5) < 0.3
    ring = 0.494 / 55e-6 * np.tan(emission_angle_rad(0.5, closure_defect(0.020, 11.576)))
    assert np.median(radii(truth)[0][near]) == pytest.approx(float(ring), rel=0.02)


@pytest.mark.parametrize("detuning_deg", [-0.5, -0.01, 0.0, 0.001, 1.0])
def test_the_crystal_may_stand_anywhere(detuning_deg: float) -> None:
    parameters = SimulationParameters(pair_rate_hz=20_000.0, detuning_spread_mdeg=1.4)
    experiment = Experiment(parameters, seed=3)
    experiment.advance(0.05, detuning_deg=detuning_deg)
    if detuning_deg < -0.005:
        assert len(experiment.truth()) == 0
    assert experiment.n_hits > 100


def test_detection_needs_sample_and_silicon(default) -> None:
    truth = default.truth
    assert not np.any(truth.detected & ~truth.transmitted)
    assert np.mean(truth.transmitted) == pytest.approx(5 / 9, abs=0.05)
    share = np.mean(truth.detected[truth.transmitted])
    assert 0.7 < share < 0.95


def test_truth_is_in_order_of_time() -> None:
    parameters = SimulationParameters(pair_rate_hz=1e6, background_rate_hz=0.0, sample="none")
    experiment = Experiment(parameters, seed=3)
    for _ in range(200):
        experiment.advance(2e-5)
    truth = experiment.truth()
    assert len(truth) > 1000
    assert np.all(np.diff(truth.t) >= 0.0)


def test_the_truth_goes_through_parquet(bare, tmp_path) -> None:
    bare.truth.write_parquet(tmp_path / "truth.parquet")
    assert Truth.read_parquet(tmp_path / "truth.parquet").equals(bare.truth)
    assert [p.name for p in tmp_path.iterdir()] == ["truth.parquet"]


def test_what_is_no_truth_table(tmp_path) -> None:
    (tmp_path / "x.parquet").write_text("no table")
    for name in ("x.parquet", "missing.parquet"):
        with pytest.raises(RawDataError, match="no readable truth table") as caught:
            Truth.read_parquet(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)


def test_simulate_writes_what_the_experiment_sends(tmp_path) -> None:
    counts = simulate(
        tmp_path / "a.tpx3", seconds=0.25, seed=9, truth=tmp_path / "t.parquet", detuning_deg=0.041
    )
    experiment = Experiment(seed=9)
    parts = [experiment.start(), *(experiment.advance(s, 0.041) for s in (0.1, 0.1, 0.05))]
    assert (tmp_path / "a.tpx3").read_bytes() == b"".join([*parts, experiment.stop()])
    assert Truth.read_parquet(tmp_path / "t.parquet").equals(experiment.truth())
    assert counts == experiment.counts


def test_an_experiment_that_cannot_see_pairs_says_so() -> None:
    with pytest.raises(RecipeError, match="no pair can reach the sensor"):
        Experiment(SimulationParameters(distance_m=20.0))
    Experiment(SimulationParameters(distance_m=20.0, pair_rate_hz=0.0)).advance(0.01)


def test_pairs_that_are_emitted_and_those_on_the_sensor() -> None:
    share = pair_acceptance(0.040, 11.576, 0.494, 55.0, (258.0, 258.0), 514.0)
    assert share == pytest.approx(0.424, abs=0.01)


def test_sectors_of_the_sample() -> None:
    p = SimulationParameters(n_spokes=4)
    azimuth = np.pi * (np.arange(9) + 0.5) / 9
    x, y = 258 + 100 * np.cos(azimuth), 258 + 100 * np.sin(azimuth)
    assert transmits(x, y, p).tolist() == [True, False] * 4 + [True]
    assert transmits(x, 516 - y, p).all(), "the idler half is free"
    assert transmits(x, y, SimulationParameters(sample="none")).all()


def test_the_rocking_curve_of_the_diffracted_beam() -> None:
    assert diffracted_fraction(0.0) == pytest.approx(1.0)
    assert diffracted_fraction(0.00152) == pytest.approx(0.5, abs=0.01)
    assert diffracted_fraction(0.040) < 0.001
