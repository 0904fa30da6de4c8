"""Photons alone, for a notebook."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import twinbeam
from twinbeam.errors import RawDataError, RecipeError
from twinbeam.pipeline import Recipe, Result, process, read_photons


@pytest.fixture
def file(tmp_path: Path, raw: bytes) -> Path:
    path = tmp_path / "run.tpx3"
    path.write_bytes(raw)
    return path


def test_they_are_those_of_the_whole_chain(file: Path, result: Result) -> None:
    photons = read_photons(file)
    assert result.photons is not None
    assert photons.equals(result.photons)
    assert np.all(np.diff(photons.t) >= 0.0)
    assert twinbeam.read_photons is read_photons


def test_several_files_are_one_acquisition(tmp_path: Path, file: Path, raw: bytes) -> None:
    cuts = [0, 50_001, 120_000, len(raw)]
    paths = []
    for i in range(3):
        paths.append(tmp_path / f"part_{i}.tpx3")
        paths[-1].write_bytes(raw[cuts[i] : cuts[i + 1]])
    assert read_photons(paths).equals(read_photons(str(file)))


def test_the_recipe_is_used(file: Path) -> None:
    recipe = Recipe.from_mapping(
        {"response": {"a_ns_per_kev": 12.9}, "geometry": {"beam_stop_half_px": 100.0}}
    )
    found, plain = read_photons(file, recipe), read_photons(file)
    expected = process([file], recipe, keep_photons=True).photons
    assert expected is not None
    assert found.equals(expected)
    assert 0 < len(found) < len(plain)
    assert np.median(found.energy_kev) > 1.5 * np.median(plain.energy_kev)


def test_what_is_no_raw_file(tmp_path: Path, file: Path) -> None:
    empty = tmp_path / "empty.tpx3"
    empty.touch()
    assert len(read_photons(empty)) == 0
    with pytest.raises(RawDataError, match="no raw files given"):
        read_photons([])
    with pytest.raises(RawDataError, match=r"missing\.tpx3"):
        read_photons([file, tmp_path / "missing.tpx3"])
    broken = tmp_path / "broken.tpx3"
    broken.write_bytes(b"TPX3\x00")
    with pytest.raises(RawDataError, match="no Timepix3 chunk"):
        read_photons(broken)
    reference = {"path": str(tmp_path / "gone.npz"), "sha256": "0" * 64}
    with pytest.raises(RecipeError, match=r"gone\.npz"):
        read_photons(file, Recipe.from_mapping({"geometry": {"pixels": reference}}))
