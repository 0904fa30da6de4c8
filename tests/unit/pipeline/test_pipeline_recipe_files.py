"""Recipes as files: keys given twice, and files that a recipe names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from twinbeam.errors import RecipeError
from twinbeam.pipeline import Recipe
from twinbeam.pipeline.tables import Tables

# as the first version wrote its default recipe
EARLIER = """
geometry: {energy_kev: 15.0, distance_m: 0.494, pixel_um: 55.0, centre_px: [258.0, 258.0],
  bragg_deg: 11.576, detuning_deg: 0.04, gap_px: 2}
response: {a_ns_per_kev: 25.77, b_ns: 170.0, c_ns_kev: 150.0, t_kev: 2.0, timewalk_ns: 167.0,
  timewalk_decay_per_ns: 0.016}
clustering: {window_ns: 200.0, longest_us: 10.0, reorder_ms: 5.0}
pairing: {window_ns: 250.0, signal_half: top, photon_kev: [2.5, 12.5]}
selection:
  cuts:
  - {quantity: energy_sum_kev, low: 8.0, high: 19.0}
  - {quantity: dp_px, low: 0.0, high: 5.0}
  - {quantity: detuning_deg, low: 0.0358, high: 0.0442}
  - {quantity: dt_ns, low: -60.0, high: 60.0}
replicas: {turn_ns: 2641.69, n_turns: 10}
images: {dt_bin_ns: 6.25, detuning_bins: 160, detuning_range: 2.0, energy_bin_kev: 0.25,
  energy_max_kev: 40.0}
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("geometry: {}\nimages: {}\n\ngeometry: {}\n", "geometry", "lines 1 and 4"),
        ("geometry:\n  gap_px: 2\n  bragg_deg: 11\n  gap_px: 3\n", "geometry.gap_px", "2 and 4"),
        ("geometry: {gap_px: 2, 'gap_px': 2}", "geometry.gap_px", "in line 1"),
        (
            "selection:\n  cuts:\n  - {quantity: r1, low: 1, high: 2}\n"
            "  - quantity: r2\n    low: 1\n    high: 2\n    low: 0\n",
            "selection.cuts.1.low",
            "lines 5 and 7",
        ),
    ],
)
def test_a_key_given_twice_is_named(tmp_path: Path, text: str, key: str, lines: str) -> None:
    path = write(tmp_path / "r.yaml", text)
    with pytest.raises(RecipeError) as caught:
        Recipe.load(path)
    assert f"'{key}' is there twice" in caught.value.what
    assert lines in caught.value.what
    assert caught.value.where == str(path)


def test_anchors_and_merges_are_no_repetition(tmp_path: Path) -> None:
    text = (
        "images: &i {dt_bin_ns: 3.125}\n"
        "replicas: &r {n_turns: 5}\n"
        "selection: {cuts: [&c {quantity: r1, low: 1, high: 9}, {<<: *c, quantity: r2}]}\n"
    )
    recipe = Recipe.load(write(tmp_path / "r.yaml", text))
    assert [(c.quantity, c.high) for c in recipe.selection.cuts] == [("r1", 9.0), ("r2", 9.0)]


@pytest.mark.parametrize(
    "text",
    [
        "a: 2024-13-45",
        "a: !!int x",
        "a: !!bool maybe",
        "a: !!timestamp soon",
        "a: !!python/object:os.system {}",
        "a: " + 5000 * "[",
        "? [1, 2]\n: 3",
        "a: &a {b: *a}",
        "\x00",
        "a: *nothing",
        "--- {}\n--- {}",
    ],
)
def test_yaml_that_is_no_recipe_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "r.yaml", text)
    with pytest.raises(RecipeError) as caught:
        Recipe.load(path)
    assert caught.value.where == str(path)


def test_a_recipe_of_the_earlier_version_loads(tmp_path: Path) -> None:
    recipe = Recipe.load(write(tmp_path / "r.yaml", EARLIER))
    cut = recipe.selection.cuts[2]
    assert (cut.quantity, cut.low, cut.high, cut.relative) == (
        "detuning_deg",
        0.0358,
        0.0442,
        False,
    )
    resolved = recipe.selection.resolved(recipe.geometry).cuts[2]
    assert (resolved.low, resolved.high) == (0.0358, 0.0442)
    assert recipe.clustering.reorder_ms == 5.0
    assert recipe.images.bin_px == 1


@pytest.mark.parametrize("centre", [[600, 258], [258, -1], [514, 258]])
def test_a_centre_off_the_grid(tmp_path: Path, centre: list[float]) -> None:
    with pytest.raises(RecipeError, match="not on the grid of 514 x 514") as caught:
        Recipe.load(write(tmp_path / "r.yaml", f"geometry: {{centre_px: {centre}}}"))
    assert "geometry" in caught.value.what


def test_the_grid_has_its_gap() -> None:
    inside = {"geometry": {"centre_px": [513.4, -0.4]}}
    assert Recipe.from_mapping(inside).geometry.centre_px == (513.4, -0.4)
    with pytest.raises(RecipeError, match="512 x 512"):
        Recipe.from_mapping({"geometry": {"centre_px": [513.4, 0], "gap_px": 0}})


def save_pixels(path: Path) -> None:
    reason = np.zeros((512, 512), np.uint8)
    reason[7, 9] = 1
    np.savez(path, reason=reason)


def save_per_pixel(path: Path) -> None:
    np.save(path, np.full((512, 512, 4), (25.0, 160.0, 150.0, 2.0)))


def save_regions(path: Path) -> None:
    masks = np.zeros((2, 514, 514), bool)
    masks[0, :200], masks[1, 300:] = True, True
    np.savez(path, signal=masks[0], idler=masks[1])


FILES: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "pixels": ("geometry", "pixels.npz", save_pixels),
    "per_pixel": ("response", "abct.npy", save_per_pixel),
    "regions": ("pairing", "masks.npz", save_regions),
}


@pytest.mark.parametrize("key", FILES)
def test_relative_paths_start_from_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    group, name, save = FILES[key]
    (tmp_path / "recipes" / "files").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    save(tmp_path / "recipes" / "files" / name)
    write(tmp_path / "recipes" / "r.yaml", f"{group}: {{{key}: files/{name}}}")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for place in (tmp_path / "recipes" / "r.yaml", Path("..") / "recipes" / "r.yaml"):
        recipe = Recipe.load(place)
        reference = getattr(getattr(recipe, group), key)
        assert Path(reference.path).is_absolute()
        assert Path(reference.path).samefile(tmp_path / "recipes" / "files" / name)
        Tables.of(recipe)
    # what was loaded can be handed on and read from anywhere
    again = Recipe.load(write(tmp_path / "elsewhere" / "copy.yaml", recipe.to_yaml()))
    assert again == recipe


@pytest.mark.parametrize("key", FILES)
def test_a_recipe_written_for_its_folder_moves_with_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    group, name, save = FILES[key]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one" / "files").mkdir(parents=True)
    save(tmp_path / "one" / "files" / name)
    named = [tmp_path / "one" / "files" / name, Path("one") / "files" / name]
    recipes = [Recipe.from_mapping({group: {key: str(path)}}) for path in named]
    texts = [recipe.to_yaml(folder=folder) for recipe in recipes for folder in ("one", "two")]
    # a file that is not in the folder is found from everywhere
    assert [yaml.safe_load(text)[group][key]["path"] for text in texts] == [
        f"files/{name}",
        str(named[0]),
        f"files/{name}",
        str(named[0]),
    ]
    write(tmp_path / "one" / "r.yaml", texts[0])
    (tmp_path / "one").rename(tmp_path / "two")
    moved = Recipe.load(tmp_path / "two" / "r.yaml")
    assert moved.hash == recipes[0].hash
    Tables.of(moved)


@pytest.mark.parametrize("key", FILES)
def test_the_hash_knows_content_and_not_place(tmp_path: Path, key: str) -> None:
    group, name, save = FILES[key]
    recipes = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / name)
        text = yaml.safe_dump({group: {key: name}})
        recipes.append(Recipe.load(write(tmp_path / folder / "r.yaml", text)))
    one, two = recipes
    assert one != two
    assert one.hash == two.hash != Recipe().hash
    with (tmp_path / "two" / name).open("ab") as stream:
        stream.write(b"changed")
    assert Recipe.load(tmp_path / "two" / "r.yaml").hash != one.hash
    with pytest.raises(RecipeError, match="was changed since"):
        Tables.of(two)


def test_a_digest_in_the_recipe_holds(tmp_path: Path) -> None:
    save_pixels(tmp_path / "pixels.npz")
    text = f"geometry: {{pixels: {{path: pixels.npz, sha256: '{64 * '0'}'}}}}"
    recipe = Recipe.load(write(tmp_path / "r.yaml", text))
    with pytest.raises(RecipeError, match="was changed since"):
        Tables.of(recipe)


@pytest.mark.parametrize("path", ["missing.npz", "''", "'a\\0b'", "{path: 5}", "[]", "."])
def test_a_reference_to_no_file(tmp_path: Path, path: str) -> None:
    with pytest.raises(RecipeError, match=r"geometry\.pixels") as caught:
        Recipe.load(write(tmp_path / "r.yaml", f"geometry: {{pixels: {path}}}"))
    assert caught.value.where == str(tmp_path / "r.yaml")


def test_hashes_of_recipes_without_files_are_those_of_their_values() -> None:
    import hashlib
    import json

    text = json.dumps(Recipe().as_dict(), sort_keys=True, separators=(",", ":"))
    assert Recipe().hash == hashlib.sha256(text.encode()).hexdigest()[:12]
