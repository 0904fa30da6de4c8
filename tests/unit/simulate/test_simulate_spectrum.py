"""Closed forms of the emission: spectrum, acceptance, and what a pair says about its detuning."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.simulate.arrivals import pair_arrivals


def candidates(n: int, seed: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "t_ns": np.arange(n, dtype=float),
        "fraction": rng.random(n),
        "azimuth": rng.random(n),
        "spread": rng.standard_normal(n),
        "depth": rng.random((2, n)),
        "jitter": np.zeros((2, n)),
        "key": np.zeros((2, n), dtype=np.uint64),
    }


def test_spectrum_of_all_pairs() -> None:
    parameters = SimulationParameters(distance_m=0.02, sample="none", pair_rate_hz=1e5)
    experiment = Experiment(parameters, 2)
    experiment.advance(1.0)
    e1 = experiment.truth().e1
    assert e1.size > 99_000
    assert e1.mean() == pytest.approx(7.5, rel=0.01)
    assert e1.std() == pytest.approx(3.35410, rel=0.01)
    assert np.mean((e1 > 5) & (e1 < 10)) == pytest.approx(13 / 27, rel=0.01)


@pytest.mark.parametrize(("stop_px", "acceptance"), [(0.0, 0.423816), (105.0, 0.410792)])
def test_share_of_pairs_that_reach_the_sensor(stop_px: float, acceptance: float) -> None:
    """The reference values hold for a sensor of 512 pixels without a gap."""
    n = 400_000
    parameters = SimulationParameters(
        sample="none",
        beam_stop_px=stop_px,
        centre_px=(260.0, 256.0),
        detuning_spread_mdeg=0.0,
    )
    _, *photons = pair_arrivals(candidates(n), 0.040, parameters)
    ones, others = (p.pair[(p.pair >= 0) & (p.x < 511.5) & (p.y < 511.5)] for p in photons)
    assert np.intersect1d(ones, others).size / n == pytest.approx(acceptance, abs=0.003)


def test_a_pair_tells_its_detuning_and_its_energy() -> None:
    on_sensor, _, _ = pair_arrivals(candidates(200_000), 0.040, SimulationParameters(sample="none"))
    angle1, angle2 = (
        np.arctan(np.hypot(on_sensor[x] - 258, on_sensor[y] - 258) * 55e-6 / 0.494)
        for x, y in (("x1", "y1"), ("x2", "y2"))
    )
    sine = np.sin(2 * np.deg2rad(11.576))
    detuning = np.rad2deg(angle1 * angle2 / (2 * sine))
    assert detuning.std() == pytest.approx(0.00140, rel=0.02)
    assert np.allclose(detuning, on_sensor["detuning_deg"], rtol=2e-4)
    energy = sum(15.0 / (a**2 / (2 * np.deg2rad(0.040) * sine) + 1) for a in (angle1, angle2))
    assert energy.mean() == pytest.approx(15.0, abs=0.02)
    assert energy.std() == pytest.approx(0.256, abs=0.01)
