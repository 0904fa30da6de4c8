"""The instruments, connected to the simulated beamline, and a RunEngine of each test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bluesky import RunEngine

from twinbeam.devices import Beamline, Patience, make_beamline

#: Wrong by a twentieth of a degree.
START_DEG = 11.526

Documents = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="session")
def instruments(beamline: Any) -> Iterator[Beamline]:
    """All instruments; tests leave them as they found them."""
    made = make_beamline(
        beamline.prefixes.beamline,
        beamline.prefixes.detector,
        data_root=beamline.data_dir / "plans",
        patience=Patience(stall_s=2.0, files_s=2.0),
    )
    made.connect(30.0)
    yield made
    made.destroy()


@pytest.fixture
def bench(instruments: Beamline) -> Iterator[Beamline]:
    """The instruments with the shutter closed, before and after; the detector idle afterwards."""
    shutter, theta = instruments.shutter, instruments.goniometer.theta
    shutter.set("closed").wait(20)
    theta.set(START_DEG).wait(20)
    yield instruments
    assert shutter.status.get(use_monitor=False) == "Closed"
    assert instruments.detector.cam.acquire.get(use_monitor=False) == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "acquisition"]


@pytest.fixture
def engine() -> Iterator[RunEngine]:
    """A RunEngine that gives plan results; its thread is gone afterwards."""
    before = set(threading.enumerate())
    engine = RunEngine(context_managers=[], call_returns_result=True)
    (thread,) = (
        t for t in threading.enumerate() if t not in before and t.name == "bluesky-run-engine"
    )
    yield engine
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    thread.join(timeout=20)
    assert not thread.is_alive()
    engine.loop.close()


@pytest.fixture
def documents(engine: RunEngine) -> Documents:
    """All documents of the engine, in order."""
    received: Documents = []
    engine.subscribe(lambda name, doc: received.append((name, doc)))
    return received


@pytest.fixture
def meanwhile() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Function that does something in another thread, which has ended when the test has."""
    threads: list[threading.Thread] = []

    def start(action: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=action, name="meanwhile"))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
