"""`twinbeam export`."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet
import pytest
import zarr
from event_model import compose_run
from in_process import Done, InProcess
from nexus_rules import breaches, plots

from twinbeam import __version__
from twinbeam.pipeline import Recipe, Result, process, write_nexus
from twinbeam.store import RunWriter, open_catalog, register_raw, store_result

Stored = tuple[Path, str, Path, list[Result]]


@pytest.fixture(scope="module")
def stored(simulated: Any, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A catalogue with one run and its results of two recipes."""
    folder, raw = tmp_path_factory.mktemp("export") / "catalog", simulated[0]
    recipes = [Recipe(), Recipe.from_mapping({"images": {"bin_px": 4, "slices_kev": [5, 7.5, 10]}})]
    results = [process([raw], recipe) for recipe in recipes]
    with open_catalog(folder, readable=[raw.parent]) as catalog, RunWriter(catalog) as writer:
        run = compose_run(metadata={"plan_name": "collect_pairs", "sample": "leaf", "scan_id": 4})
        writer("start", run.start_doc)
        writer("stop", run.compose_stop())
        uid = str(run.start_doc["uid"])
        for result in results:
            store_result(catalog, uid, result, ["a problem"])
        register_raw(catalog, uid, [raw])
    return folder, uid, raw, results


@pytest.fixture
def export(here: InProcess, stored: Stored) -> Callable[..., Done]:
    """Run `twinbeam export` on that catalogue."""
    folder, uid, *_ = stored
    return lambda *arguments: here("export", uid[:8], "--catalog", folder, *arguments)


def check_provenance(about: dict[str, Any], stored: Stored, result: Result) -> None:
    _, uid, raw, _ = stored
    assert about["run"] == uid
    assert about["recipe"] == result.recipe.as_dict()
    assert about["recipe_hash"] == result.recipe.hash
    assert about["digest"] == result.digest()
    assert about["versions"] == {"result": __version__, "export": __version__}
    assert about["problems"] == ["a problem"]
    assert (about["start"]["sample"], about["stop"]["exit_status"]) == ("leaf", "success")
    content = raw.read_bytes()
    assert about["raw_files"] == [
        {
            "path": str(raw),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    ]


def everything(group: h5py.Group) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def visit(name: str, node: Any) -> None:
        found[name] = (dict(node.attrs), node[()] if isinstance(node, h5py.Dataset) else None)

    group.visititems(visit)
    return found


def same(one: Any, two: Any) -> bool:
    return np.array_equal(
        np.asarray(one), np.asarray(two), equal_nan=np.asarray(one).dtype.kind == "f"
    )


def test_nexus_is_the_file_of_the_pipeline_and_the_run_besides(
    export: Callable[..., Done], stored: Stored, tmp_path: Path
) -> None:
    result = stored[3][1]
    out, direct = tmp_path / f"{result.recipe.hash}.nxs", tmp_path / "direct.h5"
    done = export("--out", out, "--recipe-hash", result.recipe.hash[:6])
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    write_nexus(result, direct)
    with h5py.File(out) as file, h5py.File(direct) as true:
        entry = file[file.attrs["default"]]
        assert entry.attrs["NX_class"] == "NXentry"
        assert breaches(file) == []
        assert {"dt", "detuning", "images", "energy"} <= set(plots(entry))
        mine, theirs = everything(entry), everything(true["entry"])
        assert set(theirs) - set(mine) == set()
        own = set(mine) - set(theirs)
        assert {name.partition("/")[0] for name in own} == {
            "provenance",
            "entry_identifier",
            "title",
            "start_time",
            "end_time",
        }
        for name in set(theirs) - {"sources"}:
            assert set(mine[name][0]) == set(theirs[name][0]), name
            if theirs[name][1] is not None:
                assert same(mine[name][1], theirs[name][1]), name
        about = {name: json.loads(text.asstr()[()]) for name, text in entry["provenance"].items()}
        check_provenance(about, stored, result)
        assert entry["entry_identifier"].asstr()[()] == stored[1]
        assert entry["title"].asstr()[()] == "collect_pairs"
        (digest,) = json.loads(entry["sources"].asstr()[()]).values()
        assert len(digest) == 64


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda entry: entry.attrs.__delitem__("default"), "default is None"),
        (lambda entry: entry["dt"].attrs.__setitem__("signal", "no"), "signal is 'no'"),
        (lambda entry: entry["dt"].attrs.__setitem__("axes", ["edges_ns"] * 2), "2 axes for 1"),
        (lambda entry: entry["dt"].attrs.__setitem__("axes", "no"), "axis no is no field"),
        (lambda entry: entry["dt/edges_ns"].attrs.__delitem__("units"), "has no units"),
        (lambda entry: entry["images"].attrs.__setitem__("axes", ["x_px", "n"]), "axis n"),
        (lambda entry: entry["pairs"].attrs.__delitem__("NX_class"), "NX_class is None"),
        (lambda entry: entry["start_time"].__setitem__((), "today"), "no time with its zone"),
    ],
)
def test_the_walk_over_nexus_finds_what_breaks_its_rules(
    export: Callable[..., Done],
    stored: Stored,
    tmp_path: Path,
    harm: Callable[[h5py.Group], None],
    told: str,
) -> None:
    out = tmp_path / "harmed.nxs"
    assert export("--out", out, "--recipe-hash", stored[3][1].recipe.hash).returncode == 0
    with h5py.File(out, "r+") as file:
        harm(file["entry"])
        assert any(told in breach for breach in breaches(file)), breaches(file)


def test_csv_has_the_provenance_in_comments_and_every_digit(
    export: Callable[..., Done], stored: Stored, tmp_path: Path
) -> None:
    result = stored[3][0]
    out = tmp_path / "pairs.csv"
    done = export("--out", out, "--format", "csv", "--recipe-hash", result.recipe.hash)
    assert done.returncode == 0, done.stderr
    lines = out.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert lines[: len(comments)] == comments
    split = (line.removeprefix("# ").split(": ", 1) for line in comments[1:])
    check_provenance({key: json.loads(text) for key, text in split}, stored, result)
    header, *rows = csv.reader(lines[len(comments) :])
    assert header == list(result.pairs.columns())
    assert len(rows) == len(result.pairs) > 100
    for column, (name, values) in zip(
        zip(*rows, strict=True), result.pairs.columns().items(), strict=True
    ):
        assert np.array(column, dtype=values.dtype).tobytes() == values.tobytes(), name


def test_a_histogram_goes_into_csv_with_its_edges(
    export: Callable[..., Done], stored: Stored, tmp_path: Path
) -> None:
    result, out = stored[3][0], tmp_path / "dt.csv"
    chosen = ("--format", "csv", "--recipe-hash", result.recipe.hash)
    assert export("--out", out, *chosen, "--what", "dt_accidental").returncode == 0
    rows = [line for line in out.read_text().splitlines() if not line.startswith("#")]
    header, *table = csv.reader(rows)
    assert header == ["from_ns", "to_ns", "dt_accidental"]
    begin, end, counts = np.array(table, dtype=float).T
    assert np.array_equal(counts, result.arrays["dt_accidental"])
    assert np.array_equal(begin, result.axes.dt_ns[:-1])
    assert np.array_equal(end, result.axes.dt_ns[1:])
    done = export("--out", tmp_path / "image.csv", *chosen, "--what", "singles")
    assert done.returncode == 1
    assert "of 2 dimensions" in done.stderr
    assert "nexus or zarr" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dt.csv"]


def test_parquet_and_zarr_keep_the_types_and_the_provenance(
    export: Callable[..., Done], stored: Stored, tmp_path: Path
) -> None:
    result = stored[3][1]
    for kind in ("parquet", "zarr"):
        done = export(
            "--out",
            tmp_path / kind,
            "--format",
            kind,
            "--recipe-hash",
            result.recipe.hash,
            "--json",
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["digest"] == result.digest()
    table = pyarrow.parquet.read_table(tmp_path / "parquet")
    check_provenance(json.loads(table.schema.metadata[b"twinbeam"]), stored, result)
    root = zarr.open_group(tmp_path / "zarr", mode="r")
    check_provenance(dict(root.attrs), stored, result)
    for name, values in result.pairs.columns().items():
        assert table[name].to_numpy().tobytes() == values.tobytes()
        assert np.asarray(root[f"pairs/{name}"]).tobytes() == values.tobytes()
    for name, values in {**result.arrays, **result.axes.named()}.items():
        kept = np.asarray(root[name])
        assert (kept.dtype, kept.shape) == (values.dtype, values.shape)
        assert kept.tobytes() == values.tobytes()


def test_several_results_no_result_and_a_name_that_is_taken(
    export: Callable[..., Done], here: InProcess, stored: Stored, tmp_path: Path
) -> None:
    folder, *_, results = stored
    done = export("--out", tmp_path / "taken.csv", "--format", "csv", "--json")
    assert json.loads(done.stdout)["recipe_hash"] == Recipe().hash  # which the run was taken with
    done = export("--out", tmp_path / "x.h5", "--recipe-hash", "")
    assert done.returncode == 1
    assert all(result.recipe.hash in done.stderr for result in results)
    done = export("--out", tmp_path / "x.h5", "--recipe-hash", "0000")
    assert "no result of recipe '0000' is stored" in done.stderr
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    chosen = ("--out", taken, "--format", "csv", "--recipe-hash", results[0].recipe.hash)
    done = export(*chosen)
    assert (done.returncode, taken.read_text()) == (1, "mine")
    assert "--force" in done.stderr
    assert export(*chosen, "--force").returncode == 0
    assert taken.read_text().startswith("# twinbeam: pairs of run")
    done = here("export", "nosuchrun", "--catalog", folder, "--out", tmp_path / "y")
    assert done.returncode == 1
    assert "no run 'nosuchrun'" in done.stderr
    done = here("export", "--catalog", tmp_path / "none", "--out", tmp_path / "y")
    assert "no catalogue in this folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["taken.csv"]


def test_raw_files_that_are_gone_are_said_in_the_file(
    export: Callable[..., Done], stored: Stored, tmp_path: Path
) -> None:
    raw, away = stored[2], stored[2].with_suffix(".away")
    raw.rename(away)
    try:
        out = tmp_path / "pairs.parquet"
        hash_ = stored[3][0].recipe.hash
        done = export("--out", out, "--format", "parquet", "--recipe-hash", hash_)
    finally:
        away.rename(raw)
    assert done.returncode == 0
    assert "cannot be read" in done.stderr
    about = json.loads(pyarrow.parquet.read_schema(out).metadata[b"twinbeam"])
    (source,) = about["raw_files"]
    assert source["sha256"] is None
    assert source["bytes"] == raw.stat().st_size
    assert source["problem"].startswith("cannot be read")
