"""`twinbeam relocate`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess

from twinbeam.store import Relocations, open_catalog, register_raw, registered_files


@pytest.fixture
def catalogue(simulated: Any, tmp_path: Path) -> Path:
    """Two runs with a file each in the folder `old`."""
    old = tmp_path / "old"
    old.mkdir()
    with open_catalog(tmp_path / "catalog", readable=[old]) as catalog:
        for name in ("one", "two"):
            shutil.copyfile(simulated[0], old / f"{name}.tpx3")
            register_raw(catalog, name, [old / f"{name}.tpx3"])
    return tmp_path / "catalog"


def test_moved_files_are_found_and_a_run_without_its_file_is_left(
    here: InProcess, catalogue: Path, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.rename(new)
    (new / "two.tpx3").rename(tmp_path / "two.tpx3")
    for arguments, changed in ((["--dry-run"], 0), ([], 1)):
        done = here("relocate", old, new, "--catalog", catalogue, "--json", *arguments)
        assert done.returncode == 1
        assert "run two is left as it is" in done.stderr
        assert f"{new / 'two.tpx3'} is not there" in done.stderr
        said = json.loads(done.stdout)
        assert said["changed"] == changed
        assert said["runs"][0] == {
            "run": "one",
            "files": [[str(old / "one.tpx3"), str(new / "one.tpx3")]],
            "problem": None,
        }
        with open_catalog(catalogue) as catalog:
            registered = registered_files(catalog, "one")
            assert registered is not None
            assert registered.paths == ((new if changed else old) / "one.tpx3",)
            assert Relocations.of(catalog).moves == (((old, new),) if changed else ())
    (tmp_path / "two.tpx3").rename(new / "two.tpx3")
    done = here("relocate", old, new, "--catalog", catalogue)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 1 run(s) changed" in done.stdout
    with open_catalog(catalogue) as catalog:
        assert len(catalog.client["hits", "two"].read()) > 1000


def test_a_folder_that_is_not_there_is_said(
    here: InProcess, catalogue: Path, tmp_path: Path
) -> None:
    done = here("relocate", tmp_path / "old", tmp_path / "no", "--catalog", catalogue)
    assert done.returncode == 1
    assert "there is no such folder" in done.stderr
    done = here("relocate", tmp_path / "old", tmp_path, "--catalog", tmp_path / "none")
    assert "no catalogue in this folder" in done.stderr
