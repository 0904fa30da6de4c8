from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from twinbeam.errors import RecipeError
from twinbeam.pipeline import Recipe


def load(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return Recipe.load(path)


def test_defaults_are_the_experiment() -> None:
    g = Recipe().geometry
    assert (g.energy_kev, g.distance_m, g.pixel_um, g.bragg_deg) == (15.0, 0.494, 55.0, 11.576)
    assert (g.detuning_deg, g.gap_px, Recipe().replicas.turn_ns) == (0.040, 2, 2641.69)


def test_yaml_round_trip(tmp_path: Path) -> None:
    recipe = Recipe.from_mapping(
        {
            "geometry": {"centre_px": [254.25, 257.0], "detuning_deg": 0.0412},
            "pairing": {"signal_half": "left"},
            "selection": {"cuts": [{"quantity": "r1", "low": 10, "high": 300.5}]},
        }
    )
    assert load(tmp_path, recipe.to_yaml()) == recipe
    assert Recipe.from_mapping(recipe.as_dict()) == recipe
    assert json.loads(json.dumps(recipe.as_dict())) == recipe.as_dict()
    assert load(tmp_path, recipe.to_yaml()).hash == recipe.hash


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    recipe = load(tmp_path, "geometry:\n  distance_m: 0.68\n")
    assert recipe.geometry.distance_m == 0.68
    assert recipe.geometry.bragg_deg == 11.576
    assert load(tmp_path, "") == load(tmp_path, "# nothing\n") == Recipe()


def test_numbers_may_be_written_in_any_way(tmp_path: Path) -> None:
    plain = load(tmp_path, "pairing: {window_ns: 200}")
    assert plain == load(tmp_path, "pairing: {window_ns: 2e2}")
    assert plain.hash == load(tmp_path, "pairing: {window_ns: 200.0}").hash


def test_the_hash_names_the_content() -> None:
    assert len(Recipe().hash) == 12
    assert Recipe().hash == Recipe().hash
    others = [
        {"geometry": {"centre_px": [258.0, 258.5]}},
        {"selection": {"cuts": []}},
        {"clustering": {"window_ns": 200.00001}},
        {"replicas": {"n_turns": 9}},
    ]
    assert len({Recipe().hash, *(Recipe.from_mapping(v).hash for v in others)}) == 5


def test_the_hash_is_the_same_in_another_process() -> None:
    code = "from twinbeam.pipeline import Recipe; print(Recipe().hash)"
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "77"},
    )
    assert said.stdout.strip() == Recipe().hash


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe().geometry.distance_m = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("geometri: {}", "unknown key 'geometri'", "did you mean 'geometry'?"),
        ("geometry: {distance: 0.5}", "'geometry.distance'", "did you mean 'distance_m'?"),
        (
            "selection: {cuts: [{quantty: r1, low: 0, high: 1}]}",
            "'selection.cuts.0.quantity'",
            None,
        ),
        (
            "selection: {cuts: [{quantity: r1, low: 0, high: 1, hihg: 2}]}",
            "unknown key 'selection.cuts.0.hihg'",
            "did you mean 'high'?",
        ),
        ("geometry: {zzz: 1}", "unknown key 'geometry.zzz'", None),
        ("geometry: {distance_m: -1}", "'geometry.distance_m': Input should be greater", None),
        ("geometry: {distance_m: .nan}", "finite number", None),
        ("geometry: {distance_m: far}", "valid number", None),
        ("geometry: 5", "'geometry'", None),
        ("geometry: {centre_px: [1, 2, 3]}", "'geometry.centre_px", None),
        ("pairing: {signal_half: middle}", "'pairing.signal_half'", None),
        ("pairing: {window_ns: 1500}", "must exceed twice pairing.window_ns", None),
        ("replicas: {turn_ns: 100}", "replicas.turn_ns of 100", None),
        ("1: {}", "'1': Keys should be strings", None),
        ("- a\n- b", "mapping of groups", None),
        ("just text", "mapping of groups", None),
        ("a: [1", "no valid YAML", None),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, text: str, says: str, hint: str | None) -> None:
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, text)
    assert says in caught.value.what
    assert caught.value.where == str(tmp_path / "recipe.yaml")
    if hint:
        assert caught.value.hint == hint
    assert "''" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_recipe_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        Recipe.load(tmp_path / name)


def test_a_binary_file_is_no_recipe(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(RecipeError):
        Recipe.load(path)


@pytest.mark.parametrize("values", ["text", 5, ["geometry"]])
def test_a_start_document_with_nonsense_for_a_recipe(values: object) -> None:
    with pytest.raises(RecipeError, match="start document"):
        Recipe.from_mapping(values, where="start document")  # type: ignore[arg-type]


def test_every_parameter_says_what_it_is() -> None:
    schema = Recipe.model_json_schema()
    for group in schema["$defs"].values():
        for name, field in group["properties"].items():
            assert field.get("description", "").endswith("."), f"{group['title']}.{name}"


def test_keys_of_the_groups_notebooks() -> None:
    legacy = Recipe().legacy_metadata()
    assert legacy["Epump"] == 15.0
    assert legacy["dd"] == pytest.approx(49.4)
    assert (legacy["theta"], legacy["del_theta"]) == (11.576, 0.040)
    assert (legacy["x_cen"], legacy["y_cen"]) == (258.0, 258.0)


def test_the_yaml_is_plain(tmp_path: Path) -> None:
    assert yaml.safe_load(Recipe().to_yaml()) == Recipe().as_dict()
    assert next(iter(yaml.safe_load(Recipe().to_yaml()))) == "geometry"
