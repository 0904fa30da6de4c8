"""The recipe of a run from its start document."""

from __future__ import annotations

from typing import Any

import pytest

from twinbeam.errors import RecipeError
from twinbeam.pipeline import Recipe, recipe_of_start


def test_the_recipe_that_is_named_counts() -> None:
    recipe = Recipe.from_mapping({"geometry": {"distance_m": 0.6}})
    start = {"uid": "u", "recipe": recipe.as_dict(), "dd": 40.0}
    assert recipe_of_start(start) == recipe


def test_keys_of_older_runs_give_the_geometry() -> None:
    start = {
        "Epump": 15.2, "dd": 61.5, "theta": 11.4, "del_theta": 0.031, "x_cen": 250.5, "y_cen": 260,
    }  # fmt: skip
    recipe = recipe_of_start(start)
    assert recipe is not None
    g = recipe.geometry
    assert (g.energy_kev, g.distance_m, g.bragg_deg) == (15.2, 0.615, 11.4)
    assert (g.detuning_deg, g.centre_px) == (0.031, (250.5, 260.0))
    assert recipe.selection == Recipe().selection


def test_it_is_the_inverse_of_the_keys_we_write() -> None:
    recipe = Recipe.from_mapping({"geometry": {"distance_m": 0.75, "centre_px": [255.25, 261.5]}})
    assert recipe_of_start(recipe.legacy_metadata()) == recipe


def test_what_the_keys_do_not_say_is_of_the_base() -> None:
    base = Recipe.from_mapping(
        {"geometry": {"centre_px": [240.0, 241.0], "gap_px": 3}, "pairing": {"window_ns": 80.0}}
    )
    recipe = recipe_of_start({"x_cen": 260.0}, base)
    assert recipe is not None
    assert recipe.geometry.centre_px == (260.0, 241.0)
    assert recipe.geometry.gap_px == 3
    assert recipe.pairing.window_ns == 80.0


def test_a_run_that_says_nothing_has_none() -> None:
    assert recipe_of_start({"uid": "u", "theta_scan": 1}) is None
    assert recipe_of_start({"uid": "u", "recipe": {}}) is None


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"uid": "abc", "dd": "far"}, "run abc: 'dd' is no number: 'far'"),
        ({"uid": "abc", "x_cen": None}, "'x_cen' is no number: None"),
        ({"uid": "abc", "dd": -3.0}, "geometry.distance_m"),
        ({"uid": "abc", "recipe": {"geometri": {}}}, "run abc: unknown key 'geometri'"),
    ],
)
def test_what_makes_no_sense_is_refused(start: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_of_start(start)
