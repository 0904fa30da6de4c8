"""The peak fit against the physics of the rocking curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from twinbeam.errors import BeamlineError
from twinbeam.physics import rocking_curve
from twinbeam.plans import fit_peak
from twinbeam.plans.peak import half_maximum_width, rate_error_hz, stands_out

BRAGG_DEG = 11.576
COUNT_S = 0.05


def measured(
    angles_deg: np.ndarray, mosaic_mdeg: float, peak_hz: float, background_hz: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Poisson-distributed rates of a rocking curve, and their errors."""
    curve = rocking_curve(1e3 * (angles_deg - BRAGG_DEG), mosaic_mdeg)
    expected = (background_hz + peak_hz * curve) * COUNT_S
    rates = np.random.default_rng(seed).poisson(expected) / COUNT_S
    return rates, rate_error_hz(rates, COUNT_S)


def true_fwhm_mdeg(mosaic_mdeg: float) -> float:
    return 2.0 * float(
        brentq(lambda offset: float(rocking_curve(offset, mosaic_mdeg)) - 0.5, 0, 20)
    )


@pytest.mark.parametrize("mosaic_mdeg", [1.0, 2.7253, 5.0])
def test_width_and_centre_of_a_rocking_curve(mosaic_mdeg: float) -> None:
    angles = BRAGG_DEG + 1e-3 * np.linspace(-2.6, 2.6, 41) * true_fwhm_mdeg(mosaic_mdeg)
    rates, errors = measured(angles, mosaic_mdeg, 1e6, 200.0, seed=3)
    fit = fit_peak(angles, rates, errors)
    assert 1e3 * fit.fwhm == pytest.approx(true_fwhm_mdeg(mosaic_mdeg), rel=0.01)
    assert fit.centre == pytest.approx(BRAGG_DEG, abs=2e-5)
    assert fit.amplitude + fit.background == pytest.approx(1e6, rel=0.01)


def test_errors_are_the_scatter_of_repeated_measurements() -> None:
    angles = BRAGG_DEG + 1e-3 * np.linspace(-8.0, 8.0, 41)
    fits = [fit_peak(angles, *measured(angles, 2.7253, 2e4, 100.0, seed)) for seed in range(60)]
    for value, error in (("centre", "centre_err"), ("fwhm", "fwhm_err")):
        scatter = np.std([getattr(fit, value) for fit in fits])
        said = np.mean([getattr(fit, error) for fit in fits])
        assert 0.6 < said / scatter < 1.7


def test_the_order_of_points_does_not_matter() -> None:
    angles = BRAGG_DEG + 1e-3 * np.linspace(-8.0, 8.0, 41)
    rates, errors = measured(angles, 2.7253, 1e6, 200.0, seed=4)
    shuffle = np.random.default_rng(0).permutation(41)
    assert fit_peak(angles, rates, errors) == fit_peak(
        angles[shuffle], rates[shuffle], errors[shuffle]
    )


def test_too_few_points_are_no_peak() -> None:
    with pytest.raises(BeamlineError, match="too few"):
        fit_peak([1, 2, 3], [1, 5, 1], [1, 1, 1])


def test_what_stands_out_is_no_accident() -> None:
    assert stands_out(20_000.0, 200.0, 0.02)
    assert not stands_out(400.0, 200.0, 0.02)  # 8 counts over 4
    assert not stands_out(150.0, 0.0, 0.02)  # 3 counts over none
    noise = np.random.default_rng(1).poisson(4.0, 100_000) / 0.02
    assert not stands_out(float(noise.max()), 200.0, 0.02)


@pytest.mark.parametrize("offset_mdeg", [0.0, 0.4, 1.0])
def test_half_maximum_width_between_coarse_points(offset_mdeg: float) -> None:
    angles = np.arange(-20.0, 20.0, 0.5) + offset_mdeg
    width = half_maximum_width(angles, rocking_curve(angles), 0.0)
    assert width == pytest.approx(3.04, abs=0.06)


def test_half_maximum_width_of_half_a_peak_ends_with_the_data() -> None:
    angles = np.linspace(0.0, 10.0, 101)
    assert half_maximum_width(angles, rocking_curve(angles), 0.0) == pytest.approx(1.52, abs=0.05)
