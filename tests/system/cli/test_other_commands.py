"""info, simulate, recipe, help and exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml


def test_info_of_a_real_file(twinbeam: Any, shared_data: Path) -> None:
    done = twinbeam("info", shared_data / "other/sophiread_serval32.tpx3", "--json")
    (report,) = json.loads(done.stdout)
    assert report["hits"] == 98548
    assert report["words"]["tdc"] == 28800
    assert sum(report["hits_by_chip"]) == 98548
    assert report["span_s"] == pytest.approx(120.0, abs=0.01)
    words = sum(report["words"].values())
    assert 8 * words == report["bytes"]


def test_info_counts_damage(
    twinbeam: Any, simulated: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    whole = simulated[0].read_bytes()
    damaged = tmp_path / "damaged.tpx3"
    damaged.write_bytes(whole[:80_000] + b"\x00\x01\x02" + whole[80_000:])
    (report,) = json.loads(twinbeam("info", damaged, "--json").stdout)
    assert report["bytes"] == len(whole) + 3
    assert report["damage"]["first_at_byte"] is not None
    assert 0.98 * simulated[2]["hits"] < report["hits"] <= simulated[2]["hits"] + 10


def test_simulate_is_reproducible(twinbeam: Any, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.tpx3" for name in ("a", "b", "c")]
    for path, seed in zip(files, ("7", "7", "8"), strict=True):
        done = twinbeam("simulate", "--out", path, "--seconds", "0.5", "--seed", seed)
        assert done.returncode == 0
    a, b, c = (path.read_bytes() for path in files)
    assert a == b
    assert a != c


def test_simulate_into_a_missing_folder(twinbeam: Any, tmp_path: Path) -> None:
    done = twinbeam("simulate", "--out", tmp_path / "no" / "f.tpx3", "--seconds", "0.1")
    assert done.returncode == 1
    assert "no/f.tpx3" in done.stderr
    assert "Traceback" not in done.stderr


def test_recipe_round_trip(twinbeam: Any, tmp_path: Path) -> None:
    shown = twinbeam("recipe", "show").stdout
    values = yaml.safe_load(shown)
    assert values["geometry"]["detuning_deg"] == 0.040
    path = tmp_path / "r.yaml"
    path.write_text(shown)
    checked = twinbeam("recipe", "check", path)
    assert checked.returncode == 0
    assert shown.splitlines()[0].removeprefix("# recipe ") in checked.stdout


def test_wrong_recipe_key_names_the_right_one(twinbeam: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("geometry:\n  distanc_m: 0.5\n")
    done = twinbeam("recipe", "check", path)
    assert done.returncode == 1
    assert "geometry.distanc_m" in done.stderr
    assert "'distance_m'" in done.stderr


@pytest.mark.parametrize("arguments", [["process"], ["frobnicate"], ["demo", "--seconds", "x"]])
def test_wrong_usage_is_status_2(twinbeam: Any, arguments: list[str]) -> None:
    assert twinbeam(*arguments).returncode == 2


@pytest.mark.parametrize(
    "command",
    ["demo", "iocs", "replay", "process", "info", "simulate", "bench", "recipe", "calibrate"],
)
def test_help(twinbeam: Any, command: str) -> None:
    done = twinbeam(command, "--help")
    assert done.returncode == 0
    assert command in twinbeam("--help").stdout
    assert "Usage" in done.stdout


def test_replay_without_a_catalogue(twinbeam: Any, tmp_path: Path) -> None:
    done = twinbeam("replay", "--catalog", tmp_path, "--", "-1")
    assert done.returncode == 1
    assert "no catalogue" in done.stderr


def test_iocs_passes_on_what_the_simulated_beamline_knows(twinbeam: Any) -> None:
    done = twinbeam("iocs", "--sampel", "disc")
    assert done.returncode == 2
    assert "--sampel" in done.stderr
    done = twinbeam("iocs", "--sample", "no_such_shape", "--ports", "free")
    assert done.returncode in (1, 2)
    assert "no_such_shape" in done.stderr
