"""Without data every calibration says so, and importing them draws nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from twinbeam.calibrate import (
    calibrate_ceilings,
    calibrate_columns,
    calibrate_detuning,
    calibrate_energy,
    calibrate_pair_energy,
    calibrate_pixel_energy,
    calibrate_timewalk,
    centre_by_contrast,
    centre_by_lines,
    cluster_hits,
    distance_by_energies,
    fit_curve,
    require_significant,
    walk_cells,
)
from twinbeam.calibrate.distance import KnownDetuning
from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairs
from twinbeam.physics import Geometry
from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import Hits

NO_HITS = cluster_hits(Hits.empty())
NO_PAIRS = Pairs.empty()
RESPONSE = Recipe().response
CURVE = fit_curve([6.0, 8.0, 10.0], [290.0, 350.0, 410.0], [1.0, 1.0, 1.0])

ATTEMPTS: dict[str, Callable[[], object]] = {
    "ceilings": lambda: calibrate_ceilings(NO_HITS.singles),
    "columns": lambda: calibrate_columns(NO_HITS),
    "timewalk": lambda: calibrate_timewalk(walk_cells(NO_HITS)),
    "energy": lambda: calibrate_energy({8.0: NO_HITS, 12.0: NO_HITS}),
    "pixel energy": lambda: calibrate_pixel_energy({8.0: NO_HITS.singles}, CURVE),
    "pair energy": lambda: calibrate_pair_energy(NO_PAIRS, 20, Geometry(), RESPONSE),
    "lines": lambda: centre_by_lines(NO_PAIRS, 20, (258.0, 258.0), 25.0),
    "contrast": lambda: centre_by_contrast(NO_PAIRS, 20, (258.0, 258.0)),
    "detuning": lambda: calibrate_detuning(NO_PAIRS, 20, (0.01, 0.08)),
    "distance": lambda: distance_by_energies(
        NO_PAIRS, 20, Geometry(), RESPONSE, KnownDetuning(0.04, 1e-4)
    ),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_no_data_are_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(RecipeError) as raised:
        ATTEMPTS[name]()
    assert raised.value.where
    assert raised.value.hint


def test_a_value_must_be_finite_and_many_errors_from_zero() -> None:
    require_significant("slope", 10.0, 1.0)
    with pytest.raises(RecipeError, match="slope: 4 ± 1 is not significant"):
        require_significant("slope", 4.0, 1.0)
    for value, error in ((np.nan, 1.0), (1.0, np.inf), (1.0, 0.0)):
        with pytest.raises(RecipeError, match="could not be determined"):
            require_significant("slope", value, error)


def test_importing_calibrations_loads_neither_figures_nor_beamline_software() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import twinbeam.calibrate, sys; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    loaded = {name.partition(".")[0] for name in said.split()}
    assert "twinbeam" in loaded
    assert loaded & {"matplotlib", "bokeh", "bluesky", "ophyd", "caproto", "tiled"} == set()
