"""Raw files become clusters and counts, acquisition by acquisition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twinbeam.calibrate import (
    MedianError,
    cluster_hits,
    join_clusters,
    known_pixels,
    read_clusters,
    read_counts,
    robust_sigma,
)
from twinbeam.errors import RawDataError
from twinbeam.physics import Geometry
from twinbeam.pipeline import Recipe
from twinbeam.simulate import SimulationParameters, simulate
from twinbeam.tpx3 import SENSOR_PIXELS, Hits, chip_of, read_hits


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    paths = [folder / "a_000000.tpx3", folder / "b_000000.tpx3"]
    for seed, path in enumerate(paths):
        simulate(path, seconds=0.2, parameters=SimulationParameters(), seed=seed)
    return paths


def some(n: int, seed: int = 0) -> Hits:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 512, (2, n))
    return Hits(rng.integers(0, 10**9, n), x, y, 25 * rng.integers(0, 20, n), chip_of(x, y))


def test_hits_of_one_acquisition_never_join_those_of_another(two_runs: list[Path]) -> None:
    together = read_clusters(two_runs, Recipe())
    apart = [cluster_hits(read_hits(path)) for path in two_runs]
    assert len(together) == sum(len(part) for part in apart)
    assert together.label.tolist() == join_clusters(apart).label.tolist()
    first = len(apart[0])
    assert together.label[:first].max() < first <= together.label[first:].min()
    assert np.array_equal(together.size == 1, np.concatenate([p.size == 1 for p in apart]))
    assert join_clusters([]).singles.t.size == 0


def test_counts_are_those_of_all_hits(two_runs: list[Path]) -> None:
    seen: list[int] = []
    counts, seconds = read_counts(two_runs, seen.append)
    hits = [read_hits(path) for path in two_runs]
    assert counts.sum() == sum(len(h) for h in hits)
    assert counts[hits[0].y[0], hits[0].x[0]] >= 1
    assert seconds == pytest.approx(sum(h.span_s for h in hits))
    assert sum(seen) == sum(path.stat().st_size for path in two_runs)


def test_every_hit_is_used_or_rejected_for_a_reason() -> None:
    hits = Hits.concatenate([some(2000), some(2000)[:7]])
    masked = np.zeros((SENSOR_PIXELS, SENSOR_PIXELS), bool)
    masked[:100] = True
    clustered = cluster_hits(hits, masked=masked)
    assert clustered.rejected["repeated"] == 7
    assert clustered.rejected["zero_tot"] == np.count_nonzero(some(2000).tot_ns == 0)
    assert len(clustered) + sum(clustered.rejected.values()) == len(hits)
    assert clustered.hits.y.min() >= 100
    assert np.all(np.diff(clustered.hits.t) >= 0)


def test_pixels_the_recipe_leaves_out_are_left_out(two_runs: list[Path]) -> None:
    recipe = Recipe(geometry=Geometry(beam_stop_half_px=100.0))
    beneath = known_pixels(recipe.geometry) > 0
    assert beneath.sum() == pytest.approx(200**2, rel=0.05)
    clustered = read_clusters(two_runs, recipe)
    assert not beneath[clustered.hits.y, clustered.hits.x].any()
    assert clustered.rejected["masked"] > 0
    assert not known_pixels(Geometry()).any()


def test_the_stream_goes_on_in_a_file_within_a_chunk(two_runs: list[Path], tmp_path: Path) -> None:
    data = two_runs[0].read_bytes()
    at = data.index(b"TPX3", len(data) // 2) + 21
    cuts = [0, at, data.index(b"TPX3", at), len(data)]
    pieces = [tmp_path / f"run_{i:06d}.tpx3" for i in range(3)]
    for i, path in enumerate(pieces):
        path.write_bytes(data[cuts[i] : cuts[i + 1]])
    assert pieces[1].stat().st_size > 24
    counts, seconds = read_counts(pieces)
    whole, whole_s = read_counts(two_runs[:1])
    assert np.array_equal(counts, whole)
    assert seconds == whole_s
    found, expected = (read_clusters(paths, Recipe()) for paths in (pieces, two_runs[:1]))
    assert found.hits.equals(expected.hits)


def test_a_missing_file_and_one_given_twice_are_named(two_runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(RawDataError, match="no such file"):
        read_counts([tmp_path / "none.tpx3"])
    with pytest.raises(RawDataError, match="given twice"):
        read_counts([*two_runs, two_runs[0]])


def test_the_error_of_a_median_is_that_of_repeated_medians() -> None:
    rng = np.random.default_rng(0)
    error = MedianError(np.round(5.0 * rng.standard_normal(3000)))
    for n in (1, 2, 7, 40, 160):
        medians = np.median(np.round(5.0 * rng.standard_normal((4000, n))), axis=1)
        assert float(error(n)) == pytest.approx(medians.std(), rel=0.15)
    assert np.isnan(error(0))
    assert np.isnan(robust_sigma([1.0]))
