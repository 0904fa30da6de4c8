from __future__ import annotations

import pytest

from twinbeam.pipeline import Pipeline, Result
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import Decoder

BUSY = SimulationParameters(pair_rate_hz=3000.0, background_rate_hz=4e4, sample="none")


def simulated(seed: int, seconds: float = 0.25) -> bytes:
    experiment = Experiment(BUSY, seed)
    parts = [experiment.start()]
    parts += [experiment.advance(0.05) for _ in range(round(seconds / 0.05))]
    stream = b"".join([*parts, experiment.stop()])
    assert len(Decoder().feed(stream)) == experiment.n_hits > 0
    return stream


@pytest.fixture(scope="session")
def raw() -> bytes:
    """A quarter of a second of a busy experiment."""
    return simulated(1)


@pytest.fixture(scope="session")
def other_raw() -> bytes:
    """Another acquisition."""
    return simulated(2, 0.1)


@pytest.fixture(scope="session")
def result(raw: bytes) -> Result:
    """The result of `raw`, with its photons."""
    pipeline = Pipeline(keep_photons=True)
    pipeline.feed(raw)
    return pipeline.finish()
