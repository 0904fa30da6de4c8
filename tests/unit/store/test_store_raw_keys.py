from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from twinbeam.errors import RawDataError
from twinbeam.store import raw_detectors, raw_files


def keys_of(folder: Path, first: int, count: int) -> dict[str, Any]:
    """What an event says of the files `run_<six digits>.tpx3` of a folder."""
    sizes = [(folder / f"run_{i:06d}.tpx3").stat().st_size for i in range(first, first + count)]
    return {
        "tpx_raw_uri": f"file://localhost{quote(str(folder))}/",
        "tpx_raw_template": "run_{:06d}.tpx3",
        "tpx_raw_first": first,
        "tpx_raw_count": count,
        "tpx_raw_bytes": sum(sizes),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of different sizes in a folder whose name needs quoting."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    for index in range(4):
        (folder / f"run_{index:06d}.tpx3").write_bytes(b"12345678" * index)
    return folder


def test_detectors_are_recognised_by_their_keys() -> None:
    names = ["b_raw_uri", "b_raw_first", "motor", "a_raw_uri", "raw_uri_x"]
    keys: dict[str, object] = dict.fromkeys(names)
    assert raw_detectors({"data_keys": keys}) == ("a", "b")


def test_files_are_named_in_order_with_quoted_folders(folder: Path) -> None:
    assert "%20" in keys_of(folder, 0, 1)["tpx_raw_uri"]
    found = raw_files(keys_of(folder, 1, 3), "tpx")
    assert found.paths == tuple(folder / f"run_{i:06d}.tpx3" for i in (1, 2, 3))
    assert found.n_bytes == sum(p.stat().st_size for p in found.paths)
    assert found.acquisition == raw_files(keys_of(folder, 0, 1), "tpx").acquisition


@pytest.mark.parametrize(
    ("template", "paths"), [("..", 1), ("a/b.tpx3", 0), ("/etc/{}", 0), ("..{}", 1), ("", 1)]
)
def test_names_cannot_lead_out_of_the_folder(tmp_path: Path, template: str, paths: int) -> None:
    keys = keys_of(tmp_path, 0, 0) | {"tpx_raw_count": 1} | {"tpx_raw_template": template}
    if paths:
        (path,) = raw_files(keys, "tpx").paths
        assert path.parent == tmp_path or path in (tmp_path, tmp_path / "..")
    else:
        with pytest.raises(RawDataError, match="local folder"):
            raw_files(keys, "tpx")


def test_an_incomplete_event_is_an_error(tmp_path: Path) -> None:
    keys = keys_of(tmp_path, 0, 0)
    del keys["tpx_raw_count"]
    with pytest.raises(RawDataError, match="tpx_raw_count") as caught:
        raw_files(keys, "tpx")
    assert caught.value.where == "detector tpx"


LEGACY = "tpx3_files_raw_filepaths"


def chx_files(folder: Path) -> list[Path]:
    """Files of one trigger as the CHX profile names them."""
    paths = [folder / f"4f0c_00003_{index:06d}.tpx3" for index in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(b"12345678" * (number + 1))
    return paths


@pytest.mark.parametrize(
    "given",
    [
        list,
        tuple,
        lambda names: np.array(names),
        lambda names: np.array(names, dtype=object),
        lambda names: np.array([name.encode() for name in names]),
        json.dumps,
        lambda names: [f"file:{quote(name)}" for name in names],
        lambda names: [f"file://localhost{quote(name)}" for name in names],
        lambda names: [f"file://{quote(name)}" for name in names],
        lambda names: [name.replace("/4f0c", "//4f0c") for name in names],
        lambda names: ["/" + name for name in names],
    ],
)
def test_lists_of_the_chx_profile_are_read_however_they_come_back(
    folder: Path, given: Callable[[list[str]], Any]
) -> None:
    paths = chx_files(folder)
    assert raw_detectors({"data_keys": {LEGACY: {}, "motor": {}}}) == ("tpx3",)
    found = raw_files({LEGACY: given([str(path) for path in paths])}, "tpx3")
    assert found.paths == tuple(paths)
    assert (found.n_bytes, found.recorded) == (48, False)
    assert found.acquisition == f"{folder}/4f0c_00003_"


def test_a_single_path_no_path_and_a_missing_file_of_the_chx_profile(folder: Path) -> None:
    (first, *_) = chx_files(folder)
    assert raw_files({LEGACY: str(first)}, "tpx3").paths == (first,)
    for nothing in ([], "", "[]", [""]):
        assert raw_files({LEGACY: nothing}, "tpx3").paths == ()
    first.unlink()
    found = raw_files({LEGACY: [str(first)]}, "tpx3")
    assert (found.paths, found.n_bytes) == ((first,), 0)


def test_each_trigger_of_the_chx_profile_has_a_clock_of_its_own() -> None:
    names = ["/d/4f0c_00003_000000.tpx3", "/d/4f0c_00003_000001.tpx3", "/d/4f0c_00004_000000.tpx3"]
    clocks = [raw_files({LEGACY: [name]}, "tpx3").acquisition for name in names]
    assert clocks[0] == clocks[1] != clocks[2]


@pytest.mark.parametrize(
    "value",
    [["relative.tpx3"], ["http://a/b"], ["file://other/b"], [1], 3, None, "[1", {"a": 1}, ["/a\0"]],
)
def test_what_is_no_list_of_local_files_is_refused(value: Any) -> None:
    with pytest.raises(RawDataError) as caught:
        raw_files({LEGACY: value}, "tpx3")
    assert "detector tpx3" in str(caught.value.where)
