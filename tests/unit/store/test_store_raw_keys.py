from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

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
