"""What heralds are worth, against counts of simulated photons and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.physics import (
    direct_variance,
    heralded_transmission,
    heralded_variance,
    heralding_efficiency,
    sub_shot_noise_gain,
)


@pytest.mark.parametrize(
    ("transmission", "efficiency", "gain"), [(0.9, 0.95, 6.897), (0.9, 0.04, 1.0373), (0.0, 1.0, 1)]
)
def test_gain(transmission: float, efficiency: float, gain: float) -> None:
    assert sub_shot_noise_gain(transmission, efficiency) == pytest.approx(gain, abs=5e-4)
    direct = direct_variance(0.5 + transmission / 2, efficiency, 1000)
    heralded = heralded_variance(0.5 + transmission / 2, efficiency, 1000)
    expected = sub_shot_noise_gain(0.5 + transmission / 2, efficiency)
    if np.isfinite(expected):
        assert direct / heralded == pytest.approx(float(expected))


def test_a_perfect_herald_of_an_open_beam_has_no_noise() -> None:
    assert heralded_variance(1.0, 1.0, 100) == 0.0
    assert np.isinf(sub_shot_noise_gain(1.0, 1.0))


@pytest.mark.parametrize("efficiency", [0.3, 0.9])
def test_variances_are_those_of_counted_photons(efficiency: float) -> None:
    rng = np.random.default_rng(4)
    t, n, runs = 0.8, 2000, 20_000
    heralded = rng.binomial(n, efficiency * t, runs) / (efficiency * n)
    direct = rng.poisson(efficiency * t * n, runs) / (efficiency * n)
    assert heralded.var() == pytest.approx(float(heralded_variance(t, efficiency, n)), rel=0.05)
    assert direct.var() == pytest.approx(float(direct_variance(t, efficiency, n)), rel=0.05)


def test_the_error_of_a_transmission_is_its_scatter() -> None:
    rng = np.random.default_rng(5)
    found = [heralded_transmission(k, 500, 0.9) for k in rng.binomial(500, 0.9 * 0.7, 4000)]
    pulls = [(t - 0.7) / error for t, error in found]
    assert np.std(pulls) == pytest.approx(1.0, abs=0.05)


def test_heralding_efficiency() -> None:
    efficiency, error = heralding_efficiency(400.0, 1100.0, 100.0)
    assert efficiency == pytest.approx(0.4)
    assert error == pytest.approx(np.sqrt(0.4 * 0.6 / 1000))
    with pytest.raises(ValueError, match="no true herald"):
        heralding_efficiency(1.0, 5.0, 5.0)
    with pytest.raises(ValueError, match="no heralded photon"):
        heralded_transmission(1.0, 0.0, 0.5)
