from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from twinbeam.pipeline import Pipeline, Result
from twinbeam.simulate import Experiment, SimulationParameters, Truth


@dataclass(frozen=True)
class Simulated:
    """An acquisition, its truth, and what was found in it."""

    parameters: SimulationParameters
    seconds: float
    raw: bytes
    truth: Truth
    n_hits: int

    @cached_property
    def result(self) -> Result:
        """What the analysis makes of it."""
        pipeline = Pipeline(keep_photons=True)
        pipeline.feed(self.raw)
        return pipeline.finish()


def run(parameters: SimulationParameters, seconds: float, seed: int = 1) -> Simulated:
    experiment = Experiment(parameters, seed)
    parts = [experiment.start()]
    parts += [experiment.advance(0.1) for _ in range(round(10 * seconds))]
    raw = b"".join([*parts, experiment.stop()])
    return Simulated(parameters, seconds, raw, experiment.truth(), experiment.n_hits)


@pytest.fixture(scope="session")
def default() -> Simulated:
    """The default experiment, sample included."""
    return run(SimulationParameters(), 10.0)


@pytest.fixture(scope="session")
def bare() -> Simulated:
    """Many pairs, no sample, little background."""
    parameters = SimulationParameters(
        pair_rate_hz=5000.0, background_rate_hz=1000.0, dark_rate_hz=0.0, sample="none"
    )
    return run(parameters, 4.0)


@pytest.fixture
def recorded() -> Path:
    """A file of a real quad."""
    path = Path(__file__).parents[4] / "shared" / "data" / "chx" / "chx_serval_4_3.tpx3"
    if not path.exists():
        pytest.skip("recorded files are not at hand")
    return path
