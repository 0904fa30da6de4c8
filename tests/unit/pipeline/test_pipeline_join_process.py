"""`process` gives the same result with any number of threads and any cutting into files."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from piecewise import HEAD_BYTES, differences, simulated

from twinbeam.pipeline import Piece, Pipeline, Recipe, Result, process
from twinbeam.tpx3 import SENSOR_PIXELS

SLAB_BYTES = 45_000
_module = importlib.import_module("twinbeam.pipeline.process")  # the name is the function's, too


@pytest.fixture(autouse=True)
def joins(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Slabs and heads small enough for small files; whether each joined piece was used."""
    used: list[bool] = []
    join = Pipeline.join

    def noted(self: Pipeline, *arguments: Any) -> bool:
        used.append(join(self, *arguments))
        return used[-1]

    monkeypatch.setattr(_module, "_SLAB_BYTES", SLAB_BYTES)
    monkeypatch.setitem(Piece.__init__.__kwdefaults__, "head_bytes", HEAD_BYTES)
    monkeypatch.setattr(Pipeline, "join", noted)
    return used


@pytest.fixture(scope="session")
def acquisitions() -> tuple[bytes, bytes]:
    """Two acquisitions, the first with a rollover of the clock."""
    return simulated(11, 0.4, clock_start_s=26.6), simulated(12, 0.2)


@pytest.fixture
def files(tmp_path: Path, acquisitions: tuple[bytes, bytes]) -> list[Path]:
    """The first acquisition in files cut inside words, one of them empty; the second in one."""
    one, two = acquisitions
    cuts = [0, 30_003, 40_011, 131_074, 131_074, 200_001, len(one)]
    parts = {f"run_{i:06d}.tpx3": one[a:b] for i, (a, b) in enumerate(pairwise(cuts))}
    parts["second_000000.tpx3"] = two
    for name, part in parts.items():
        (tmp_path / name).write_bytes(part)
    return [tmp_path / name for name in parts]


def reference(acquisitions: Sequence[bytes], recipe: Recipe | None = None) -> Result:
    pipeline = Pipeline(recipe, keep_photons=True)
    for raw in acquisitions:
        pipeline.feed(raw)
        pipeline.next_acquisition()
    return pipeline.finish()


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_threads_and_files_are_no_difference(
    files: list[Path], acquisitions: tuple[bytes, bytes], joins: list[bool], workers: int
) -> None:
    expected = reference(acquisitions)
    seen: list[int] = []
    for keep_photons in (True, False):
        found = process(files, workers=workers, keep_photons=keep_photons, on_progress=seen.append)
        assert differences(found, expected) == []
    assert sum(seen) == 2 * sum(len(raw) for raw in acquisitions)
    n_slabs = sum(-(-len(raw) // SLAB_BYTES) for raw in acquisitions)
    assert joins == ([] if workers < 4 else 2 * n_slabs * [True])


def test_many_slabs_use_the_same_pieces_again(tmp_path: Path, joins: list[bool]) -> None:
    raw = simulated(13, 1.0)
    path = tmp_path / "long.tpx3"
    path.write_bytes(raw)
    one, two = process([path], keep_photons=True), process([path], keep_photons=True, workers=4)
    assert differences(two, one) == []
    assert len(joins) > 15
    assert all(joins)


@pytest.mark.parametrize("keep_photons", [True, False])
def test_a_damaged_file(tmp_path: Path, keep_photons: bool) -> None:
    rng = np.random.default_rng(3)
    data = bytearray(simulated(14, 0.5, clock_start_s=100.0))
    for at in rng.integers(0, len(data) - 200, 40).tolist():
        if at % 2:
            data[at : at + 1] = rng.bytes(1)
        else:
            del data[at : at + int(rng.integers(1, 100))]
    path = tmp_path / "damaged.tpx3"
    path.write_bytes(data)
    one = process([path], keep_photons=keep_photons)
    assert one.census.damage
    for workers in (2, 3):
        found = process([path], keep_photons=keep_photons, workers=workers)
        assert differences(found, one) == []


def per_pixel_file(folder: Path) -> str:
    rng = np.random.default_rng(4)
    table = np.tile([25.0, 160.0, 140.0, 1.5], (SENSOR_PIXELS, SENSOR_PIXELS, 1))
    table[..., 0] *= rng.uniform(0.8, 1.2, table.shape[:2])
    table[5:9, 5:9] = np.nan
    np.save(folder / "abct.npy", table)
    return str(folder / "abct.npy")


def pixels_file(folder: Path) -> str:
    rng = np.random.default_rng(5)
    reason = rng.choice([0, 1, 2, 3], (SENSOR_PIXELS, SENSOR_PIXELS), p=[0.9, 0.04, 0.03, 0.03])
    ceiling = rng.integers(300, 900, reason.shape)
    np.savez(
        folder / "pixels.npz", reason=reason.astype(np.uint8), tot_ceiling_ns=ceiling.astype("u2")
    )
    return str(folder / "pixels.npz")


def regions_file(folder: Path) -> str:
    side = SENSOR_PIXELS + 2
    signal = np.zeros((side, side), bool)
    signal[300:, 100:400] = True
    idler = np.zeros_like(signal)
    idler[:200] = True
    np.savez(folder / "regions.npz", signal=signal, idler=idler)
    return str(folder / "regions.npz")


def recipe_of(name: str, folder: Path) -> Recipe:
    late = [{"chip": chip, "first": 97, "last": 101, "ticks": 16} for chip in (0, 2)]
    all_images = {
        "bin_px": 4,
        "symmetric": True,
        "slices_kev": [0.0, 7.5, 15.0],
    }
    values: dict[str, Any] = {
        "quadrants": lambda: {"pairing": {"signal_half": "top_left"}},
        "left": lambda: {"pairing": {"signal_half": "left", "window_ns": 100.0}},
        "regions": lambda: {"pairing": {"regions": regions_file(folder)}},
        "pixels": lambda: {"geometry": {"pixels": pixels_file(folder), "beam_stop_half_px": 60}},
        "per pixel": lambda: {"response": {"per_pixel": per_pixel_file(folder)}},
        "pole walk": lambda: {
            "response": {"per_pixel": per_pixel_file(folder), "walk": "pole"},
            "clustering": {"spread_edges": True},
        },
        "columns": lambda: {"response": {"column_offsets": late}},
        "clustering": lambda: {
            "clustering": {"window_ns": 60.0, "longest_us": 0.1, "reorder_ms": 1.1}
        },
        "few cuts": lambda: {
            "selection": {"cuts": [{"quantity": "tot1", "low": 0.0, "high": 400.0}]}
        },
        "images": lambda: {"images": all_images, "replicas": {"n_turns": 3}},
        "photon by photon": lambda: {"images": {"g2": True, "distance": True}},
    }[name]()
    return Recipe.from_mapping(values)


@pytest.mark.parametrize(
    "name",
    [
        "quadrants",
        "left",
        "regions",
        "pixels",
        "per pixel",
        "pole walk",
        "columns",
        "clustering",
        "few cuts",
        "images",
        "photon by photon",
    ],
)
def test_any_recipe(
    name: str,
    tmp_path: Path,
    files: list[Path],
    acquisitions: tuple[bytes, bytes],
    joins: list[bool],
) -> None:
    recipe = recipe_of(name, tmp_path)
    found = process(files, recipe, workers=4, keep_photons=True)
    assert differences(found, reference(acquisitions, recipe)) == []
    assert found.digest() != reference(acquisitions).digest()
    assert all(joins)
    # what compares photons cannot be joined
    assert bool(joins) == (name != "photon by photon")
    beside = process(files, recipe, workers=2, keep_photons=True)
    assert differences(beside, found) == []


def test_no_worker_at_all(files: list[Path]) -> None:
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        process(files, workers=0)
