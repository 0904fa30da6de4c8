"""Thresholds and bias act on the hits as they do on a real sensor, while it counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.simulate.sensor_state import (
    SensorState,
    cloud_factor,
    depleted_um,
    drift_delay_ns,
    noise_rate_hz,
)
from twinbeam.tpx3 import Decoder, Hits

SECONDS = 0.1


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    parameters = SimulationParameters(background_rate_hz=1e5, pair_rate_hz=0.0, sample="none")
    return Experiment(parameters, seed=5)


def counted(experiment: Experiment, shift_kev: float = 0.0, bias_v: float | None = None) -> Hits:
    experiment.state = SensorState((shift_kev,) * 4, bias_v)
    data = experiment.start() + experiment.advance(SECONDS) + experiment.stop()
    experiment.state = SensorState()
    return Decoder().feed(data)


def test_a_higher_threshold_leaves_fewer_hits_and_shorter_ones(experiment: Experiment) -> None:
    hits = [counted(experiment, shift) for shift in (0.0, 4.0, 8.0, 11.0, 18.0)]
    numbers = [len(each) for each in hits]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[1] < 0.75 * numbers[0], "shared charge is below half of 15 keV"
    assert numbers[-1] == 0, "above the pulse"
    means = [float(each.tot_ns.mean()) for each in hits[:-1]]
    assert means[1:] == sorted(means[1:], reverse=True)
    # 4 keV of the slope of the response
    longest = [float(np.percentile(each.tot_ns, 90)) for each in hits[:2]]
    assert longest[0] - longest[1] == pytest.approx(4.0 * 25.77, abs=30.0)


def test_a_threshold_in_the_noise_fires_everywhere(experiment: Experiment) -> None:
    quiet, noisy = counted(experiment), counted(experiment, -1.85)
    assert len(noisy) - len(quiet) > 0.5 * SECONDS * 4 * noise_rate_hz(1.15)
    assert noisy.tot_ns.mean() < quiet.tot_ns.mean()
    assert noise_rate_hz(3.0) == 0.0
    assert noise_rate_hz(1.8) < 10.0
    assert noise_rate_hz(0.0) == noise_rate_hz(0.5) == 1e6


def test_only_the_chip_that_is_set_changes(experiment: Experiment) -> None:
    experiment.state = SensorState((30.0, 0.0, 0.0, 0.0))
    hits = Decoder().feed(experiment.start() + experiment.advance(SECONDS) + experiment.stop())
    experiment.state = SensorState()
    by_chip = np.bincount(hits.chip, minlength=4)
    assert by_chip[0] == 0
    assert by_chip[1:].min() > 1000


def test_a_lower_bias_shares_more_and_none_collects_nothing(experiment: Experiment) -> None:
    share = {}
    for bias_v in (100.0, 50.0):
        n = len(counted(experiment, bias_v=bias_v))
        share[bias_v] = n / experiment.counts.photons_recorded
    assert share[50.0] > 1.05 * share[100.0]
    full, part = (len(counted(experiment, bias_v=v)) for v in (40.0, 10.0))
    assert part < 0.7 * full, "the far half has no field"
    assert len(counted(experiment, bias_v=0.0)) == 0


def test_bias_in_numbers() -> None:
    # d²/µV of holes through 300 µm: 18.75 ns at 100 V
    assert drift_delay_ns(50.0, 300.0) == pytest.approx(18.75, rel=1e-6)
    assert drift_delay_ns(None, 300.0) == drift_delay_ns(100.0, 300.0) == 0.0
    assert cloud_factor(25.0) == 2.0
    assert depleted_um(10.0, 300.0) == 150.0
    assert depleted_um(90.0, 300.0) == depleted_um(None, 300.0) == 300.0


def test_the_state_may_change_while_it_counts(experiment: Experiment) -> None:
    experiment.start()
    first = Decoder().feed(experiment.advance(SECONDS))
    experiment.state = SensorState((30.0,) * 4)
    experiment.advance(0.01)  # what is still in the read-out
    then = experiment.counts.hits
    experiment.advance(SECONDS)
    experiment.state = SensorState()
    assert len(first) > 1000
    assert experiment.counts.hits == then


def test_tables_are_as_good_as_the_library() -> None:
    from twinbeam.simulate import _response_kernel as kernel

    z = np.linspace(-4.5, 4.5, 20_001)
    erf = np.array([kernel._erf(each) for each in z])
    exact = np.array(
        [math.erf(each) if abs(each) <= 4.0 else math.copysign(1.0, each) for each in z]
    )
    assert np.abs(erf - exact).max() < 1e-12
    draws = np.array([kernel._normal(np.uint64(key), 1) for key in range(20_000)])
    assert draws.mean() == pytest.approx(0.0, abs=0.03)
    assert draws.std() == pytest.approx(1.0, abs=0.03)
    radius = math.sqrt(-2.0 * math.log(kernel.uniform(np.uint64(7), 3)))
    angle = 2.0 * math.pi * kernel.uniform(np.uint64(7), 4)
    assert kernel._normal(np.uint64(7), 1) == pytest.approx(radius * math.cos(angle), abs=1e-12)
