"""Centre, detuning and distance from pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from twinbeam.calibrate import (
    KnownDetuning,
    calibrate_detuning,
    centre_by_contrast,
    centre_by_lines,
    distance_by_energies,
    distance_by_radii,
    draw,
    revised,
    widened,
)
from twinbeam.errors import RecipeError
from twinbeam.pairs import Cut, Pairs, Selection
from twinbeam.pipeline import Recipe, Result, process

TRUE_CENTRE = (260.3, 256.1)
POOL = 25.0


def lines_through(
    centre: tuple[float, float],
    start: tuple[float, float],
    seed: int,
    n: int = 400,
    sigma: float = 1.0,
    accidentals: int = 300,
    replicas: int = 10,
) -> dict[str, np.ndarray]:
    """Pairs whose lines miss the centre by `sigma`, and accidentals anywhere in the pool."""
    rng = np.random.default_rng(seed)
    total = n + accidentals * (replicas + 1)
    true = np.arange(total) < n
    azimuth = rng.uniform(0.0, np.pi, total)
    nx, ny = -np.sin(azimuth), np.cos(azimuth)
    around = np.where(true, nx * centre[0] + ny * centre[1], nx * start[0] + ny * start[1])
    miss = np.where(true, sigma * rng.standard_normal(total), rng.uniform(-POOL, POOL, total))
    r1, r2 = rng.uniform(150.0, 250.0, (2, total))
    foot = (around + miss)[None, :] * np.stack((nx, ny))
    along = np.stack((np.cos(azimuth), np.sin(azimuth)))
    middle = along * (np.array(start) @ along)
    one, two = foot + middle + along * r1, foot + middle - along * r2
    late = np.maximum(np.arange(total) - n, 0) % (replicas + 1)
    inside = np.abs(nx * start[0] + ny * start[1] - around - miss) < POOL
    columns = {
        "x1": one[0],
        "y1": one[1],
        "x2": two[0],
        "y2": two[1],
        "replica": np.where(true, 0, late),
    }
    return {name: column[inside] for name, column in columns.items()}


@pytest.mark.parametrize("start", [(258.0, 258.0), (256.0, 260.0), (262.0, 253.0)])
def test_the_centre_of_the_simulated_ring_is_found_from_any_start_nearby(
    candidates: Result, start: tuple[float, float]
) -> None:
    n = candidates.estimate.replicas
    by_lines = centre_by_lines(candidates.pairs, n, start, 15.0)
    by_contrast = centre_by_contrast(candidates.pairs, n, start)
    for result in (by_lines, by_contrast):
        away = np.array(result.centre_px) - TRUE_CENTRE
        assert np.all(np.abs(away) < 4.0 * np.array(result.errors_px))
        assert max(result.errors_px) < 0.2
        assert result.n_net > 500.0
    assert by_lines.centre_px == pytest.approx(by_contrast.centre_px, abs=0.2)
    assert by_lines.apply(Recipe()).geometry.centre_px == by_lines.centre_px


def test_the_centre_is_not_pulled_to_the_start_and_its_errors_are_honest(
    pairs_of: Callable[..., Pairs],
) -> None:
    centre, start = (261.0, 255.0), (258.0, 258.0)
    pulls = []
    for seed in range(60):
        pairs = pairs_of(**lines_through(centre, start, seed))
        result = centre_by_lines(pairs, 10, start, POOL)
        pulls.append((np.array(result.centre_px) - centre) / result.errors_px)
    pull = np.array(pulls)
    assert np.abs(pull).max() < 4.5
    assert np.all(np.abs(pull.mean(axis=0)) < 4.0 / np.sqrt(60))
    assert np.all((pull.std(axis=0) > 0.75) & (pull.std(axis=0) < 1.3))


def test_the_contrast_finds_the_centre_with_honest_errors(
    pairs_of: Callable[..., Pairs],
) -> None:
    centre, start = (261.0, 255.0), (258.0, 258.0)
    pulls = []
    for seed in range(20):
        pairs = pairs_of(**lines_through(centre, start, seed))
        result = centre_by_contrast(pairs, 10, start)
        pulls.append((np.array(result.centre_px) - centre) / result.errors_px)
    pull = np.array(pulls)
    assert np.abs(pull).max() < 4.5
    assert np.all((pull.std(axis=0) > 0.5) & (pull.std(axis=0) < 1.6))


def test_a_centre_out_of_reach_and_too_few_pairs_are_refused(
    pairs_of: Callable[..., Pairs],
) -> None:
    far = pairs_of(**lines_through((258.0 + 22.0, 258.0), (258.0, 258.0), 1))
    with pytest.raises(RecipeError, match="start again"):
        centre_by_lines(far, 10, (258.0, 258.0), POOL)
    few = pairs_of(**lines_through((258.0, 258.0), (258.0, 258.0), 1, n=10, accidentals=0))
    for find in (
        lambda: centre_by_lines(few, 10, (258.0, 258.0), POOL),
        lambda: centre_by_contrast(few, 10, (258.0, 258.0)),
    ):
        with pytest.raises(RecipeError, match="collect more pairs"):
            find()
    blurred = pairs_of(**lines_through((258.0, 258.0), (258.0, 258.0), 1, n=30, sigma=4.0))
    with pytest.raises(RecipeError, match=r"asked|start again|net pairs"):
        centre_by_lines(blurred, 10, (258.0, 258.0), POOL).apply(Recipe(), 0.1)


def detunings(seed: int, n: int, floor: int, replicas: int = 10) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.normal(0.0406, 0.0014, n)
    flat = rng.uniform(0.01, 0.08, floor * (replicas + 1))
    replica = np.concatenate((np.zeros(n + floor), 1 + np.arange(floor * replicas) % replicas))
    return {"detuning_deg": np.concatenate((true, flat)), "replica": replica}


@pytest.mark.parametrize(("n", "floor"), [(60, 0), (300, 100), (300, 1500)])
def test_detuning_and_spread_are_recovered_with_honest_errors(
    pairs_of: Callable[..., Pairs], n: int, floor: int
) -> None:
    pulls = []
    for seed in range(50):
        pairs = pairs_of(**detunings(seed, n, floor))
        fit = calibrate_detuning(pairs, 10, (0.01, 0.08))
        pulls.append(
            (
                (fit.detuning_deg - 0.0406) / fit.error_deg,
                (fit.sigma_deg - 0.0014) / fit.sigma_error_deg,
            )
        )
    pull = np.array(pulls)
    assert np.abs(pull[:, 0]).max() < 4.0
    assert np.all(np.abs(pull.mean(axis=0)) < 0.6)
    assert np.all((pull.std(axis=0) > 0.75) & (pull.std(axis=0) < 1.35))


def test_the_detuning_of_the_simulated_crystal_is_recovered(centred_candidates: Result) -> None:
    n, geometry = centred_candidates.estimate.replicas, centred_candidates.recipe.geometry
    pairs = centred_candidates.pairs
    fit = calibrate_detuning(pairs, n, (0.01, 0.08), geometry)
    assert abs(fit.detuning_deg - 0.04) < 4.0 * fit.error_deg
    assert abs(fit.sigma_deg - 0.0014) < 4.0 * fit.sigma_error_deg
    assert fit.error_deg < 1e-4
    assert fit.chi2 < 2.0 * fit.ndf + 20.0
    # the sensor's edge takes more of the wide pairs
    plain = calibrate_detuning(pairs, n, (0.01, 0.08))
    assert fit.detuning_deg - plain.detuning_deg == pytest.approx(7e-5, rel=0.4)


def test_a_new_detuning_takes_its_cut_along(pairs_of: Callable[..., Pairs]) -> None:
    fit = calibrate_detuning(pairs_of(**detunings(1, 500, 50)), 10, (0.01, 0.08))
    shift = fit.detuning_deg - 0.040
    for relative, low, moved in ((False, 0.036, 0.036 + shift), (True, 0.9, 0.9)):
        cut = Cut(quantity="detuning_deg", low=low, high=1.2 * low, relative=relative)
        after = fit.apply(Recipe(selection=Selection(cuts=(cut,))))
        (found,) = after.selection.cuts
        assert after.geometry.detuning_deg == fit.detuning_deg
        assert found.relative == relative
        assert found.low == pytest.approx(moved)
        assert found.high - found.low == pytest.approx(0.2 * low)
    with pytest.raises(RecipeError, match="net pairs"):
        calibrate_detuning(pairs_of(**detunings(1, 5, 50)), 10, (0.01, 0.08))


@pytest.mark.parametrize("start_m", [0.47, 0.52])
def test_the_distance_is_recovered_by_radii_and_by_energies(
    centred_candidates: Result, start_m: float
) -> None:
    n, recipe = centred_candidates.estimate.replicas, centred_candidates.recipe
    known = KnownDetuning(0.040, 1e-4)
    pairs = centred_candidates.pairs
    geometry = recipe.geometry.model_copy(update={"distance_m": start_m})
    fit = calibrate_detuning(pairs, n, (0.01, 0.08), recipe.geometry)
    by_radii = distance_by_radii(fit, recipe.geometry, known)
    by_energies = distance_by_energies(pairs, n, geometry, recipe.response, known)
    for result in (by_radii, by_energies):
        assert abs(result.distance_m - 0.494) < 4.0 * result.error_m
        assert result.error_m >= 0.5 * result.distance_m * 1e-4 / 0.040
    assert by_radii.error_m < 2e-3
    assert by_energies.error_m < 2e-2
    assert by_radii.apply(recipe).geometry.distance_m == by_radii.distance_m


def test_the_distance_follows_the_detuning_that_is_believed(centred_candidates: Result) -> None:
    fit = calibrate_detuning(
        centred_candidates.pairs, centred_candidates.estimate.replicas, (0.01, 0.08)
    )
    geometry = centred_candidates.recipe.geometry
    near, far = (
        distance_by_radii(fit, geometry, KnownDetuning(value, 1e-4)).distance_m
        for value in (0.042, 0.038)
    )
    assert far / near == pytest.approx(np.sqrt(0.042 / 0.038))
    unknown = distance_by_radii(fit, geometry, KnownDetuning(0.040, 0.01))
    with pytest.raises(RecipeError, match="not significant"):
        unknown.apply(Recipe())


def test_wide_cuts_leave_room_and_keep_the_others() -> None:
    names = [cut.quantity for cut in widened(Recipe(), energy=False).selection.cuts]
    assert names == ["dt_ns", "dp_px", "detuning_deg"]
    kept = {cut.quantity: cut for cut in widened(Recipe(), pool_px=30.0).selection.cuts}
    assert kept["energy_sum_kev"] == Recipe().selection.cuts[0]
    assert (kept["dp_px"].low, kept["dp_px"].high) == (0.0, 30.0)
    assert kept["detuning_deg"].high == pytest.approx(0.08)


def test_the_calibrated_recipe_finds_the_pairs(run_file: Path, centred_candidates: Result) -> None:
    n, recipe = centred_candidates.estimate.replicas, Recipe()
    centre = centre_by_lines(centred_candidates.pairs, n, TRUE_CENTRE, POOL)
    recipe = centre.apply(recipe)
    fit = calibrate_detuning(centred_candidates.pairs, n, (0.01, 0.08), recipe.geometry)
    found = process([run_file], fit.apply(recipe))
    assert found.estimate.net > 0.95 * process([run_file]).estimate.net
    assert found.estimate.net > 500.0


def test_a_value_out_of_bounds_does_not_enter_a_recipe() -> None:
    with pytest.raises(RecipeError, match=r"geometry\.distance_m"):
        revised(Recipe(), "geometry", distance_m=-1.0)


def test_every_result_can_be_drawn(candidates: Result, centred_candidates: Result) -> None:
    n = candidates.estimate.replicas
    known = KnownDetuning(0.040, 1e-4)
    recipe, pairs = centred_candidates.recipe, centred_candidates.pairs
    fit = calibrate_detuning(pairs, n, (0.01, 0.08))
    results = [
        centre_by_lines(candidates.pairs, n, (258.0, 258.0), POOL),
        centre_by_contrast(candidates.pairs, n, (258.0, 258.0)),
        fit,
        distance_by_radii(fit, recipe.geometry, known),
        distance_by_energies(pairs, n, recipe.geometry, recipe.response, known),
    ]
    titles = [draw(result).axes[0].get_title(loc="left") for result in results]
    assert titles[0].startswith("lines: 260.")
    assert titles[1].startswith("contrast: 260.")
    assert "mdeg" in titles[2]
    assert all("mm" in title for title in titles[3:])
    with pytest.raises(TypeError, match="no calibration"):
        draw(recipe)
