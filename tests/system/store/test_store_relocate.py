"""Raw files that were moved."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from twinbeam.errors import StorageError
from twinbeam.pipeline import Recipe
from twinbeam.store import (
    Catalog,
    Relocations,
    open_catalog,
    raw_files,
    register_photons,
    register_raw,
    registered_files,
    relocate,
    serve_catalog,
)
from twinbeam.tpx3 import Hits, encode_hits, read_hits


def write_file(path: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.sort(rng.integers(0, 10**7, 500))
    x, y = rng.integers(0, 512, (2, 500))
    path.write_bytes(encode_hits(Hits(t, x, y, 25 * rng.integers(1, 900, 500), np.zeros(500))))
    return path


@pytest.fixture
def stored(tmp_path: Path) -> Catalog:
    """Three runs: two with files in `old`, one elsewhere; one file of the second is elsewhere."""
    old, elsewhere = tmp_path / "old", tmp_path / "elsewhere"
    files = {
        "one": [write_file(old / "a" / f"one_{n:06d}.tpx3", n) for n in range(2)],
        "two": [write_file(old / "two_000000.tpx3", 3), write_file(elsewhere / "two.tpx3", 4)],
        "three": [write_file(elsewhere / "three.tpx3", 5)],
    }
    catalog = open_catalog(tmp_path / "catalogue", readable=[tmp_path])
    for run, paths in files.items():
        register_raw(catalog, run, paths, {"detector": "tpx3"})
    register_photons(catalog, "one", Recipe())
    return catalog


def places(catalog: Catalog, run: str) -> list[Path]:
    registered = registered_files(catalog, run)
    assert registered is not None
    return list(registered.paths)


def test_runs_find_their_files_where_they_were_moved(stored: Catalog, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new place"
    with stored as catalog:
        before = {run: places(catalog, run) for run in catalog.client["hits"]}
        hits = {run: read_hits(*paths) for run, paths in before.items()}
        photons = len(catalog.client["photons", "one", Recipe().hash].read())
        about = dict(catalog.client["hits", "one"].metadata)
        shutil.move(old, new)
        with pytest.raises(StorageError, match="not there any more"):
            catalog.client["hits", "one"].read()
        for dry_run in (True, False):
            moved = relocate(catalog, old, new, dry_run=dry_run)
            assert [(run.run, len(run.files), run.problem) for run in moved] == [
                ("one", 2, None),
                ("two", 1, None),
            ]
            assert moved[0].files[1] == (
                old / "a" / "one_000001.tpx3",
                new / "a" / "one_000001.tpx3",
            )
            if dry_run:
                assert {run: places(catalog, run) for run in before} == before
                assert Relocations.of(catalog).moves == ()
        assert places(catalog, "two") == [new / "two_000000.tpx3", before["two"][1]]
        assert places(catalog, "three") == before["three"]
        for run, true in hits.items():
            frame = catalog.client["hits", run].read()
            assert frame["t"].to_numpy().tobytes() == true.t.tobytes()
        assert len(catalog.client["photons", "one", Recipe().hash].read()) == photons
        assert dict(catalog.client["hits", "one"].metadata) == about
        assert Relocations.of(catalog).moves == ((old, new),)
        assert relocate(catalog, old, new) == []  # nothing is there any more


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize(
    ("harm", "message"), [(Path.unlink, "is not there"), (shorten, "is truncated")]
)
def test_a_run_is_changed_as_a_whole_or_not_at_all(
    stored: Catalog, tmp_path: Path, harm: Callable[[Path], None], message: str
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with stored as catalog:
        before = places(catalog, "one")
        shutil.copytree(old, new)
        harm(new / "a" / "one_000001.tpx3")
        one, two = relocate(catalog, old, new)
        assert one.problem is not None
        assert one.problem.startswith(f"{new / 'a' / 'one_000001.tpx3'} {message}")
        assert places(catalog, "one") == before
        assert (two.run, two.problem) == ("two", None)
        assert places(catalog, "two")[0] == new / "two_000000.tpx3"


def test_folders_that_make_no_sense_are_refused(stored: Catalog, tmp_path: Path) -> None:
    with stored as catalog:
        with pytest.raises(StorageError, match=r"there is no such folder .*move the files first"):
            relocate(catalog, tmp_path / "old", tmp_path / "nowhere")
        with pytest.raises(StorageError, match="are the same"):
            relocate(catalog, tmp_path / "old", tmp_path / "old")
    with open_catalog(tmp_path / "narrow", readable=[tmp_path / "old"]) as catalog:
        register_raw(catalog, "one", [tmp_path / "old" / "two_000000.tpx3"])
        shutil.copytree(tmp_path / "old", tmp_path / "outside")
        (run,) = relocate(catalog, tmp_path / "old", tmp_path / "outside")
        assert run.problem is not None
        assert "is outside the folders" in run.problem


def test_a_client_of_a_server_relocates_too(stored: Catalog, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.move(old, new)
    with (
        stored as catalog,
        serve_catalog(catalog) as server,
        open_catalog(server.uri, api_key=server.api_key, documents=tmp_path / "lines") as far,
    ):
        assert [run.problem for run in relocate(far, old, new)] == [None, None]
        assert places(catalog, "one")[0] == new / "a" / "one_000000.tpx3"
        assert Relocations.of(far).moves == Relocations.of(catalog).moves == ((old, new),)


def test_events_are_resolved_through_all_moves(tmp_path: Path) -> None:
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    moves = Relocations(((a, b), (b / "deep", c)))
    file = Path("deep") / "f_000000.tpx3"
    assert moves.resolve(a / file) == a / file  # it is nowhere: the error names its first place
    write_file(b / file, 1)
    assert moves.resolve(a / file) == b / file
    write_file(c / file.name, 1)
    assert moves.resolve(a / file) == c / file.name
    assert moves.resolve(b / file) == c / file.name
    assert moves.resolve(tmp_path / "ab" / file) == tmp_path / "ab" / file  # no part of a name
    assert moves.moved(b / "deep", c) is moves
    data = {
        "tpx_raw_uri": f"file://localhost{a}/deep/",
        "tpx_raw_template": "f_{:06d}.tpx3",
        "tpx_raw_first": 0,
        "tpx_raw_count": 2,
        "tpx_raw_bytes": 1,
    }
    found = raw_files(data, "tpx", moves)
    assert found.paths == (c / "f_000000.tpx3", a / "deep" / "f_000001.tpx3")
    assert found.acquisition == raw_files(data, "tpx").acquisition
    assert raw_files(data, "tpx").paths[0] == a / file
