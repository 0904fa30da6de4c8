"""However the work is cut, the result is that of one pass, bit for bit."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_streams import STREAMS, differences, simulated, stream, written

from twinbeam.errors import RawDataError
from twinbeam.pipeline import Pipeline, Recipe, Result, partial, process
from twinbeam.pipeline.gather import Gatherer
from twinbeam.pipeline.partial import END, START, Partial, count_range
from twinbeam.pipeline.slabs import slabs_of
from twinbeam.pipeline.tables import Tables
from twinbeam.replay import Progress, raw_run_of_files, reprocess
from twinbeam.tpx3 import Decoder

NAMES = [*STREAMS, "damaged", "plain+plain", "plain+late start", "late start+plain"]


@pytest.fixture(scope="module", autouse=True)
def short_heads() -> Iterator[None]:
    """Heads of 20 ms of these streams, ten times what hits are held back; as is 64 kB at 5 MB/s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial, "_HEAD_BYTES", 20_000)
        yield


@cache
def whole(name: str) -> Result:
    pipeline = Pipeline()
    pipeline.feed(stream(name))
    return pipeline.finish()


def made(paths: list[Path], recipe: Recipe | None = None, **options: Any) -> Result:
    (one,) = reprocess([raw_run_of_files(paths)], recipe, **options)
    return one.result


@settings(max_examples=30, deadline=None, database=None)
@given(st.sampled_from(NAMES), st.integers(20_000, 300_000), st.integers(1, 4))
def test_slabs_of_any_length(name: str, slab_bytes: int, n_files: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = written(Path(folder), stream(name), n_files)
        assert differences(made(paths, slab_bytes=slab_bytes), whole(name)) == []


@pytest.mark.parametrize("slab_bytes", [5_000, 30_001])
def test_slabs_that_are_too_short_are_made_again_together(tmp_path: Path, slab_bytes: int) -> None:
    paths = written(tmp_path, stream("plain"))
    assert differences(made(paths, slab_bytes=slab_bytes), whole("plain")) == []


def test_many_slabs_are_used_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    real = count_range

    def noted(tables: Any, slabs: Any, *rest: Any) -> Partial:
        counted.append(len(slabs))
        return real(tables, slabs, *rest)

    monkeypatch.setattr("twinbeam.replay.tasks.count_range", noted)
    raw = simulated(13, 1.0)
    paths = written(tmp_path, raw)
    found = made(paths, slab_bytes=60_000)
    assert differences(found, process(paths)) == []
    assert counted[:-1] == [1] * (len(counted) - 1)
    assert len(counted) >= len(raw) // 60_000


RECIPES: dict[str, dict[str, Any]] = {
    "left": {"pairing": {"signal_half": "left", "window_ns": 100.0}},
    "columns": {
        "response": {"column_offsets": [{"chip": 0, "first": 97, "last": 101, "ticks": 16}]}
    },
    "few cuts": {"selection": {"cuts": [{"quantity": "tot1", "low": 0.0, "high": 400.0}]}},
    "images": {
        "images": {"bin_px": 4, "symmetric": True, "slices_kev": [0.0, 7.5, 15.0]},
        "replicas": {"n_turns": 3},
    },
    "photon by photon": {"images": {"g2": True, "distance": True}},
}


@pytest.mark.parametrize("name", RECIPES)
def test_any_recipe_and_several_acquisitions(tmp_path: Path, name: str) -> None:
    recipe = Recipe.from_mapping(RECIPES[name])
    paths = written(tmp_path, stream("rollover"), 3)
    (tmp_path / "empty.tpx3").write_bytes(b"")
    paths += [tmp_path / "empty.tpx3", *written(tmp_path, stream("old"), 1, "second")]
    found = made(paths, recipe, slab_bytes=70_000)
    assert differences(found, process(paths, recipe)) == []
    assert found.acquisitions == 2


def test_a_partial_result_survives_json_and_npz(tmp_path: Path) -> None:
    (slab,) = slabs_of(written(tmp_path, stream("damaged")), 10**9)
    one = count_range(Tables.of(Recipe()), [slab], None, None)
    about, arrays = one.as_plain()
    np.savez(tmp_path / "p.npz", **arrays)
    with np.load(tmp_path / "p.npz", allow_pickle=False) as file:
        again = Partial.from_plain(json.loads(json.dumps(about)), dict(file))
    assert (one.before, one.after) == (START, END)
    gatherer = Gatherer()
    gatherer.add(again)
    assert differences(gatherer.finish(), whole("damaged")) == []


def test_partial_results_that_do_not_follow_are_refused(tmp_path: Path) -> None:
    slabs = slabs_of(written(tmp_path, stream("plain")), 100_000)
    decoder = Decoder()
    for block in slabs[0].blocks():
        decoder.skim(block)
    tables = Tables.of(Recipe())
    one = count_range(tables, slabs[:1], slabs[1], None)
    two = count_range(tables, slabs[1:], None, decoder)
    gatherer = Gatherer()
    with pytest.raises(ValueError, match="does not follow that to byte 0"):
        gatherer.add(two)
    gatherer.add(one)
    with pytest.raises(ValueError, match="goes on behind byte"):
        gatherer.finish()
    with pytest.raises(ValueError, match="does not follow"):
        gatherer.add(one)
    gatherer.add(two)
    assert differences(gatherer.finish(), whole("plain")) == []
    one_by_one = Tables.of(Recipe.from_mapping({"images": {"g2": True}}))
    with pytest.raises(ValueError, match="cannot be cut"):
        count_range(one_by_one, slabs[:1], slabs[1], None)


def test_results_come_in_the_order_of_the_runs_with_their_own_recipes(tmp_path: Path) -> None:
    names = ["plain", "old", "rollover"]
    runs = []
    for n, name in enumerate(names):
        run = raw_run_of_files(written(tmp_path, stream(name), 2, name), name)
        recipe = Recipe.from_mapping({"pairing": {"window_ns": 100.0 + n}}) if n else None
        runs.append(type(run)(run.name, run.acquisitions, recipe))
    told: list[Progress] = []
    results = list(reprocess(runs, slab_bytes=80_000, on_progress=told.append))
    assert [one.run.name for one in results] == names
    for one in results:
        paths = [path for files in one.run.acquisitions for path in files]
        assert differences(one.result, process(paths, one.run.recipe)) == []
        assert one.problems == ()
    total = sum(len(stream(name)) for name in names)
    assert [now.total_bytes for now in told] == [total] * len(told)
    done = [now.done_bytes for now in told]
    assert done == sorted(set(done))
    assert done[-1] == total
    assert told[-1].eta_s == 0.0
    assert told[0].eta_s is not None
    assert told[0].eta_s > 0.0


def test_damage_is_a_problem_and_foreign_data_an_error(tmp_path: Path) -> None:
    (one,) = reprocess([raw_run_of_files(written(tmp_path, stream("damaged")))])
    assert len(one.problems) == 1
    assert "the raw data are damaged" in one.problems[0]
    foreign = tmp_path / "foreign.tpx3"
    foreign.write_bytes(b"nothing at all" * 100)
    with pytest.raises(RawDataError, match=r"foreign\.tpx3"):
        raw_run_of_files([foreign])
    cut = tmp_path / "cut.tpx3"
    cut.write_bytes(b"TPX3")
    with pytest.raises(RawDataError, match="no whole chunk header"):
        list(reprocess([raw_run_of_files([cut])]))


@pytest.mark.parametrize("option", ["workers", "slab_bytes"])
def test_wrong_numbers_are_refused_before_anything_is_done(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be 1 or more"):
        reprocess([], **{option: 0})  # type: ignore[arg-type]


def test_nothing_to_do() -> None:
    assert list(reprocess([])) == []
    with pytest.raises(RawDataError, match="no raw files given"):
        raw_run_of_files([])
