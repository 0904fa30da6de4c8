"""`import twinbeam` is light, and so is each package of what it does not need."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import twinbeam

HEAVY = {"bluesky", "bokeh", "databroker", "matplotlib", "numba", "ophyd", "pandas", "tiled"}
BEAMLINE = {"bluesky", "caproto", "databroker", "event_model", "ophyd", "tiled"}
PICTURES = {"bokeh", "matplotlib", "pandas"}


def loaded(module: str) -> set[str]:
    """Top-level modules that are loaded after importing a module in a fresh process."""
    said = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    return {name.partition(".")[0] for name in said.split()}


def test_the_package_alone_loads_nothing_heavy() -> None:
    modules = loaded("twinbeam")
    assert "twinbeam" in modules
    assert modules & (HEAVY | {"numpy", "scipy"}) == set()


@pytest.mark.parametrize("module", ["twinbeam.simulate", "twinbeam.pipeline", "twinbeam.live"])
def test_the_analysis_loads_no_beamline_software_and_draws_nothing(module: str) -> None:
    assert loaded(module) & (BEAMLINE | PICTURES) == set()


def test_figures_are_loaded_when_they_are_drawn() -> None:
    assert loaded("twinbeam.view") & PICTURES == set()


def test_the_version_is_known() -> None:
    assert twinbeam.__version__.count(".") == 2
