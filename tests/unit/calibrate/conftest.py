"""Data of known truth for the calibrations: simulated exposures and pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinbeam.calibrate import ClusteredHits, cluster_hits, find_candidates
from twinbeam.pairs import Pairs
from twinbeam.physics import Geometry
from twinbeam.pipeline import Recipe, Result
from twinbeam.simulate import Experiment, SimulationParameters, simulate
from twinbeam.tpx3 import Decoder, Hits

TRUE_CENTRE = (260.3, 256.1)


def expose(seconds: float, seed: int = 0, acquisition: int = 1, **parameters: Any) -> Hits:
    """Seconds of an experiment; another acquisition has other photons on the same sensor."""
    experiment = Experiment(SimulationParameters(**parameters), seed)
    for _ in range(acquisition):
        stream = experiment.start()
    stream += experiment.advance(seconds) + experiment.stop()
    return Decoder().feed(stream)


@pytest.fixture(scope="session")
def exposure() -> Callable[..., Hits]:
    """Hits of seconds of the simulated experiment."""
    return expose


@pytest.fixture(scope="session")
def monochromatic() -> dict[float, ClusteredHits]:
    """Scattered light of five energies on one sensor."""
    return {
        energy: cluster_hits(
            expose(
                0.5,
                seed=11,
                acquisition=round(energy),
                pump_kev=energy,
                pair_rate_hz=0.0,
                dark_rate_hz=0.0,
                background_rate_hz=8e4,
                scattered_fraction=0.0,
                sample="none",
            )
        )
        for energy in (6.0, 8.0, 10.0, 12.0, 15.0)
    }


@pytest.fixture(scope="session")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with many pairs around a centre that is not the recipe's."""
    path = tmp_path_factory.mktemp("calibrate") / "run_000000.tpx3"
    parameters = SimulationParameters(centre_px=TRUE_CENTRE, pair_rate_hz=800.0)
    simulate(path, seconds=3.0, parameters=parameters, seed=5)
    return path


@pytest.fixture(scope="session")
def candidates(run_file: Path) -> Result:
    """Pairs of the run after wide cuts that know nothing of ToT, centre 2 px off."""
    return find_candidates([run_file], Recipe(), energy=False)


@pytest.fixture(scope="session")
def centred_candidates(run_file: Path) -> Result:
    """The same with the right centre."""
    recipe = Recipe(geometry=Geometry(centre_px=TRUE_CENTRE))
    return find_candidates([run_file], recipe, energy=False)


@pytest.fixture
def pairs_of() -> Callable[..., Pairs]:
    """A pair table with the named columns, zeros in the others."""

    def build(**columns: Any) -> Pairs:
        size = len(next(iter(columns.values())))
        return Pairs(**{name: columns.get(name, np.zeros(size)) for name in Pairs.DTYPES})

    return build
