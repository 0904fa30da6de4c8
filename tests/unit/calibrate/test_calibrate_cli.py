"""`twinbeam calibrate` as users type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twinbeam.cli.app import run
from twinbeam.cli.calibrate_output import Job
from twinbeam.errors import RecipeError
from twinbeam.pipeline import Recipe
from twinbeam.pipeline.tables import Tables
from twinbeam.simulate import SimulationParameters, simulate

TRUE_CENTRE = (260.3, 256.1)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def cut_within_a_chunk(path: Path, folder: Path) -> list[str]:
    """The same bytes as two files of one acquisition."""
    data = path.read_bytes()
    pieces = [folder / "piece_000000.tpx3", folder / "piece_000001.tpx3"]
    at = len(data) // 2 + 3
    pieces[0].write_bytes(data[:at])
    pieces[1].write_bytes(data[at:])
    return [str(piece) for piece in pieces]


@pytest.mark.parametrize("name", ["energy", "timewalk", "columns", "geometry"])
def test_each_calibration_writes_a_recipe_and_a_figure(
    name: str, run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, figure = tmp_path / "out.yaml", tmp_path / "out.png"
    command = ["calibrate", name, str(run_file), "--out", str(out), "--figure", str(figure)]
    assert run([*command, "--json"]) == 0
    values = said(capsys)
    assert values["calibration"] == name
    assert values["recipe_hash"] == Recipe.load(out).hash
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert run(command) == 0
    assert "written to" in capsys.readouterr().out


def test_geometry_goes_from_one_recipe_to_the_next(
    run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    first.write_text("geometry: {distance_m: 0.50}\nclustering: {window_ns: 180}\n")
    command = ["calibrate", "geometry", str(run_file), "--recipe", str(first), "--out", str(second)]
    assert run([*command, "--known-detuning-deg", "0.04", "--json"]) == 0
    values, recipe = said(capsys), Recipe.load(second)
    assert recipe.geometry.centre_px == pytest.approx(TRUE_CENTRE, abs=0.2)
    assert recipe.geometry.distance_m == pytest.approx(
        0.494, abs=4.0 * values["distance_m"]["error"]
    )
    assert recipe.clustering.window_ns == 180.0


def test_exposures_of_known_energies_give_a_table_of_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, out = [], tmp_path / "out.yaml"
    for energy in (8.0, 15.0):
        path = tmp_path / f"{energy:g}.tpx3"
        parameters = SimulationParameters(
            pump_kev=energy,
            pair_rate_hz=0.0,
            background_rate_hz=2e5,
            scattered_fraction=0.0,
            sample="none",
            gain_spread=0.1,
        )
        simulate(path, seconds=1.0, parameters=parameters, seed=round(energy))
        raw.append(str(path))
    options = ["--kev", "15", "--per-pixel", "--out", str(out), "--json"]
    assert run(["calibrate", "energy", *raw, "--kev", "8", *options]) == 0
    values = said(capsys)
    # two sensors: only the hits of one exposure share a pixel's deviation of 0.1
    assert values["pixel_spread"]["value"] == pytest.approx(0.07, abs=0.02)
    pieces = cut_within_a_chunk(Path(raw[0]), tmp_path)
    command = ["calibrate", "energy", *pieces, raw[1], "--kev", "8", "--kev", "8", *options]
    assert run(command) == 0
    assert said(capsys) == values
    reference = Recipe.load(out).response.per_pixel
    assert reference is not None
    assert Path(reference.path) == tmp_path / "out.energy.npy"
    command = ["calibrate", "pixels", raw[0], "--recipe", str(out), "--out", str(out), "--json"]
    assert run(command) == 0
    assert said(capsys)["hot"] == 0
    (tmp_path / "moved").mkdir()
    for written in ("out.yaml", "out.energy.npy", "out.pixels.npz"):
        (tmp_path / written).rename(tmp_path / "moved" / written)
    moved = Recipe.load(tmp_path / "moved" / "out.yaml")
    assert (moved.response.per_pixel is not None, moved.geometry.pixels is not None) == (True, True)
    Tables.of(moved)
    assert run(["calibrate", "energy", *raw, "--kev", "8", "--out", str(out)]) == 1
    assert "1 energies for 2 raw files" in capsys.readouterr().err
    assert run(["calibrate", "energy", raw[0], "--per-pixel"]) == 1


def test_a_refusal_says_what_was_found_and_leaves_no_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, out = tmp_path / "short.tpx3", tmp_path / "out.yaml"
    simulate(raw, seconds=0.05, parameters=SimulationParameters(), seed=1)
    assert run(["calibrate", "columns", str(raw), "--out", str(out), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["recipe_hash"] is None
    assert "the recipe was not changed" in captured.err
    assert not out.exists()


def test_a_refusal_leaves_the_table_of_another_calibration(tmp_path: Path) -> None:
    out, table = tmp_path / "out.yaml", tmp_path / "out.energy.npy"
    table.write_bytes(b"the table a recipe names")

    def apply(file: Path) -> Recipe:
        file.with_suffix(".energy.npy").write_bytes(b"a worse one")
        raise RecipeError("the pixels are all alike", where="response")

    job = Job("energy", [], Recipe(), out, None, as_json=True)
    with pytest.raises(RecipeError, match="all alike"):
        job.finish(None, {}, apply)
    assert table.read_bytes() == b"the table a recipe names"
    assert not out.exists()


def test_a_raw_file_is_not_replaced_and_a_missing_folder_is_named(
    run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["calibrate", "columns", str(run_file), "--out", str(run_file)]) == 1
    assert "would replace a raw file" in capsys.readouterr().err
    nowhere = tmp_path / "nowhere" / "out.yaml"
    assert run(["calibrate", "columns", str(run_file), "--out", str(nowhere)]) == 1
    assert "folder" in capsys.readouterr().err
    empty = tmp_path / "empty.tpx3"
    empty.touch()
    assert run(["calibrate", "pixels", str(empty)]) == 1
    assert "holds no data" in capsys.readouterr().err
    assert run(["calibrate", "nothing"]) == 2
