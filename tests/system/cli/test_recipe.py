"""`twinbeam recipe` and the recipe a result was made with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from bluesky import RunEngine
from bluesky.plans import count

from twinbeam.pipeline import Pipeline, Recipe, write_nexus
from twinbeam.store import RunWriter, open_catalog

NARROW = {"pairing": {"window_ns": 123.0}, "geometry": {"centre_px": [250.0, 260.5]}}


@pytest.fixture
def result_file(tmp_path: Path) -> Path:
    path = tmp_path / "result [1].h5"
    write_nexus(Pipeline(Recipe.from_mapping(NARROW)).finish(), path)
    return path


def test_show_as_json(twinbeam: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(NARROW))
    shown = json.loads(twinbeam("recipe", "show", path, "--json").stdout)
    recipe = Recipe.from_mapping(NARROW)
    assert shown == {"recipe_hash": recipe.hash, "recipe": recipe.as_dict()}
    assert json.loads(twinbeam("recipe", "show", "--json").stdout)["recipe_hash"] == Recipe().hash


def test_check_names_a_key_that_is_there_twice(twinbeam: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("geometry:\n  gap_px: 2\n  gap_px: 3\n")
    done = twinbeam("recipe", "check", path)
    assert done.returncode == 1
    assert "'geometry.gap_px' is there twice, in lines 2 and 3" in done.stderr
    assert done.stderr.count("\n") == 1


def test_check_reads_the_files_a_recipe_names(twinbeam: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("response: {per_pixel: small.npy}")
    done = twinbeam("recipe", "check", path)
    assert done.returncode == 1
    assert "small.npy" in done.stderr
    np.save(tmp_path / "small.npy", np.zeros((3, 3)))
    done = twinbeam("recipe", "check", path)
    assert done.returncode == 1
    assert "512 x 512 x 4" in done.stderr
    np.save(tmp_path / "small.npy", np.full((512, 512, 4), (25.0, 160.0, 150.0, 2.0)))
    said = json.loads(twinbeam("recipe", "check", path, "--json").stdout)
    assert said == {"file": str(path), "recipe_hash": Recipe.load(path).hash}


def test_a_recipe_that_moves_with_its_files_processes_alike(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    reason = np.zeros((512, 512), np.uint8)
    reason[:, 100:140] = 1
    said = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "pixels.npz", reason=reason)
        (tmp_path / name / "r.yaml").write_text("geometry: {pixels: pixels.npz}")
        recipe = tmp_path / name / "r.yaml"
        done = twinbeam("process", simulated[0], "--recipe", recipe, "--json", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
        del said[-1]["seconds"]
    assert said[0] == said[1]
    assert sum(said[0]["ledger"]["hits"]["rejected"].values()) > 1000


def test_from_run_gives_the_recipe_of_a_result(
    twinbeam: Any, result_file: Path, tmp_path: Path
) -> None:
    done = twinbeam("recipe", "from-run", result_file)
    assert (done.returncode, done.stderr) == (0, "")
    again = tmp_path / "again.yaml"
    again.write_text(done.stdout)
    assert Recipe.load(again) == Recipe.from_mapping(NARROW)
    shown = json.loads(twinbeam("recipe", "from-run", result_file, "--json").stdout)
    assert shown["recipe_hash"] == Recipe.from_mapping(NARROW).hash


def test_from_run_of_a_result_of_another_version(twinbeam: Any, result_file: Path) -> None:
    with h5py.File(result_file, "r+") as file:
        values = json.loads(file["entry/recipe"][()])
        del values["images"]["bin_px"]
        del file["entry/recipe"]
        file["entry/recipe"] = json.dumps(values)
        file["entry/recipe"].attrs["hash"] = "0123456789ab"
    done = twinbeam("recipe", "from-run", result_file)
    assert done.returncode == 0
    assert "0123456789ab" in done.stderr
    assert yaml.safe_load(done.stdout)["images"]["bin_px"] == 1


@pytest.mark.parametrize("kind", ["missing", "foreign", "other", "unknown_key"])
def test_from_run_of_what_is_no_result(twinbeam: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "[x].h5"
    if kind == "foreign":
        path.write_bytes(b"TPX3" * 100)
    elif kind in ("other", "unknown_key"):
        with h5py.File(path, "w") as file:
            file["entry/title"] = "something"
            if kind == "unknown_key":
                file["entry/recipe"] = '{"geometri": {}}'
    done = twinbeam("recipe", "from-run", path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {path}: ")


def test_from_run_of_a_stored_run(twinbeam: Any, engine: RunEngine, tmp_path: Path) -> None:
    with open_catalog(tmp_path / "catalog") as catalog, RunWriter(catalog) as writer:
        token = engine.subscribe(writer)
        (uid,) = engine(count([]), recipe=Recipe.from_mapping(NARROW).as_dict())
        engine(count([]))
        engine.unsubscribe(token)
    where = ("--catalog", tmp_path / "catalog")
    done = twinbeam("recipe", "from-run", uid[:8], *where)
    assert done.returncode == 0, done.stderr
    assert Recipe.from_mapping(yaml.safe_load(done.stdout)) == Recipe.from_mapping(NARROW)
    newest = twinbeam("recipe", "from-run", "-1", *where)
    assert newest.returncode == 1
    assert "names no recipe" in newest.stderr
    for wrong, says in (("zzzzzzzz", "no run 'zzzzzzzz'"), ("99", "no run '99'")):
        done = twinbeam("recipe", "from-run", wrong, *where)
        assert done.returncode == 1
        assert says in done.stderr
    done = twinbeam("recipe", "from-run", uid, "--catalog", tmp_path / "no")
    assert done.returncode == 1
    assert "no catalogue" in done.stderr
