from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from measurements import Measurement, Service

from twinbeam.simulate import Experiment, SimulationParameters


@pytest.fixture(scope="session")
def frames() -> list[bytes]:
    """What the detector writes in eight frames."""
    experiment = Experiment(
        SimulationParameters(pair_rate_hz=2000.0, background_rate_hz=1e5, sample="none"), 3
    )
    data = b"".join(
        [experiment.start(), *(experiment.advance(0.1) for _ in range(20)), experiment.stop()]
    )
    size = len(data) // 8 // 8 * 8
    return [data[i * size : (i + 1) * size if i < 7 else None] for i in range(8)]


@pytest.fixture
def measure(tmp_path: Path, frames: list[bytes]) -> Callable[..., Measurement]:
    """Function that begins a measurement."""
    return lambda *given, **more: Measurement(tmp_path, frames, *given, **more)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Function that starts a live service; it is gone after the test, with all its threads."""
    services: list[Service] = []
    (tmp_path / "documents").mkdir()

    def start(**given: Any) -> Service:
        services.append(Service(tmp_path, **given))
        return services[-1]

    before = set(threading.enumerate())
    yield start
    for one in services:
        pid = one.process.pid
        one.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith("twinbeam")]
    assert left == []
