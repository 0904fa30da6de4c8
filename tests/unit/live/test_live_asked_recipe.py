from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from twinbeam.live.asked_recipe import AskedRecipe
from twinbeam.live.intake import Intake
from twinbeam.live.service import LiveService
from twinbeam.pipeline import Recipe

WIDE = Recipe.from_mapping({"pairing": {"window_ns": 400.0}})


def service(state: Path, recipe: Recipe | None = None) -> LiveService:
    return LiveService(Intake(None, None), state, recipe=recipe)


def test_a_killed_service_goes_on_with_the_recipe_it_was_asked_for(tmp_path: Path) -> None:
    first = service(tmp_path)
    first.change_recipe(WIDE.as_dict())
    first.step()  # and then it is killed
    assert AskedRecipe(tmp_path).read() == WIDE
    given = service(tmp_path, Recipe())
    given.stop()
    given.run()  # one that ends in order leaves nothing behind
    assert AskedRecipe(tmp_path).read() is None


def test_the_recipes_of_the_runs_may_be_asked_for_again(tmp_path: Path) -> None:
    one = service(tmp_path)
    one.change_recipe(WIDE.as_dict())
    one.change_recipe(None)
    one.step()
    one.step()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: path.write_text("{"), "is not used"),
        (lambda path: path.write_text(json.dumps({"windw_ns": 1})), "is not used"),
        (lambda path: path.write_text("[1]"), "is not used"),
        (lambda path: os.utime(path, (0.0, time.time() - 25 * 3600)), ""),
    ],
)
def test_a_file_that_is_broken_or_old_is_not_used(
    tmp_path: Path, harm: Callable[[Path], object], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    AskedRecipe(tmp_path).keep(WIDE)
    harm(tmp_path / "asked_recipe.json")
    assert AskedRecipe(tmp_path).read() is None
    assert said in caplog.text
