"""What pages need to be followed: folders, and the commands of this environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from made_runs import make_run

from twinbeam import process
from twinbeam.pipeline import Recipe
from twinbeam.store import RunWriter, open_catalog, register_raw, store_result


@pytest.fixture
def reader_environment() -> dict[str, str]:
    """The environment of somebody who has installed the package and set nothing."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TWINBEAM_", "EPICS_"))}
    here = str(Path(sys.executable).parent)
    return {**kept, "PATH": os.pathsep.join([here, kept.get("PATH", "")]), "COLUMNS": "200"}


@pytest.fixture
def folder_of_a_demo(tmp_path: Path) -> Path:
    """A folder with what a demo leaves: a catalogue with a run, its raw files and its result."""
    catalogue, raw = tmp_path / "twinbeam-demo" / "catalog", tmp_path / "twinbeam-demo" / "raw"
    raw.mkdir(parents=True)
    # few arrays: every one that is stored takes time
    recipe = Recipe.from_mapping({"images": {"profiles": False, "correlation_maps": False}})
    about = {"plan_name": "collect_pairs", "scan_id": 3, "recipe": recipe.as_dict()}
    with open_catalog(catalogue, readable=[raw]) as catalog:
        with RunWriter(catalog) as writer:
            run = make_run(writer, raw, about, seconds=1.0)
        register_raw(catalog, run.uid, run.paths)
        store_result(catalog, run.uid, process(run.paths, recipe))
    return tmp_path
