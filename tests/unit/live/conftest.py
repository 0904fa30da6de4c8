from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from twinbeam.live import CoincidenceCallback
from twinbeam.simulate import Experiment, SimulationParameters


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four consecutive raw files of one acquisition, in a folder whose name needs quoting."""
    folder = tmp_path_factory.mktemp("raw data")
    parameters = SimulationParameters(pair_rate_hz=3000.0, sample="none")
    experiment = Experiment(parameters, 1)
    parts = [experiment.start(), *(experiment.advance(0.08) for _ in range(3)), experiment.stop()]
    data = b"".join(parts)
    for i in range(4):
        cut = slice(i * len(data) // 4, (i + 1) * len(data) // 4)
        (folder / f"run_{i:06d}.tpx3").write_bytes(data[cut])
    return folder


@pytest.fixture
def callback() -> Iterator[CoincidenceCallback]:
    callback = CoincidenceCallback()
    yield callback
    callback.close()
