"""The timewalk and its form are recovered from shared photons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from twinbeam.calibrate import (
    ClusteredHits,
    calibrate_timewalk,
    cluster_hits,
    draw,
    walk_cells,
)
from twinbeam.errors import RecipeError
from twinbeam.physics import energy_from_tot_kev, tot_from_energy_ns
from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import TICK_NS, Hits, chip_of

B, K = 167.0, 0.016
C, T = 60.0, 1.0


def shared(n: int, seed: int, form: str) -> ClusteredHits:
    """Photons of 15 keV shared between two pixels, with a walk of one of the forms."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(3.2, 11.8, n)
    energy = np.stack((first, 15.0 - first))
    x = rng.integers(0, 250, n) + np.array([[0], [1]])
    y = np.broadcast_to(rng.integers(0, 250, n), x.shape)
    tot = np.round(tot_from_energy_ns(energy, 25.77, 170.0, 150.0, 2.0) / 25.0) * 25.0
    seen = energy_from_tot_kev(tot, 25.77, 170.0, 150.0, 2.0)
    walk = B * np.exp(-K * tot) if form == "exponential" else C / (seen - T)
    jitter = 4.0 * rng.standard_normal(x.shape)
    t = np.floor((np.arange(n) * 1e5 + 1e4 + walk + jitter) / TICK_NS)
    x, y = x.ravel(), y.ravel()
    return cluster_hits(Hits(t.ravel(), x, y, tot.ravel(), chip_of(x, y)))


def pulls(form: str, truth: tuple[float, float]) -> np.ndarray:
    rows = []
    for seed in range(40):
        result = calibrate_timewalk(walk_cells(shared(3000, seed, form)))
        fit = result.exponential if form == "exponential" else result.pole
        assert fit is not None
        rows.append((np.array(fit.values) - truth) / fit.errors)
    return np.array(rows)


@pytest.mark.parametrize(("form", "truth"), [("exponential", (B, K)), ("pole", (C, T))])
def test_each_form_is_recovered_with_honest_errors(form: str, truth: tuple[float, float]) -> None:
    pull = pulls(form, truth)
    assert np.abs(pull).max() < 4.0
    assert np.all(np.abs(pull.mean(axis=0)) < 0.65)  # four errors of a mean of forty
    assert np.all((pull.std(axis=0) > 0.7) & (pull.std(axis=0) < 1.35))


@pytest.mark.parametrize("form", ["exponential", "pole"])
def test_the_right_form_is_chosen_and_the_wrong_one_does_not_fit(form: str) -> None:
    result = calibrate_timewalk(walk_cells(shared(20_000, 1, form)))
    assert result.exponential is not None
    assert result.pole is not None
    other = result.pole if form == "exponential" else result.exponential
    assert result.best.form == form
    assert result.best.p_value > 1e-3
    assert other.chi2 - result.best.chi2 > 20.0
    assert other.p_value < 0.01
    recipe = result.apply(Recipe())
    assert recipe.response.walk == form
    written = (
        (recipe.response.timewalk_ns, recipe.response.timewalk_decay_per_ns)
        if form == "exponential"
        else (recipe.response.walk_c_ns_kev, recipe.response.walk_t_kev)
    )
    assert written == result.best.values


def test_the_walk_of_the_simulated_detector_is_recovered(exposure: Callable[..., Hits]) -> None:
    for seed in range(2):
        cells = walk_cells(cluster_hits(exposure(1.0, seed=seed)))
        fit = calibrate_timewalk(cells).best
        assert fit.form == "exponential"
        assert abs(fit.values[0] - B) < 4.0 * fit.errors[0]
        assert abs(fit.values[1] - K) < 4.0 * fit.errors[1]
        assert fit.errors[0] < 2.0


def test_late_columns_are_taken_off_first() -> None:
    clustered = shared(20_000, 2, "exponential")
    late = np.where(clustered.hits.x % 4 < 2, 16, 0)
    shifted = ClusteredHits(
        Hits(
            clustered.hits.t + late,
            clustered.hits.x,
            clustered.hits.y,
            clustered.hits.tot_ns,
            clustered.hits.chip,
        ),
        clustered.label,
        clustered.size,
        {},
    )
    plain = calibrate_timewalk(walk_cells(clustered)).best
    mended = calibrate_timewalk(walk_cells(shifted, late.astype(np.float64))).best
    spoiled = calibrate_timewalk(walk_cells(shifted)).best
    assert mended.values == plain.values
    assert spoiled.errors[0] > 1.5 * plain.errors[0]


def test_too_few_or_unshared_photons_are_refused() -> None:
    with pytest.raises(RecipeError, match="pairs of ToT values"):
        calibrate_timewalk(walk_cells(shared(30, 1, "pole")))
    flat = shared(300, 1, "exponential")
    noise = np.random.default_rng(0).normal(0.0, 60.0, len(flat)).astype(np.int64)
    noisy = ClusteredHits(
        Hits(flat.hits.t + noise, flat.hits.x, flat.hits.y, flat.hits.tot_ns, flat.hits.chip),
        flat.label,
        flat.size,
        {},
    )
    with pytest.raises(RecipeError, match=r"not significant|cannot be fitted"):
        calibrate_timewalk(walk_cells(noisy, least_n=2)).apply(Recipe())


def test_the_figure_shows_both_forms() -> None:
    figure = draw(calibrate_timewalk(walk_cells(shared(3000, 1, "pole"))))
    text = " ".join(t.get_text() for t in figure.axes[0].get_legend().get_texts())
    assert "exponential" in text
    assert "pole" in text
