"""Identification probability against the figures of the paper and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.physics import identification_probability, measured_spectra, pair_posterior


@pytest.mark.parametrize(
    ("beta", "sharpening", "expected"),
    # the first and the third are the statements of the paper, all four were computed independently
    [(1e5, 1.0, 0.0399), (1e3, 1.0, 0.361), (1e3, 2.0, 0.9521), (1e5, 2.0, 0.850)],
)
def test_default_model(beta: float, sharpening: float, expected: float) -> None:
    found = identification_probability(*measured_spectra(sharpening), beta)
    assert found == pytest.approx(expected, abs=1e-3)


def test_equal_spectra_tell_nothing() -> None:
    x = np.linspace(0.0, 1.0, 101)
    flat = np.ones_like(x)
    assert identification_probability(x, flat, flat, 9.0) == pytest.approx(0.1, rel=0.02)


def test_separate_spectra_tell_everything() -> None:
    x = np.arange(100.0)
    low, high = (x < 50).astype(float), (x >= 50).astype(float)
    assert identification_probability(x, low, high, 1e9) == pytest.approx(1.0)
    assert pair_posterior(low, high, 1e9).tolist() == low.tolist()


def test_densities_are_normalised() -> None:
    x, pair, background = measured_spectra()
    step = x[1] - x[0]
    assert pair.sum() * step == pytest.approx(1.0, abs=1e-6)
    assert background.sum() * step == pytest.approx(1.0, abs=1e-6)
    scaled = identification_probability(x, 7 * pair, 0.1 * background, 1e3)
    assert scaled == pytest.approx(identification_probability(x, pair, background, 1e3))


def test_nothing_anywhere_is_no_division_by_zero() -> None:
    assert pair_posterior([0.0], [0.0], 1e5).tolist() == [0.0]
