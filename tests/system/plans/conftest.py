"""The instruments as tests of plans use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from twinbeam.devices import Beamline

#: Wrong by a twentieth of a degree.
START_DEG = 11.526


@pytest.fixture
def call_returns_result() -> bool:
    """Engines of these tests give plan results."""
    return True


@pytest.fixture
def bench(instruments: Beamline) -> Iterator[Beamline]:
    """The instruments with the shutter closed, before and after; the detector idle afterwards."""
    shutter, theta = instruments.shutter, instruments.goniometer.theta
    shutter.set("closed").wait(60)
    theta.set(START_DEG).wait(60)
    yield instruments
    assert shutter.status.get(use_monitor=False) == "Closed"
    assert instruments.detector.cam.acquire.get(use_monitor=False) == 0
