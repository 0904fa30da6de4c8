"""Identification probability against the figures of the paper and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.physics import (
    identification_cut,
    identification_of_histograms,
    identification_probability,
    measured_spectra,
    pair_posterior,
)


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


# --- measured histograms ---


def histograms(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Photons drawn from the default model, counted in bins of a quarter keV."""
    rng = np.random.default_rng(seed)
    x, pair, background = measured_spectra()
    edges = np.arange(x[0], x[-1] + 0.25, 0.25)
    return tuple(
        np.histogram(rng.choice(x, n, p=density / density.sum()), edges)[0]
        for density in (pair, background)
    )


def test_measured_histograms_approach_the_model() -> None:
    pair, background = histograms(1, 400_000)
    found = identification_of_histograms(pair, background, 1e3, background_floor=0.0)
    expected = identification_probability(*measured_spectra(), 1e3)
    assert found == pytest.approx(expected, rel=0.15)


def test_an_empty_bin_of_few_counts_identifies_nothing() -> None:
    pair, background = histograms(2, 2000)
    literal = identification_of_histograms(pair, background, 1e5, background_floor=0.0)
    careful = identification_of_histograms(pair, background, 1e5)
    # with 2000 counts the tail is empty, which taken literally is 20 times too good
    assert literal > 0.4
    assert careful < 0.04


def test_a_cut_says_what_it_keeps() -> None:
    pair, background = [10.0, 30.0, 60.0], [1000.0, 10.0, 1.0]
    cut = identification_cut(pair, background, 10.0, least=0.5)
    assert cut.accepted.tolist() == [False, True, True]
    assert cut.efficiency == pytest.approx(0.9)
    assert cut.rejection == pytest.approx(1000 / 1011)
    assert cut.purity == pytest.approx(0.9 / (0.9 + 10 * 11 / 1011))
    nothing = identification_cut(pair, background, 1e9, least=0.9)
    assert (nothing.efficiency, nothing.purity) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("pair", "background", "message"),
    [
        ([1, 2], [1, 2, 3], "equal bins"),
        ([0, 0], [1, 1], "no"),
        ([1, 1], [0, -1], "without counts"),
    ],
)
def test_histograms_that_identify_nothing(pair: list, background: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        identification_of_histograms(pair, background, 10.0)
